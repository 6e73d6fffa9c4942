"""Differences with their intervals, drawn on one axis that holds all of them and zero."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from include.core.html import Tone, render
from include.core.numbers import write_count, write_number
from include.judging.bootstrap import Gap

STEPS = (1, 2, 2.5, 5, 10, 20)
MOST_TICKS = 5


@dataclass(frozen=True)
class Range:
    """A difference as drawn: its places along the axis in percent; a place of None is not comparable."""

    name: str
    told: str
    place: float | None = None
    low: float = 0.0
    width: float = 0.0
    tone: Tone = ""
    word: str = ""
    numbers: str = ""


@dataclass(frozen=True)
class Ranges:
    """Differences on one axis: the place of zero and of a limit in percent, and each tick with its words."""

    rows: tuple[Range, ...]
    zero: float
    limit: float | None
    limit_words: str
    ticks: tuple[tuple[float, str], ...]


def draw_intervals(
    rows: Sequence[tuple[str, Gap]], few: Collection[str] = (), limit: float | None = None, limit_words: str = ""
) -> str:
    """Draw each named difference as a dot with its interval, labelled better, worse, or may be chance.

    `limit` is drawn as a dashed line and told by `limit_words`.
    """
    placed = place_intervals(rows, few, limit, limit_words)
    return render("ranges.html", **vars(placed)) if placed else "<p>There is nothing to compare.</p>"


def place_intervals(
    rows: Sequence[tuple[str, Gap]], few: Collection[str] = (), limit: float | None = None, limit_words: str = ""
) -> Ranges | None:
    """Place the differences on an axis; None if none of them can be compared.

    Names in `few` (too few readers) and differences without a finite interval are labelled not comparable.
    """
    apart = {name for name, gap in rows if name in few or not (math.isfinite(gap.low) and math.isfinite(gap.high))}
    drawn = [gap for name, gap in rows if name not in apart]
    if not drawn:
        return None
    marks = [0.0] if limit is None else [0.0, limit]
    ticks = find_ticks(min(*marks, *(gap.low for gap in drawn)), max(*marks, *(gap.high for gap in drawn), 0.0))
    first, whole = ticks[0], ticks[-1] - ticks[0]

    def at(value: float) -> float:
        return round(100 * (value - first) / whole, 2)

    return Ranges(
        tuple(
            Range(name, write_count(gap.readers, "reader"))
            if name in apart
            else _range(name, gap, at(gap.mean), at(gap.low), at(gap.high))
            for name, gap in rows
        ),
        at(0.0),
        None if limit is None else at(limit),
        limit_words,
        tuple((at(tick), f"{tick:+.12g}" if tick else "0") for tick in ticks),
    )


def _range(name: str, gap: Gap, place: float, low: float, high: float) -> Range:
    tone: Tone = "good" if gap.low > 0 else "bad" if gap.high < 0 else ""
    word = {"good": "better", "bad": "worse"}.get(tone, "may be chance")
    mean, lowest, highest = (write_number(value, "gain") for value in (gap.mean, gap.low, gap.high))
    numbers = f"{mean} ({lowest} to {highest})"
    return Range(name, f"{numbers}, {gap.readers:,} readers", place, low, round(high - low, 2), tone, word, numbers)


def find_ticks(low: float, high: float) -> list[float]:
    """Return few round numbers in equal steps, the first at most `low` and the last at least `high`."""
    reach = (high - low) or 1.0
    size = 10.0 ** math.floor(math.log10(reach / MOST_TICKS))
    step = next(size * step for step in STEPS if reach / (size * step) <= MOST_TICKS - 1)
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(start, max(end, start + 1) + 1)]
