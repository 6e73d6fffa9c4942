"""The front page of a validation: every check, what was set aside, and the way into Great Expectations' Data Docs.

It takes the place of the index that Great Expectations makes, which draws its rows with scripts from the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from include.core.checks import Check, blocking
from include.core.html import check_table, page, save, table
from include.core.trend import Trend, trend_section
from include.data.snapshot import Snapshot
from include.validation.broken_rows import BrokenCount, BrokenRow

HOW_FAR = ("ANO", "NUL", "VOL")  # codes whose number says how far, not how many are wrong


def save_front_page(
    docs: Path,
    snapshot: Snapshot,
    checks: Sequence[Check],
    counts: Mapping[str, BrokenCount],
    broken: Sequence[BrokenRow],
    trend: Trend,
) -> None:
    """`index.html` in the folder of Data Docs."""
    stopped = blocking(checks)
    rows = sum(file.rows for file in snapshot.files)
    broken_rows = sum(count.rows for count in counts.values())
    lead = (
        f"Blocked: {len(stopped)} of {len(checks)} checks stop the run."
        if stopped
        else f"Passed: {len(checks)} checks over {rows:,} rows; {broken_rows:,} rows were set aside."
    )
    examples: dict[tuple[str, str], list[str]] = {}
    for row in broken:
        for code in row.codes:
            examples.setdefault((row.table, code), []).append(row.primary_key or "none")
    set_aside = [
        (name, code, number, ", ".join(examples.get((name, code), [])[:3]))
        for name, count in counts.items()
        for code, number in sorted(count.by_code.items())
    ]
    links = "".join(
        f'<li><a href="{escape(str(path.relative_to(docs)))}">{escape(path.parts[-4])}</a></li>'
        for path in sorted(docs.glob("validations/*/*/*/*.html"))
    )
    noted = [
        check
        for check in checks
        if check.severity != "block"
        and (check.outcome == "failed" or (check.observed and not check.code.startswith(HOW_FAR)))
    ]
    sections = [
        ("What stops the run", check_table(stopped) if stopped else "<p>Nothing.</p>"),
        ("What is noted", check_table(noted) if noted else "<p>Nothing.</p>"),
        (
            "Rows set aside",
            table(("table", "check", "rows", "for example"), set_aside) if set_aside else "<p>None.</p>",
        ),
        ("All checks", check_table(checks)),
        ("The last runs", trend_section(*trend)),
        ("Data Docs by table", f"<ul>{links}</ul>"),
    ]
    save(docs / "index.html", page(f"Validation of {snapshot.id}", lead, sections))
