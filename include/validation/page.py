"""The front page of a validation: every check, the quarantined rows, and links to Great Expectations' Data Docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from include.core.about import about_run, find_links
from include.core.checks import Check, blocking
from include.core.contract import TABLES
from include.core.html import Link, bars, check_sections, check_table, folded, page, save, table
from include.core.numbers import write_number
from include.core.run import Run
from include.core.settings import Settings
from include.core.trend import Trend, trend_section
from include.data.snapshot import Snapshot
from include.validation import suites
from include.validation.broken_rows import BrokenCount, BrokenRow

MOST_EARLIER = 10
HOW_FAR = ("ANO", "NUL", "VOL")  # codes whose number is a distance, not a count of errors


def save_front_page(
    run: Run,
    docs: Path,
    snapshot: Snapshot,
    checks: Sequence[Check],
    counts: Mapping[str, BrokenCount],
    broken: Sequence[BrokenRow],
    trend: Trend,
) -> None:
    """Save `index.html` in the folder of Data Docs."""
    stopped = blocking(checks)
    rows = {table.name: snapshot.rows(table.name) for table in TABLES}
    broken_rows = sum(count.rows for count in counts.values())
    lead = (
        f"Blocked: {len(stopped)} of {len(checks)} checks failed and stop the run."
        if stopped
        else f"Passed: {len(checks)} checks over {sum(rows.values()):,} rows; {broken_rows:,} rows were quarantined."
    )
    failed, *others = check_sections(checks)
    noted = [
        check
        for check in checks
        if check.severity != "block"
        and check.outcome == "passed"
        and check.observed
        and not check.code.startswith(HOW_FAR)
    ]
    sections = [
        ("Rows that break a rule, by table", _shares(rows, counts)),
        *([("Rows that break a rule, by check", _by_check(counts, broken))] if broken_rows else []),
        failed,
        *others,
        (
            "Details",
            "".join(
                folded(summary, content)
                for summary, content in (
                    ("Passed with rows to note", check_table(noted) if noted else "<p>None.</p>"),
                    ("The last runs", trend_section(*trend)),
                    ("Data Docs by table", _list_links(_data_docs(docs))),
                    ("Earlier validations", _list_links(_earlier(run.settings, snapshot))),
                )
            ),
        ),
    ]
    html = page(
        f"Validation of {snapshot.window_start:%Y-%m-%d %H:%M} to {snapshot.as_of:%Y-%m-%d %H:%M} UTC",
        lead,
        sections,
        tone="bad" if stopped else "good",
        facts=[*about_run(run), ("Snapshot", snapshot.id)],
        links=find_links(run.settings, {}),
    )
    save(docs / "index.html", html)


def _shares(rows: Mapping[str, int], counts: Mapping[str, BrokenCount]) -> str:
    """Return the share of each table's rows that break a rule, as bars, the largest first."""
    shares = []
    for name, number in rows.items():
        bad = counts[name].rows if name in counts else 0
        share = bad / number if number else 0.0
        shares.append((name.replace("_", " "), share, f"{bad:,} of {number:,} ({write_number(share, 'share', 0.0)})"))
    return bars(sorted(shares, key=lambda one: -one[1]))


def _by_check(counts: Mapping[str, BrokenCount], broken: Sequence[BrokenRow]) -> str:
    """Return the rows that break each rule, most first, with the keys of a few."""
    examples: dict[tuple[str, str], list[str]] = {}
    for row in broken:
        for code in row.codes:
            examples.setdefault((row.table, code), []).append(row.primary_key or "none")
    found = [(name, code, number) for name, count in counts.items() for code, number in count.by_code.items()]
    found.sort(key=lambda one: (-one[2], one[1]))
    titles = suites.titles()
    return table(
        ("Rows", "Table", "Rule", "Code", "For example"),
        [
            (number, name.replace("_", " "), titles.get(code, ""), code, ", ".join(examples.get((name, code), [])[:3]))
            for name, code, number in found
        ],
    )


def _data_docs(docs: Path) -> list[Link]:
    return [
        Link(path.parts[-4].replace("_", " "), str(path.relative_to(docs)))
        for path in sorted(docs.glob("validations/*/*/*/*.html"))
    ]


def _earlier(settings: Settings, snapshot: Snapshot) -> list[Link]:
    """Return links to the newest earlier validations, each by the moment of its snapshot."""
    reports = (settings.home / "reports" / "validation").glob("*/index.html")
    names = sorted((path.parent.name for path in reports if path.parent.name < snapshot.id), reverse=True)
    return [Link(_moment_of(name), f"../{name}/index.html") for name in names[:MOST_EARLIER]]


def _moment_of(name: str) -> str:
    """Return the moment that the name of a snapshot begins with, as people write it."""
    try:
        return f"{datetime.strptime(name.partition('-')[0], '%Y%m%dT%H%M%S%z'):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return name


def _list_links(links: Sequence[Link]) -> str:
    return table(("",), [(link,) for link in links]) if links else "<p>None.</p>"
