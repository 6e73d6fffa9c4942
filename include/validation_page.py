"""The front page of a validation: every check, what was set aside, and the way into Great Expectations' Data Docs.

It takes the place of the index that Great Expectations makes, which draws its rows with scripts from the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from include.checks import Check, blocking
from include.report import check_table, page, save, table
from include.snapshot import Snapshot
from include.validation import BrokenRow


def save_front_page(docs: Path, snapshot: Snapshot, checks: Sequence[Check], broken: Sequence[BrokenRow]) -> None:
    """`index.html` in the folder of Data Docs."""
    stopped = blocking(checks)
    rows = sum(file.rows for file in snapshot.files)
    lead = (
        f"Blocked: {len(stopped)} of {len(checks)} checks stop the run."
        if stopped
        else f"Passed: {len(checks)} checks over {rows:,} rows; {len(broken):,} rows were set aside."
    )
    counted = Counter((row.table, code) for row in broken for code in row.codes)
    examples = {(row.table, code): row.primary_key for row in reversed(broken) for code in row.codes}
    set_aside = [(name, code, count, examples[name, code] or "") for (name, code), count in sorted(counted.items())]
    links = "".join(
        f'<li><a href="{escape(str(path.relative_to(docs)))}">{escape(path.parts[-4])}</a></li>'
        for path in sorted(docs.glob("validations/*/*/*/*.html"))
    )
    sections = [
        ("Checks", check_table(checks)),
        ("Rows set aside", table(("table", "check", "rows", "for example"), set_aside) if broken else "<p>None.</p>"),
        ("Data Docs by table", f"<ul>{links}</ul>"),
    ]
    save(docs / "index.html", page(f"Validation of {snapshot.id}", lead, sections))
