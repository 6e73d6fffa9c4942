"""The front page of a validation: every check, the quarantined rows, and links to Great Expectations' Data Docs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from include.core.checks import Check, blocking
from include.core.html import check_table, page, save, table
from include.core.settings import Settings
from include.core.trend import Trend, trend_section
from include.data.snapshot import Snapshot
from include.validation.broken_rows import BrokenCount, BrokenRow

MOST_EARLIER = 10
HOW_FAR = ("ANO", "NUL", "VOL")  # codes whose number is a distance, not a count of errors


def save_front_page(
    settings: Settings,
    docs: Path,
    snapshot: Snapshot,
    checks: Sequence[Check],
    counts: Mapping[str, BrokenCount],
    broken: Sequence[BrokenRow],
    trend: Trend,
) -> None:
    """Save `index.html` in the folder of Data Docs."""
    stopped = blocking(checks)
    rows = sum(file.rows for file in snapshot.files)
    broken_rows = sum(count.rows for count in counts.values())
    lead = (
        f"Blocked: {len(stopped)} of {len(checks)} checks failed and stop the run."
        if stopped
        else f"Passed: {len(checks)} checks over {rows:,} rows; {broken_rows:,} rows were quarantined."
    )
    examples: dict[tuple[str, str], list[str]] = {}
    for row in broken:
        for code in row.codes:
            examples.setdefault((row.table, code), []).append(row.primary_key or "none")
    quarantined = [
        (name, code, number, ", ".join(examples.get((name, code), [])[:3]))
        for name, count in counts.items()
        for code, number in sorted(count.by_code.items())
    ]
    links = "".join(
        f'<li><a href="{escape(str(path.relative_to(docs)))}">{escape(path.parts[-4])}</a></li>'
        for path in sorted(docs.glob("validations/*/*/*/*.html"))
    )
    reports = (settings.home / "reports" / "validation").glob("*/index.html")
    earlier = sorted((path.parent.name for path in reports if path.parent.name < snapshot.id), reverse=True)
    before = "".join(f'<li><a href="../{name}/index.html">{name}</a></li>' for name in earlier[:MOST_EARLIER])
    noted = [
        check
        for check in checks
        if check.severity != "block"
        and (check.outcome == "failed" or (check.observed and not check.code.startswith(HOW_FAR)))
    ]
    sections = [
        ("Checks that stop the run", check_table(stopped) if stopped else "<p>Nothing.</p>"),
        ("Warnings and notes", check_table(noted) if noted else "<p>Nothing.</p>"),
        (
            "Quarantined rows",
            table(("table", "check", "rows", "for example"), quarantined) if quarantined else "<p>None.</p>",
        ),
        ("All checks", check_table(checks)),
        ("The last runs", trend_section(*trend)),
        ("Data Docs by table", f"<ul>{links}</ul>"),
        ("Earlier validations", f"<ul>{before}</ul>" if before else "<p>None.</p>"),
    ]
    save(docs / "index.html", page(f"Validation of {snapshot.id}", lead, sections))
