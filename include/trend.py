"""Trend: how figures and checks went over the last runs, by the moments they work as of.

The wall clock has no say: a run of the same moment takes the place of the one before, and a backfill sees what came
before its own moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.adapters.warehouse import connect, query
from include.checks import Check
from include.settings import Settings

RUNS = 30
MOST_FIGURES = 20
TOLD = {"mean": "mean", "null_share": "share missing"}


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


def recall(settings: Settings, as_of: datetime, checks: Iterable[Check]) -> Trend:
    """Of validations: the figures that moved most, rows first, and every check with a number."""
    with connect(settings) as warehouse:
        figures = warehouse.execute(query("history/trend_figures"), {"as_of": as_of, "runs": RUNS}).fetchall()
    return _figures(figures), recall_checks(settings, as_of, ["validate"], checks)


def recall_checks(settings: Settings, as_of: datetime, stages: list[str], checks: Iterable[Check]) -> list[Series]:
    """Every check with a number that these stages made, now and before; those that failed lately first."""
    asked = {"as_of": as_of, "runs": RUNS - 1, "stages": stages}
    with connect(settings) as warehouse:
        earlier = warehouse.execute(query("history/trend_checks"), asked).fetchall()
    now = [(check.code, check.subject, as_of, check.observed, check.outcome) for check in checks]
    return _checks([*earlier, *now])


def _figures(rows: Sequence[tuple[str, str, str, datetime, float]]) -> list[Series]:
    points: dict[str, list[tuple[datetime, float]]] = {}
    for table, column, measure, moment, value in rows:
        name = f"{table}: rows in 24 hours" if measure == "rows" else f"{table}.{column}: {TOLD[measure]}"
        points.setdefault(name, []).append((moment, value))
    found = [_series(name, of_name) for name, of_name in points.items()]
    counts = [series for series in found if series.name.endswith("rows in 24 hours")]
    others = [series for series in found if series not in counts and max(series.values) > 0]
    return counts + sorted(others, key=lambda one: (-one.moved, one.name))[:MOST_FIGURES]


def _checks(rows: Sequence[tuple[str, str, datetime, float | None, str]]) -> list[Series]:
    points: dict[str, list[tuple[datetime, float]]] = {}
    failed: dict[str, list[bool]] = {}
    for code, subject, moment, observed, outcome in rows:
        if observed is None:
            continue
        points.setdefault(f"{code} {subject}", []).append((moment, observed))
        failed.setdefault(f"{code} {subject}", []).append(outcome == "failed")
    found = [_series(name, of_name, failed[name]) for name, of_name in points.items()]
    return sorted(found, key=lambda one: (-sum(one.failed), one.name))


def _series(name: str, points: Sequence[tuple[datetime, float]], failed: Sequence[bool] = ()) -> Series:
    return Series(name, tuple(moment for moment, _ in points), tuple(value for _, value in points), tuple(failed))
