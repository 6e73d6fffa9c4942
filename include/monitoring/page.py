"""The page on a window: what moved and what follows, every column beside what is usual, and Evidently's charts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from include.adapters.evidently_report import Drift, save_drift
from include.core.checks import Check
from include.core.clock import compact
from include.core.html import check_table, grid, head, table
from include.core.numbers import capital, write_number
from include.core.settings import Settings
from include.monitoring.drift import DriftFinding
from include.monitoring.sentences import LABELS, write_place
from include.monitoring.trigger import Answer
from include.monitoring.usual import WINDOWS_PER_MONTH, Finding


def report_drift(
    settings: Settings,
    window_end: datetime,
    version: int,
    finding: DriftFinding,
    others: Sequence[Drift],
    checks: Sequence[Check],
    answer: Answer,
) -> str | None:
    """Save the page and Evidently's JSON; return the page's path below the reports, None if nothing was compared."""
    drifts = [finding.drift, *others]
    judged = [one for one in finding.findings if one.places]
    if not judged and not any(drift.numbers for drift in drifts):
        return None
    path = Path("drift") / f"{compact(window_end)}-v{version}.html"
    since = window_end - timedelta(hours=settings.monitor_window_hours)
    facts = [
        ("Window", f"{since:%Y-%m-%d %H:%M} to {window_end:%Y-%m-%d %H:%M} UTC"),
        ("Champion", f"v{version}"),
        ("Usual", _tell_usual(settings, judged)),
        ("What follows", answer.sentence),
    ]
    odd = [check for check in checks if check.outcome == "failed"]
    left = [
        f"<li>{escape(LABELS[one.column].format(name=''))}: {escape(one.note)}</li>"
        for one in finding.findings
        if one.note
    ]
    sections = [
        ("Conclusion", table(("", ""), facts)),
        *([("Features that differ from the champion's training", check_table(odd))] if odd else []),
        ("Every column beside its usual values", _columns(judged)),
        *([("Not judged", f"<ul>{''.join(left)}</ul>")] if left else []),
        ("What Evidently compares", f"<ul>{''.join(f'<li>{escape(_compared(drift))}</li>' for drift in drifts)}</ul>"),
        (
            "Charts",
            "<p>Evidently's, in shares of the rows on either side. Its numbers are kept as "
            f'<a href="{path.stem}.json">JSON</a>.</p>',
        ),
    ]
    title = f"Drift up to {window_end:%Y-%m-%d %H:%M} UTC"
    save_drift(
        drifts,
        head(title, tell_window(settings, window_end, version, finding, answer), sections),
        settings.home / "reports" / path,
    )
    return str(path)


def tell_window(settings: Settings, window_end: datetime, version: int, finding: DriftFinding, answer: Answer) -> str:
    """Return one sentence on the window and its champion, what moved, and whether a retrain is requested."""
    follows = "A retrain is requested." if answer.reason else "No retrain is requested."
    window = f"v{version}, {settings.monitor_window_hours} h up to {window_end:%Y-%m-%d %H:%M} UTC"
    return f"{window}: {finding.sentence} {follows}"


def _tell_usual(settings: Settings, judged: Sequence[Finding]) -> str:
    if not judged:
        return "Not known: too few rows or days of training."
    days = max(one.days for one in judged)
    per_window = settings.drift_false_alarms_per_month / WINDOWS_PER_MONTH
    return (
        f"The same hours of {days} days that the champion was trained on, as they vary from day to day. When nothing "
        f"has changed, {write_number(1 - per_window, 'share', apart_from=1.0)} of windows stay within them in all "
        f"columns: {settings.drift_false_alarms_per_month:g} false alarms a month."
    )


def _columns(judged: Sequence[Finding]) -> str:
    return grid(("Column", "Usual", "This window", "Ordinary windows"), "".join(_row(one) for one in judged))


def _row(finding: Finding) -> str:
    """Return the row of a column, by its name furthest from usual."""
    place = finding.places[0]
    value, usual, low, high = write_place(finding.column, place)
    tone = "failed" if finding.moved else "passed"
    return (
        f"<tr><td>{escape(capital(LABELS[finding.column].format(name=place.name)))}</td>"
        f'<td class="number">{usual}</td><td class="number {tone}">{value}</td><td>{low} to {high}</td></tr>'
    )


def _compared(drift: Drift) -> str:
    if drift.note:
        return f"{drift.subject}: not compared. {capital(drift.note)}"
    (now, then), (rows, reference_rows) = drift.about, drift.rows
    told = f"{drift.subject}: {rows:,} {now} against {reference_rows:,} {then}"
    moved = ", ".join(f"{column.column} {column.observed:.3f} > {column.limit:g}" for column in drift.moved)
    limited = [column for column in drift.columns if column.limit is not None]
    return (
        f"{told}; {len(drift.moved)} of {len(limited)} columns are beyond their limits{f' ({moved})' if moved else ''}."
        if limited
        else f"{told}."
    )
