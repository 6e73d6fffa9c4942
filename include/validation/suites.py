"""The suite of each table: the contract's rules, and expectations of your own from `expectations/<table>.json`.

The files are suites as Great Expectations writes them, so its documentation applies: any expectation may be added. Each
needs a `code` in its `meta`; `severity` decides as for every rule. If an expectation is about single rows and critical,
the rows that break it are quarantined; any other critical one (on a table, or with a `row_condition`) stops the run
when it fails.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from include.core.checks import Severity
from include.core.contract import TABLES, Rule, SourceTable
from include.core.errors import SettingsError

FOLDER = Path(__file__).resolve().parent / "expectations"
SEVERITIES: dict[str, Severity] = {"critical": "block", "warning": "warn", "info": "info"}


def suite(table: SourceTable) -> tuple[Rule, ...]:
    """Return every rule of a table, the contract's first."""
    return table.rules + _added(table.name, FOLDER)


def titles() -> dict[str, str]:
    """Return the title of every rule by its code."""
    return {rule.code: rule.title for table in TABLES for rule in suite(table)}


@cache
def _added(table: str, folder: Path) -> tuple[Rule, ...]:
    """Return the expectations in a table's file; raise `SettingsError` with the fault if it is unusable."""
    path = folder / f"{table}.json"
    taken = {rule.code for one in TABLES for rule in one.rules}
    rules = []
    try:
        for number, entry in enumerate(json.loads(path.read_text())["expectations"], 1):
            code = entry.get("meta", {}).get("code", "")
            if not code or code in taken:
                raise SettingsError(
                    f"{path}: expectation {number} ({entry['type']}) has "
                    + (f"the code {code}, which is taken." if code else "no code."),
                    hint='give it a code of its own, such as "meta": {"code": "OWN101"}.',
                )
            taken.add(code)
            rules.append(
                Rule(
                    code,
                    entry.get("description") or entry["type"].replace("_", " "),
                    entry["kwargs"].get("column", ""),
                    "as_written",
                    (json.dumps(entry, sort_keys=True),),
                    SEVERITIES[entry.get("severity", "critical")],
                    spans="window",
                )
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"{path} is no suite of Great Expectations: {type(error).__name__} {error}.",
            hint="restore it from git, or write it with ExpectationSuite.to_json_dict().",
        ) from None
    return tuple(rules)
