"""Intervals as a picture: one line per difference, zero in the middle, drawn as SVG without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from include.resampling import Gap

WIDTH, NAMES, ROW, MARGIN = 900, 260, 22, 20
GOOD, BAD, OPEN = "#117a3d", "#b3261e", "#56636f"


def interval_plot(rows: Sequence[tuple[str, Gap]]) -> str:
    """A dot with its interval per named difference; green lies above zero, red below, grey may be chance."""
    drawn = [(name, gap) for name, gap in rows if math.isfinite(gap.low) and math.isfinite(gap.high)]
    if not drawn:
        return "<p>There is nothing to compare.</p>"
    reach = max(max(abs(gap.low), abs(gap.high)) for _, gap in drawn) or 1.0
    middle, half = NAMES + (WIDTH - NAMES) / 2, (WIDTH - NAMES) / 2 - MARGIN

    def at(value: float) -> float:
        return round(middle + half * value / reach, 1)

    bottom = ROW * len(drawn) + MARGIN
    lines = [f'<line x1="{middle}" x2="{middle}" y1="4" y2="{bottom - MARGIN}" stroke="#9aa5b1"/>']
    for number, (name, gap) in enumerate(drawn):
        y = ROW * number + 14
        colour = GOOD if gap.low > 0 else BAD if gap.high < 0 else OPEN
        told = f"{name}: {gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}), {gap.readers:,} readers"
        lines.append(
            f"<g><title>{escape(told)}</title>"
            f'<text x="0" y="{y + 4}" fill="#1c2733">{escape(name)}</text>'
            f'<line x1="{at(gap.low)}" x2="{at(gap.high)}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
            f'<circle cx="{at(gap.mean)}" cy="{y}" r="4.5" fill="{colour}"/></g>'
        )
    scale = "".join(
        f'<text x="{at(value)}" y="{bottom}" text-anchor="middle" fill="#56636f">{value:+.3f}</text>'
        for value in (-reach, 0.0, reach)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {bottom + 6}" width="100%" role="img" font-size="13" '
        f'aria-label="Differences with intervals">{"".join(lines)}{scale}</svg>'
    )
