"""What the documents speak of is there, and what is there is spoken of. Tables are rewritten by `make golden`."""

from __future__ import annotations

import ast
import re
from itertools import pairwise

from include.core.contract import ACCEPTED_TYPES, TABLES
from include.core.settings import PROJECT, Settings
from include.judging.checks import GATE_CHECKS
from include.operations.metrics.figures import FIGURES
from tests.architecture.source import calls, files, name, words

DOCS = PROJECT / "docs"
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
CODE = re.compile(r"(RT|PB|VOL|NUL|ANO|SKW|TAB|PII|FT|DR)\d{3}")
NULLABLE = "may be empty"
OPTIONAL = "optional"
# Columns without which a row says nothing, found by a rule on more than the column or by the window.
NEEDED_OTHERWISE = {"reading_events": {"reader_id", "article_id", "occurred_at"}}


def codes_in_use() -> dict[str, str]:
    """Every check code with its title: of the contract, and those that are written out in the stages."""
    titles = {rule.code: rule.title for table in TABLES for rule in table.rules}
    for path in files("include"):
        titles |= {word: "" for word in words(path) if CODE.fullmatch(word)}
    for path in files("include"):
        for _, call in calls(path):
            given = [argument.value if isinstance(argument, ast.Constant) else None for argument in call.args]
            titles |= {
                str(code): title
                for code, title in pairwise(given)
                if isinstance(title, str) and CODE.fullmatch(str(code))
            }
    return titles | {rule.code: rule.title for rule in GATE_CHECKS.values()}


