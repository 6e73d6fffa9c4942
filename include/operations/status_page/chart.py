"""Realised quality over time as a line from zero up, with the changes of the champion drawn in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

LEFT, RIGHT, TOP, BOTTOM = 44, 12, 40, 26
HEIGHT = 240
GAP = timedelta(hours=6)  # without a window for so long, the line is broken
STEPS = (1, 2, 2.5, 5, 10)
LABEL_WIDTH = 46


@dataclass(frozen=True)
class Change:
    """A change of the champion; `is_back` if it was a rollback."""

    at: datetime
    version: int
    is_back: bool


@dataclass(frozen=True)
class Tick:
    """A line of the grid with its words."""

    place: float
    words: str


@dataclass(frozen=True)
class Mark:
    """A change of the champion as drawn: its place, its label and on which of two rows the label stands."""

    place: float
    label: str
    told: str
    row: int
    anchor: Literal["start", "middle", "end"]
    is_back: bool


@dataclass(frozen=True)
class Drawing:
    """The chart at one width."""

    width: int
    path: str
    dots: tuple[tuple[float, float], ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM


@dataclass(frozen=True)
class Chart:
    """The chart for wide and for narrow screens, and what it shows in a sentence."""

    told: str
    unit: str
    drawings: tuple[Drawing, ...]


def draw(
    told: str, unit: str, points: Sequence[tuple[datetime, float]], changes: Sequence[Change], until: datetime
) -> Chart:
    """Return the chart of at least one point; changes before the first point are left out."""
    return Chart(told, unit, tuple(_draw(width, points, changes, until) for width in (960, 360)))


def _draw(width: int, points: Sequence[tuple[datetime, float]], changes: Sequence[Change], until: datetime) -> Drawing:
    since = points[0][0]
    whole = max((until - since).total_seconds(), 1.0)
    top = _round_up(max(value for _, value in points))
    right, bottom = width - RIGHT, HEIGHT - BOTTOM

    def x(moment: datetime) -> float:
        return round(LEFT + (right - LEFT) * (moment - since).total_seconds() / whole, 1)

    def y(value: float) -> float:
        return round(bottom - (bottom - TOP) * value / top, 1)

    lines: list[list[tuple[datetime, float]]] = []
    for moment, value in points:
        if not lines or moment - lines[-1][-1][0] > GAP:
            lines.append([])
        lines[-1].append((moment, value))
    path = " ".join(
        f"{'L' if number else 'M'}{x(moment)} {y(value)}"
        for line in lines
        for number, (moment, value) in enumerate(line)
    )
    dots = tuple((x(line[0][0]), y(line[0][1])) for line in lines if len(line) == 1)
    return Drawing(
        width,
        path,
        dots,
        _days(since, until, x, most=width // 90),
        tuple(Tick(y(top * part), f"{top * part:g}") for part in (0, 0.5, 1)),
        _marks([change for change in changes if since <= change.at <= until], x, right),
    )


def _round_up(value: float) -> float:
    """Return the least round number from the value up."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * step for step in STEPS if size * step >= value)


def _days(since: datetime, until: datetime, x: Callable[[datetime], float], most: int) -> tuple[Tick, ...]:
    days = [
        datetime.combine(since.date() + timedelta(days=number), time(), UTC)
        for number in range(1, (until.date() - since.date()).days + 1)
    ]
    every = math.ceil(len(days) / most) or 1
    return tuple(Tick(x(day), f"{day.day} {day:%b}") for day in days[::every])


def _marks(changes: Sequence[Change], x: Callable[[datetime], float], right: float) -> tuple[Mark, ...]:
    """Return the changes with labels on two rows; one that has room on neither is told by its line alone."""
    marks: list[Mark] = []
    ends = [-math.inf, -math.inf]
    for change in sorted(changes, key=lambda change: change.at):
        place = x(change.at)
        anchor: Literal["start", "middle", "end"] = (
            "start" if place < LEFT + LABEL_WIDTH / 2 else "end" if place > right - LABEL_WIDTH / 2 else "middle"
        )
        row = next((row for row, end in enumerate(ends) if place - end >= LABEL_WIDTH), None)
        label = "" if row is None else f"{'↩ ' if change.is_back else ''}v{change.version}"
        if row is not None:
            ends[row] = place
        verb = "rolled back to" if change.is_back else "promoted"
        told = f"{change.at:%Y-%m-%d %H:%M} UTC: {verb} v{change.version}"
        marks.append(Mark(place, label, told, row or 0, anchor, change.is_back))
    return tuple(marks)
