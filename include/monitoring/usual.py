"""Usual: what a window of this size and hour shows when nothing has changed, and what lies beyond it.

Belongs here: one pure function, from the measures of a window and of ordinary days to a finding for each column. It
learns from whole days and never from single rows, because the rows of a day are not independent: many belong to one
story, one reader or one weekday. The spread from day to day holds all of that, and days as alike as these would leave
the limits as often as the setting allows, for all columns, names and hourly windows of a month together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from include.core.settings import Settings
from include.monitoring.measures import Measure

WINDOWS_PER_MONTH = 720
FEWEST_DAYS = 4
FEWEST_ARTICLES = 100
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
    return Finding(column, rows, len(then), _place(column, chance, now, then))


def _of_column(measures: Sequence[Measure], column: str) -> Values:
    return {one.name: one for one in measures if one.column == column}


def _rows(values: Values) -> int:
    return max((one.rows for one in values.values()), default=0)


def _place(column: str, chance: float, now: Values, then: Sequence[Values]) -> tuple[Place, ...]:
    is_number = "" in now
    names = _commonest([now, *then])
    stretch, shrink = (_to_log, _from_log) if is_number else (_to_angle, _from_angle)
    value = stretch(np.array(_numbers(now, names)))
    days = stretch(np.array([_numbers(values, names) for values in then]))
    usual, variance, freedom = days.mean(axis=0), days.var(axis=0, ddof=1), len(then) - 1
    if len(names) > 1:  # the names of a column vary alike, so each learns half of its spread from all of them
        variance, freedom = (variance + variance.mean()) / 2, 2 * freedom
    usual_rows = float(np.median([_rows(values) for values in then]))
    least = LEAST_SPREADS.get(column, LEAST_OF_NUMBERS if is_number else LEAST_OF_SHARES) ** 2
    if not is_number:
        least = max(least, 1 / (4 * usual_rows))  # independent rows vary as much as this
    smaller = max(1.0, usual_rows / _rows(now))  # fewer rows vary more
    spread = np.sqrt(np.maximum(variance, least) * (smaller + 1 / len(then)))
    allowed = spread * stats.t.isf(chance / 2 / len(names), freedom)
    distance = usual - value if column in FALLS else np.abs(value - usual)
    columns = (shrink(value), shrink(usual), shrink(usual - allowed), shrink(usual + allowed), distance / allowed)
    places = [Place(name, *map(float, numbers)) for name, *numbers in zip(names, *columns, strict=True)]
    return tuple(sorted(places, key=lambda place: (-place.reach, place.name)))


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