def sections(page: str) -> dict[str, str]:
    """The sections of a page by their third-level headings."""
    parts = re.split(r"^### (.+)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return {title: body.split("\n## ")[0].strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def test_every_check_has_a_section_and_every_section_a_check():
    documented = [title.partition(":")[0] for title in sections("checks.md")]
    assert sorted(documented) == sorted(codes_in_use())


def test_a_section_is_headed_by_the_title_that_people_see():
    titles = dict(title.split(": ", 1) for title in sections("checks.md"))
    for code, title in codes_in_use().items():
        assert not title or titles[code] == title


def test_a_section_says_whether_the_rule_blocks():
    said = {title.partition(":")[0]: body for title, body in sections("checks.md").items()}
    for table in TABLES:
        for rule in table.rules:
            word = {"block": "Blocks.", "warn": "Warns", "info": "Notes"}[rule.severity]
            assert said[rule.code].startswith(word), rule.code


def test_a_section_on_the_verdict_says_what_a_failure_does_and_which_setting_is_the_limit():
    said = {title.partition(":")[0]: body for title, body in sections("checks.md").items()}
    for rule in GATE_CHECKS.values():
        assert said[rule.code].startswith(rule.kind.capitalize()), rule.code
        assert not isinstance(rule.limit, str) or f"`{rule.limit}`" in said[rule.code], rule.code


def test_a_limit_in_a_rule_is_the_limit_in_its_section():
    said = {title.partition(":")[0]: body for title, body in sections("checks.md").items()}
    assert "1 and 50,000" in said["ART106"]
    assert "1 and 1,000" in said["EVT109"]
    rules = {rule.code: rule.limits for table in TABLES for rule in table.rules}
    assert (rules["ART106"], rules["EVT109"], rules["EVT107"]) == ((1, 50_000), (1, 1000), (0.0, 4 * 3600.0))


def test_a_default_that_is_told_is_the_default():
    for page in ("checks.md", "runbook.md"):
        found = re.findall(r"`(\w+)`\s+\(([\d.,]+)( %)?\)", (DOCS / page).read_text())
        for setting, told, percent in found:
            value = float(told.replace(",", "")) / (100 if percent else 1)
            assert value == Settings.model_fields[setting].default, f"{page}: {setting}"


def settings_table() -> str:
    rows = ["| setting | default | |", "|---|---|---|"]
    for field, about in Settings.model_fields.items():
        default = about.default
        if field == "home":
            shown = "`.daybreak` in the project"
        elif "password" in field or "secret" in field:
            shown = "generated" if "password" in field else "none"
        else:
            shown = f"`{default}`" if str(default) else "none"
        choices = getattr(about.annotation, "__args__", ())
        more = f" (`{'`, `'.join(choices)}`)" if choices else ""
        rows.append(f"| `DAYBREAK_{field.upper()}` | {shown} | {about.description}{more} |")
    return "\n".join(rows) + "\n"


SETTINGS_HEAD = """# Settings

A setting comes from the environment, else from `daybreak.env` in the state folder (which `make up` writes, keeping your
own lines), else it has the default below. An unknown name or an unusable value is an error that names it (exit code 2).
On a server the variables are in `.env` (`make env`, see [server.md](server.md)). Services keep the values they were
started with: after a change, run `make down` and `make up`.

Passwords have no defaults. `make up` and `make env` generate them once, in files that only you can read.

"""


def contract_tables() -> str:
    parts = []
    for table in TABLES:
        required = {rule.column for rule in table.rules if rule.holds == "not_null" and rule.severity == "block"}
        required -= table.optional
        required |= NEEDED_OTHERWISE.get(table.name, set())
        rows = [f"## source.{table.name}\n", "| column | PostgreSQL type | |", "|---|---|---|"]
        for column in table.columns:
            kinds = " or ".join(f"`{kind}`" for kind in sorted(ACCEPTED_TYPES[str(column.type)]))
            rows.append(f"| `{column.name}` | {kinds} | {_need(column.name, required, table.optional)} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _need(column: str, required: set[str], optional: frozenset[str]) -> str:
    return OPTIONAL if column in optional else "required" if column in required else NULLABLE


def matches(page: str, head: str, body: str, rewrite: bool) -> bool:
    path = DOCS / page
    if rewrite:
        path.write_text(head + body)
    return path.read_text() == head + body


def test_the_page_of_settings_lists_them_as_they_are(request):
    assert matches("settings.md", SETTINGS_HEAD, settings_table(), request.config.getoption("golden"))


def figures_table() -> str:
    rows = ["| figure | labels | |", "|---|---|---|"]
    for one in FIGURES:
        name = f"{one.name}_total" if one.kind == "counter" else one.name
        rows.append(f"| `{name}` | {', '.join(f'`{label}`' for label in one.labels)} | {one.about} |")
    return "\n".join(rows) + "\n"


def test_the_page_on_monitoring_lists_the_figures_as_they_are(request):
    text = (DOCS / "monitoring.md").read_text()
    head, rest = text.split("## Figures\n", 1)
    tail = "\n## What Airflow" + rest.split("\n## What Airflow")[1]
    assert matches("monitoring.md", f"{head}## Figures\n\n", figures_table() + tail, request.config.getoption("golden"))


def test_the_page_on_mapping_lists_the_contract_as_it_is(request):
    text = (DOCS / "mapping.md").read_text()
    head, tail = text.partition("## source.")[0], "".join(text.partition("\n## Optional: ")[1:])
    assert matches("mapping.md", head, contract_tables() + tail, request.config.getoption("golden"))


def test_every_make_target_is_told():
    targets = re.findall(r"^([a-z][a-z-]*):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) >= 8
    text = "\n".join(page.read_text() for page in PAGES)
    assert [target for target in targets if f"make {target}" not in text] == []


def test_every_make_target_that_is_told_is_there():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    told = {
        word for page in PAGES for word in re.findall(r"(?:`|^)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    }
    assert told - targets == set()


def test_a_setting_that_is_told_exists():
    unknown = {
        f"{name(page)}: {told}"
        for page in PAGES
        for told in re.findall(r"\bDAYBREAK_([A-Z_]+[A-Z])\b", page.read_text())
        if told.lower() not in Settings.model_fields
    }
    assert unknown == set()


def test_a_link_between_pages_leads_somewhere():
    broken = [
        f"{name(page)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_a_file_of_the_project_that_is_told_exists():
    folders = r"`((?:include|tests|dags|plugins|docs|bench|feature_repo|bin)/[\w./-]+)`"
    gone = [
        f"{name(page)}: {path}"
        for page in PAGES
        for path in re.findall(folders, page.read_text())
        if not (PROJECT / path).exists()
    ]
    assert gone == []


def test_a_test_that_is_told_exists():
    for page in PAGES:
        for path, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text()):
            assert f"def {test}(" in (PROJECT / path).read_text(), f"{name(page)}: {test}"


def test_a_document_that_the_code_sends_people_to_exists():
    for path in files():
        for told in re.findall(r"\bdocs/[\w/-]+(?:\.md)?", path.read_text()):
            found = (PROJECT / told).exists() or list(PROJECT.glob(f"{told}-*.md"))
            assert found, f"{name(path)}: {told}"


def test_lines_are_no_wider_than_the_code():
    wide = [
        f"{page}: {line}"
        for page in ("checks.md", "settings.md", "mapping.md")
        for line in (DOCS / page).read_text().splitlines()
        if len(line) > 121 and not line.startswith("|")
    ]
    assert wide == []
