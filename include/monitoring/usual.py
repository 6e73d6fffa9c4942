"""Usual: what a window of this size and hour shows when nothing has changed, and what lies beyond it.

Belongs here: one pure function, from the measures of a window and of ordinary days to a finding for each column. It
learns from whole days and never from single rows, because the rows of a day are not independent: many belong to one
story, one reader or one weekday. The spread from day to day holds all of that, and days as alike as these would leave
the limits as often as the setting allows, for all columns, names and hourly windows of a month together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from include.core.settings import Settings
from include.monitoring.measures import Measure

WINDOWS_PER_MONTH = 720
FEWEST_DAYS = 4
FEWEST_ARTICLES = 100
LEAST_ORDINARY_SHARE = 0.75  # of the days; with fewer left, their differences are what is usual
MOST_NAMES = 50  # rarer names count as "other", because one of thousands always looks odd
OTHER = "other"
# However alike the days were, a smaller spread than this is not learnt from them: it would alarm at trifles.
LEAST_SPREADS = {"reads.familiarity": 0.005}
LEAST_OF_NUMBERS, LEAST_OF_SHARES = 0.02, 0.01
FALLS = ("lists.seconds_per_article",)  # a rise of these is good news

Array = NDArray[np.float64]
Values = Mapping[str, Measure]


@dataclass(frozen=True)
class Place:
    """The place of a number among ordinary days; `reach` is its distance from usual in parts of what is allowed."""

    name: str
    value: float
    usual: float
    low: float
    high: float
    reach: float


@dataclass(frozen=True)
class Finding:
    """A column beside its ordinary days, the names furthest from usual first; `note` says why it was not judged."""

    column: str
    rows: int
    days: int
    places: tuple[Place, ...] = ()
    note: str = ""

    @property
    def moved(self) -> tuple[Place, ...]:
        """Return the places beyond what is usual."""
        return tuple(place for place in self.places if place.reach > 1)


def judge(settings: Settings, window: Sequence[Measure], days: Sequence[Sequence[Measure]]) -> list[Finding]:
    """Return a finding for every column, those furthest from usual first."""
    columns = sorted({measure.column for measures in (window, *days) for measure in measures})
    chance = settings.drift_false_alarms_per_month / (WINDOWS_PER_MONTH * max(1, len(columns)))
    found = [_judge_column(settings, column, chance, window, days) for column in columns]
    return sorted(found, key=lambda one: (-max((place.reach for place in one.places), default=-1), one.column))


def _judge_column(
    settings: Settings, column: str, chance: float, window: Sequence[Measure], days: Sequence[Sequence[Measure]]
) -> Finding:
    needed = FEWEST_ARTICLES if column.startswith("news.") else settings.drift_min_rows
    now = _of_column(window, column)
    then = [values for day in days if _rows(values := _of_column(day, column)) >= needed]
    rows = _rows(now)
    if rows < needed:
        told = f"the window has {rows:,} values; {needed:,} are needed."
        return Finding(column, rows, len(then), note=told)
    if len(then) < FEWEST_DAYS:
        told = f"{len(then)} ordinary days have {needed:,} values; {FEWEST_DAYS} days are needed."
        return Finding(column, rows, len(then), note=told)
    names = _commonest([now, *then])
    if len(names) == 1 and names != [""]:
        return Finding(column, rows, len(then), note="all rows have the same name.")
    return Finding(column, rows, len(then), _place(column, chance, names, now, then))


def _of_column(measures: Sequence[Measure], column: str) -> Values:
    return {one.name: one for one in measures if one.column == column}


def _rows(values: Values) -> int:
    return max((one.rows for one in values.values()), default=0)


def _place(column: str, chance: float, names: Sequence[str], now: Values, then: Sequence[Values]) -> tuple[Place, ...]:
    kind = _Kind(column, "" in now, chance)
    stretch, shrink = (_to_log, _from_log) if kind.is_number else (_to_angle, _from_angle)
    value = stretch(np.array(_numbers(now, names)))
    days = stretch(np.array([_numbers(values, names) for values in then]))
    rows = np.array([_rows(values) for values in then], dtype=np.float64)
    ordinary = _leave_out_odd_days(kind, days, rows)
    usual, allowed = _allow(kind, days[ordinary], rows[ordinary], _rows(now))
    distance = usual - value if column in FALLS else np.abs(value - usual)
    columns = (shrink(value), shrink(usual), shrink(usual - allowed), shrink(usual + allowed), distance / allowed)
    places = [Place(name, *map(float, numbers)) for name, *numbers in zip(names, *columns, strict=True)]
    # of two names that move against each other, the one that rose comes first
    return tuple(sorted(places, key=lambda place: (-round(place.reach, 9), place.value < place.usual, place.name)))


@dataclass(frozen=True)
class _Kind:
    column: str
    is_number: bool
    chance: float


def _leave_out_odd_days(kind: _Kind, days: Array, rows: Array) -> NDArray[np.bool_]:
    """Return which days are ordinary: a day that the others would call is not, as when a change began in training."""
    count = len(days)
    ordinary = np.ones(count, dtype=bool)
    if count <= FEWEST_DAYS:
        return ordinary
    for number in range(count):
        others = np.arange(count) != number
        usual, allowed = _allow(kind, days[others], rows[others], rows[number])
        ordinary[number] = bool((np.abs(days[number] - usual) <= allowed).all())
    return ordinary if ordinary.sum() >= max(FEWEST_DAYS, count * LEAST_ORDINARY_SHARE) else np.ones(count, dtype=bool)


def _allow(kind: _Kind, days: Array, rows: Array, rows_now: float) -> tuple[Array, Array]:
    """Return what is usual for each name, and how far a window of this many rows may be from it."""
    count, names = days.shape
    variance, freedom = days.var(axis=0, ddof=1), count - 1
    if names > 1:  # the names of a column vary alike, so each learns half of its spread from all of them
        variance, freedom = (variance + variance.mean()) / 2, 2 * freedom
    usual_rows = float(np.median(rows))
    least = LEAST_SPREADS.get(kind.column, LEAST_OF_NUMBERS if kind.is_number else LEAST_OF_SHARES) ** 2
    if not kind.is_number:
        least = max(least, 1 / (4 * usual_rows))  # independent rows vary as much as this
    smaller = max(1.0, usual_rows / rows_now)  # fewer rows vary more
    spread = np.sqrt(np.maximum(variance, least) * (smaller + 1 / count))
    return days.mean(axis=0), spread * _spreads_allowed(kind.chance / 2 / names, freedom)


@cache
def _spreads_allowed(chance: float, freedom: int) -> float:
    return float(stats.t.isf(chance, freedom))


def _commonest(sides: Sequence[Values]) -> list[str]:
    """Return the names with the largest shares of any window or day, and "other" if some are left."""
    largest: dict[str, float] = {}
    for values in sides:
        for name, one in values.items():
            largest[name] = max(one.value, largest.get(name, one.value))
    ranked = sorted(largest, key=lambda name: (-largest[name], name))
    return ranked if len(ranked) <= MOST_NAMES else [*ranked[:MOST_NAMES], OTHER]


def _numbers(values: Values, names: Sequence[str]) -> list[float]:
    found = [values[name].value if name in values else 0.0 for name in names]
    return [*found[:-1], max(0.0, 1.0 - sum(found[:-1]))] if names[-1] == OTHER else found


def _to_log(numbers: Array) -> Array:
    return np.log1p(np.maximum(numbers, 0.0))


def _from_log(logarithms: Array) -> Array:
    return np.expm1(logarithms)


def _to_angle(shares: Array) -> Array:
    """Return shares on a scale on which small and large ones vary alike."""
    return np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0)))


def _from_angle(angles: Array) -> Array:
    return np.sin(np.clip(angles, 0.0, np.pi / 2)) ** 2
