"""Trend: how figures and checks went over the last runs, by the moments they work as of.

The wall clock has no say: a run of the same moment takes the place of the one before, and a backfill sees what came
before its own moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from include.core.html import grid


@dataclass(frozen=True)
class Series:
    """One figure over the last moments, oldest first, and at which of them its check failed."""

    name: str
    moments: tuple[datetime, ...]
    values: tuple[float, ...]
    failed: tuple[bool, ...] = ()

    @property
    def moved(self) -> float:
        """By how much of its largest value it moved in all."""
        most = max(abs(value) for value in self.values)
        return (max(self.values) - min(self.values)) / most if most else 0.0


Trend = tuple[list[Series], list[Series]]  # of figures, of checks
WIDTH, HEIGHT, EDGE = 220, 28, 4
SHOWN = 12


def trend_section(figures: Sequence[Series], checks: Sequence[Series]) -> str:
    """Tables of drawings, without script; what did not fail of late is folded away."""
    first = [series for number, series in enumerate(checks) if any(series.failed) or number < SHOWN]
    rest = checks[len(first) :]
    folded = f"<details><summary>{len(rest)} more checks</summary>{_table(rest)}</details>" if rest else ""
    return f"{_table(figures)}<h3>Checks</h3>{_table(first)}{folded}" if figures or checks else "<p>No runs yet.</p>"


def _table(rows: Sequence[Series]) -> str:
    body = "".join(
        f"<tr><td>{escape(series.name)}</td><td>{sparkline(series)}</td>"
        f'<td class="number">{_number(series.values[-1])}</td><td class="number">{len(series.values)}</td>'
        f"<td>{_failures(series)}</td></tr>"
        for series in rows
    )
    return grid(("", "last runs", "now", "runs", "failed"), body)


def _failures(series: Series) -> str:
    count = sum(series.failed)
    return f'<span class="failed">{count}</span>' if count else ""


def sparkline(series: Series) -> str:
    """The series as a line from its least to its most; a red dot where the check failed, a dark one at the end."""
    low, high = min(series.values), max(series.values)
    step = (WIDTH - 2 * EDGE) / max(1, len(series.values) - 1)
    points = [
        (EDGE + number * step, HEIGHT / 2 if high == low else HEIGHT - EDGE - (value - low) / (high - low) * 20)
        for number, value in enumerate(series.values)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#b3261e"/>'
        for (x, y), failed in zip(points, series.failed or [False] * len(points), strict=True)
        if failed
    )
    x, y = points[-1]
    begin, end = (f"{moment:%Y-%m-%d %H:%M}" for moment in (series.moments[0], series.moments[-1]))
    told = f"{begin} to {end} UTC: {_number(low)} to {_number(high)}"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img"><title>{escape(told)}</title>'
        f'<polyline points="{path}" fill="none" stroke="#3b6ea8" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="#1c2733"/>{dots}</svg>'
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"
