"""Drift: hold a window against what is usual for it, and let Evidently draw its reading beside the training's.

Our own rule (`usual.py`) decides what moved; Evidently's distances have no limit here. Lists and features are compared
by their own rooms; what Evidently measures on them is kept here as well, but asks for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pandas as pd

from include.adapters import duck
from include.adapters.evidently_report import Drift, Samples, measure_drift
from include.adapters.warehouse import Connection, query
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables, read_kind_of
from include.monitoring.measures import DAY, Measure, measure_days, measure_window
from include.monitoring.sentences import kind_of, tell_all
from include.monitoring.usual import Finding, judge

NUMERIC = dict.fromkeys(("dwell_seconds_log", "article_age_hours_log", "word_count"))
CATEGORICAL = dict.fromkeys(("category", "publisher", "region"))
SUBJECT = "reading"
QUALITY = "lists.seconds_per_article"
QUALITY_DAYS = 28


@dataclass(frozen=True)
class DriftFinding:
    """The result for a window: a finding for every column, furthest from usual first, and Evidently's picture."""

    findings: tuple[Finding, ...]
    drift: Drift

    @property
    def is_drifted(self) -> bool:
        """Return whether anything moved."""
        return any(one.moved for one in self.findings)

    @property
    def sentence(self) -> str:
        """Return what moved."""
        return tell_all(self.findings)


def find_drift(
    settings: Settings,
    window: Snapshot,
    trained_on: Snapshot,
    quality: Sequence[Measure] = (),
    quality_before: Sequence[Sequence[Measure]] = (),
) -> DriftFinding:
    """Hold the window, with its rows as they came, against the days of the champion's training.

    Broken rows stay in: a publisher who sends milliseconds would otherwise leave nothing to be seen. `quality` is held
    against that of the windows before.
    """
    days = measure_days(settings, trained_on, window.as_of)
    found = judge(settings, [*measure_window(settings, window, trained_on), *quality], [*days, *quality_before])
    return DriftFinding(tuple(found), _draw(settings, window, trained_on))


def measure_quality(realised: Sequence[Mapping[str, Any]]) -> list[Measure]:
    """Return the reading time per article shown on the lists of all versions; empty if none was shown."""
    rows = [row for row in realised if row["slice"] == "all" and row["model_version"] is not None]
    return _quality(sum(row["impressions"] for row in rows), sum(row["read_seconds"] for row in rows))


def find_quality_before(settings: Settings, warehouse: Connection, window_end: datetime) -> list[list[Measure]]:
    """Return the same of the windows that ended at this hour on the days before, oldest first."""
    hours = settings.monitor_window_hours
    apart = -(-timedelta(hours=hours) // DAY)
    ends = [window_end - DAY * number for number in range(apart, QUALITY_DAYS + 1, apart)]
    values = {"window_hours": hours, "window_ends": ends, "column": QUALITY}
    return [_quality(*row) for row in warehouse.execute(query("monitoring/quality_before"), values).fetchall()]


def _quality(impressions: int, read_seconds: float) -> list[Measure]:
    return [Measure(QUALITY, "", read_seconds / impressions, impressions)] if impressions else []


def _draw(settings: Settings, window: Snapshot, trained_on: Snapshot) -> Drift:
    read_kind = read_kind_of(settings, trained_on)
    current, reference = (_sample(settings, snapshot, read_kind) for snapshot in (window, trained_on))
    if (fewest := min(len(current), len(reference))) < settings.drift_min_rows:
        return Drift(SUBJECT, f"one side has {fewest:,} reads; {settings.drift_min_rows:,} are needed.")
    trained = f"{trained_on.window_start:%Y-%m-%d %H:%M} to {trained_on.as_of:%Y-%m-%d %H:%M} UTC"
    about = ("reads of the window", f"reads of {trained}, which the champion was trained on")
    return measure_drift(Samples(SUBJECT, about, current, reference, NUMERIC, CATEGORICAL), settings.drift_min_rows)


def _sample(settings: Settings, snapshot: Snapshot, read_kind: str) -> pd.DataFrame:
    limits = {
        "read_kind": read_kind,
        "since": snapshot.window_start,
        "until": snapshot.as_of,
        "sample_rows": settings.drift_sample_rows,
    }
    with open_snapshot_tables(settings, snapshot) as connection:
        return cast(pd.DataFrame, duck.fetch(connection, duck.query("monitoring/reading"), limits).to_pandas())


def keep_drift(
    warehouse: Connection,
    window_end: datetime,
    model_version: int,
    finding: DriftFinding,
    others: Sequence[Drift] = (),
) -> None:
    """Save the finding in `ops.drift`: a row per column, by its name furthest from usual, and one for the `window`.

    The columns of `others` get rows named after their subject; they do not count for the window.
    """
    where = {"window_end": window_end, "model_version": model_version}
    rows = [_as_row(one) for one in finding.findings if one.places]
    moved = sum(bool(one.moved) for one in finding.findings)
    rows.append(_row("window", "columns that moved", float(moved), 0.0, is_drifted=finding.is_drifted))
    rows += [
        _row(
            f"{other.subject}.{column.column}",
            column.method,
            column.observed,
            column.limit,
            is_drifted=column.is_drifted,
        )
        for other in others
        for column in other.columns
        if column.limit is not None
    ]
    with warehouse.cursor() as cursor:
        cursor.executemany(query("monitoring/keep_drift"), [{**row, **where} for row in rows])


def _as_row(finding: Finding) -> dict[str, Any]:
    place = finding.places[0]
    limit = place.high if place.value >= place.usual else place.low
    return {
        **_row(finding.column, kind_of(finding.column), place.value, limit, is_drifted=bool(finding.moved)),
        "name": place.name,
        "usual": place.usual,
        "row_count": finding.rows,
    }


def _row(subject: str, method: str, observed: float, limit: float, *, is_drifted: bool) -> dict[str, Any]:
    found = {"subject": subject, "method": method, "observed": observed, "limit_is": limit, "is_drifted": is_drifted}
    return {**found, "name": "", "usual": None, "row_count": None}
