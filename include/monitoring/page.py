"""The page on a window: what moved and what follows, drawn beside what is usual, all else folded, then charts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from include.adapters.evidently_report import Drift, save_drift
from include.core.about import find_links
from include.core.checks import Check
from include.core.clock import compact
from include.core.html import Value, folded, head, render, table, tell_failed
from include.core.numbers import capital, write_count, write_number
from include.core.settings import Settings
from include.judging.intervals import Range
from include.monitoring.drift import DriftFinding
from include.monitoring.sentences import LABELS, tell, write_place
from include.monitoring.trigger import Answer
from include.monitoring.usual import WINDOWS_PER_MONTH, Finding, Place

# How far an axis goes, in parts of what is ordinary, with a margin; what lies beyond is drawn at its end.
LEAST_REACH, MOST_REACH, MARGIN = 1.5, 6.0, 1.05


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
    facts: list[tuple[str, Value]] = [
        ("Window", f"{since:%Y-%m-%d %H:%M} to {window_end:%Y-%m-%d %H:%M} UTC"),
        ("Champion", f"v{version}"),
        ("Usual", _tell_usual(settings, judged)),
    ]
    moved = [one for one in judged if one.moved]
    odd = [check for check in checks if check.outcome == "failed"]
    sections = [
        *([("What moved, beside ordinary windows", _draw(moved))] if moved else []),
        *([("Features that differ from the champion's training", tell_failed(odd))] if odd else []),
        ("Details", _details(finding.findings, drifts)),
        (
            "Charts",
            "<p>Evidently's, in shares of the rows on either side. Its numbers are kept as "
            f'<a href="{path.stem}.json">JSON</a>.</p>',
        ),
    ]
    title = f"Drift up to {window_end:%Y-%m-%d %H:%M} UTC"
    opening = head(
        title,
        _conclude(finding, moved, judged),
        sections,
        tone="ask" if moved else "good" if judged else "",
        more=[*(capital(f"{tell(one)}.") for one in moved), answer.sentence],
        facts=facts,
        links=find_links(settings, {"Model card": f"cards/v{version}.html"}),
    )
    save_drift(drifts, title, opening, settings.home / "reports" / path)
    return str(path)


def _conclude(finding: DriftFinding, moved: Sequence[Finding], judged: Sequence[Finding]) -> str:
    if not moved:
        return finding.sentence
    return f"{len(moved)} of {write_count(len(judged), 'watched column')} moved beyond ordinary windows."


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


def _draw(findings: Sequence[Finding]) -> str:
    """Draw each column's name furthest from usual beside the range of ordinary windows, all ranges equally wide."""
    places = [(one, place) for one in findings for place in (one.moved or one.places[:1])]
    whole = MARGIN * min(max(LEAST_REACH, *(place.reach for _, place in places)), MOST_REACH)

    def at(reach: float) -> float:
        return round(50 + 50 * min(max(reach, -MOST_REACH), MOST_REACH) / whole, 2)

    rows = [_place(one, place, at) for one, place in places]
    ticks = [(0, ""), (at(0), "usual"), (100, "")]
    drawn = render("ranges.html", rows=rows, zero=at(0), limit=None, limit_words="", ticks=ticks)
    return f'{drawn}<p class="legend">The line is what ordinary windows show, the dot is this window.</p>'


def _place(finding: Finding, place: Place, at: Callable[[float], float]) -> Range:
    value, usual, low, high = write_place(finding.column, place)
    is_moved = place in finding.moved
    return Range(
        capital(LABELS[finding.column].format(name=place.name)),
        f"{usual} usually, {value} in this window; ordinary windows: {low} to {high}",
        at(math.copysign(place.reach, place.value - place.usual)),
        at(-1),
        round(at(1) - at(-1), 2),
        "bad" if is_moved else "",
        "moved" if is_moved else "ordinary",
        f"{usual} → {value} ({low} to {high})",
    )


def _details(findings: Sequence[Finding], drifts: Sequence[Drift]) -> str:
    """Return what did not move, what was not judged, and what Evidently compares, each folded away."""
    still = [one for one in findings if one.places and not one.moved]
    left = [(capital(LABELS[one.column].format(name="").strip()), capital(one.note)) for one in findings if one.note]
    compared = table(("", ""), [_compared(drift) for drift in drifts])
    folds = [
        *([(f"{write_count(len(still), 'column')} as in ordinary windows", _draw(still))] if still else []),
        *([(f"{write_count(len(left), 'column')} not judged", table(("Column", "Why"), left))] if left else []),
        ("What Evidently compares", compared),
    ]
    return "".join(folded(summary, content) for summary, content in folds)


def _compared(drift: Drift) -> tuple[str, str]:
    if drift.note:
        return drift.subject, f"Not compared. {capital(drift.note)}"
    (now, then), (rows, reference_rows) = drift.about, drift.rows
    told = f"{rows:,} {now} against {reference_rows:,} {then}"
    moved = ", ".join(f"{column.column} {column.observed:.3f} > {column.limit:g}" for column in drift.moved)
    limited = [column for column in drift.columns if column.limit is not None]
    if not limited:
        return drift.subject, f"{told}."
    beyond = f"{len(drift.moved)} of {write_count(len(limited), 'column')} beyond their limits"
    return drift.subject, f"{told}; {beyond}{f' ({moved})' if moved else ''}."
