"""The page on a window: what moved and what follows, then Evidently's charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from include.adapters.evidently_report import ColumnDrift, Drift, save_drift
from include.core.checks import Check
from include.core.clock import compact
from include.core.html import check_table, grid, head, table
from include.core.numbers import capital, write_number
from include.core.settings import Settings
from include.monitoring.drift import DriftFinding, tell_move


def report_drift(
    settings: Settings,
    window_end: datetime,
    version: int,
    finding: DriftFinding,
    others: Sequence[Drift],
    checks: Sequence[Check],
    reason: str | None,
) -> str | None:
    """Save the page and Evidently's JSON; return the page's path below the reports, None if nothing was compared.

    `reason` says why a retrain is requested, if it is.
    """
    drifts = [finding.drift, *others]
    if not any(drift.numbers for drift in drifts):
        return None
    path = Path("drift") / f"{compact(window_end)}-v{version}.html"
    since = window_end - timedelta(hours=settings.monitor_window_hours)
    facts = [
        ("Window", f"{since:%Y-%m-%d %H:%M} to {window_end:%Y-%m-%d %H:%M} UTC"),
        ("Champion", f"v{version}"),
        ("Reference", _tell_reference(finding.drift)),
        ("What follows", _tell_next(settings, finding, reason)),
    ]
    odd = [check for check in checks if check.outcome == "failed"]
    sections = [
        ("Conclusion", table(("", ""), facts)),
        ("What was compared", f"<ul>{''.join(f'<li>{escape(_compared(drift))}</li>' for drift in drifts)}</ul>"),
        *([("Features that differ from the champion's training", check_table(odd))] if odd else []),
        ("Columns", _columns(drifts)),
        (
            "Charts",
            "<p>Evidently's, in shares of the rows on either side. Its numbers are kept as "
            f'<a href="{path.stem}.json">JSON</a>.</p>',
        ),
    ]
    title = f"Drift up to {window_end:%Y-%m-%d %H:%M} UTC"
    save_drift(drifts, head(title, tell_moved(drifts), sections), settings.home / "reports" / path)
    return str(path)


def tell_moved(drifts: Sequence[Drift]) -> str:
    """Say in one sentence which columns moved beyond their limits, and what was not compared."""
    moved = [
        f"{drift.subject} ({', '.join(tell_move(column) for column in drift.moved)})" for drift in drifts if drift.moved
    ]
    left = ", ".join(drift.subject for drift in drifts if drift.note)
    told = f"Moved: {'; '.join(moved)}" if moved else "Nothing moved"
    return f"{told}; not compared: {left}." if left else f"{told}."


def _tell_reference(drift: Drift) -> str:
    if drift.note:
        return f"Reading was not compared: {drift.note}"
    return f"{drift.rows[1]:,} {drift.about[1]}; the window has {drift.rows[0]:,}"


def _tell_next(settings: Settings, finding: DriftFinding, reason: str | None) -> str:
    if reason:
        return f"A retrain is requested. {reason}"
    if not finding.is_drifted:
        return "No retrain is requested."
    return (
        f"No retrain is requested: that takes drift in {settings.drift_violations} of the last "
        f"{settings.drift_windows} windows and {settings.drift_cooldown_hours} h since the last request."
    )


def _compared(drift: Drift) -> str:
    if drift.note:
        return f"{drift.subject}: not compared. {capital(drift.note)}"
    (now, then), (rows, reference_rows) = drift.about, drift.rows
    told = f"{drift.subject}: {rows:,} {now} against {reference_rows:,} {then}"
    return f"{told}; {len(drift.moved)} of {len(drift.columns)} columns moved." if drift.columns else f"{told}."


def _columns(drifts: Sequence[Drift]) -> str:
    """Return a table of all columns that were compared, those nearest to their limits or beyond them first."""
    found = [(drift, column) for drift in drifts for column in drift.columns]
    found.sort(key=lambda one: -one[1].observed / one[1].limit)
    return grid(("Column", "Distance and limit", "Missing, in the reference"), "".join(_row(*one) for one in found))


def _row(drift: Drift, column: ColumnDrift) -> str:
    name = f"{drift.subject}.{column.column}".replace("_", "_<wbr>").replace(".", ".<wbr>")
    missing, missing_then = (write_number(share, "share") for share in drift.missing[column.column])
    tone = "failed" if column.is_drifted else "passed"
    return (
        f'<tr><td>{name}</td><td class="{tone}">{column.observed:.3f} of {column.limit:g}</td>'
        f"<td>{missing}, {missing_then}</td></tr>"
    )
