"""Trends of figures and checks over the last runs, ordered by each run's `as_of`.

The wall clock plays no part: a new run of the same moment replaces the earlier one, and a backfill sees only what came
before its own moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from include.core.html import Drawn, folded, table
from include.core.numbers import write_figure


@dataclass(frozen=True)
class Series:
    """One figure at the last moments, oldest first, with a flag for each moment at which its check failed."""

    name: str
    moments: tuple[datetime, ...]
    values: tuple[float, ...]
    failed: tuple[bool, ...] = ()

    @property
    def moved(self) -> float:
        """Return the distance between the extremes, as a share of the largest absolute value."""
        most = max(abs(value) for value in self.values)
        return (max(self.values) - min(self.values)) / most if most else 0.0


Trend = tuple[list[Series], list[Series]]  # of figures, of checks
WIDTH, HEIGHT, EDGE = 220, 28, 4
SHOWN = 12


def trend_section(figures: Sequence[Series], checks: Sequence[Series]) -> str:
    """Return tables of sparklines as HTML without scripts; checks without recent failures are folded."""
    first = [series for number, series in enumerate(checks) if any(series.failed) or number < SHOWN]
    rest = checks[len(first) :]
    more = folded(f"{len(rest):,} more checks", _table(rest)) if rest else ""
    return f"{_table(figures)}<h3>Checks</h3>{_table(first)}{more}" if figures or checks else "<p>No runs yet.</p>"


def _table(rows: Sequence[Series]) -> str:
    return table(
        ("", "Last runs", "Now", "Runs", "Failed"),
        [
            (
                series.name,
                Drawn(sparkline(series)),
                float(series.values[-1]),
                len(series.values),
                sum(series.failed) or "",
            )
            for series in rows
        ],
    )


def sparkline(series: Series) -> str:
    """Return the series as an SVG line, with a red dot where the check failed and a dark one at the end."""
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
    told = f"{begin} to {end} UTC: {write_figure(low)} to {write_figure(high)}"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img"><title>{escape(told)}</title>'
        f'<polyline points="{path}" fill="none" stroke="#3b6ea8" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="#1c2733"/>{dots}</svg>'
    )
