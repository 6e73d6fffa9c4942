"""Drift: compare the reading of a window with the reading that the champion was trained on.

`trigger.py` decides when drift is a reason to retrain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa

from include.adapters import duck
from include.adapters.evidently_report import ColumnDrift, measure_drift
from include.adapters.warehouse import Connection, query
from include.core.numbers import write_number
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables, read_kind_of

NUMERIC = {"dwell_seconds_log": 0.15, "article_age_hours_log": 0.25, "word_count": 0.15, "familiarity": 0.25}
CATEGORICAL = {"category": 0.15, "publisher": 0.2, "region": 0.15}
MOST_NAMES = 20  # rarer names count as "other", because thousands of names always look drifted
OTHER = "other"


@dataclass(frozen=True)
class DriftFinding:
    """The result for a window: every column, whether the window drifted, and one sentence."""

    columns: tuple[ColumnDrift, ...]
    is_drifted: bool
    sentence: str


def find_drift(settings: Settings, window: Snapshot, trained_on: Snapshot, html: Path) -> DriftFinding:
    """Compare the window's reading with the later half of the champion's training window; save the page to `html`."""
    read_kind = read_kind_of(settings, trained_on)
    half = (trained_on.as_of - trained_on.window_start) / 2
    middle = trained_on.window_start + half
    # habits end before the reads that are compared with them begin, and span the same time on both sides
    known_until = min(trained_on.as_of, window.window_start)
    current = _sample(
        settings,
        window,
        read_kind,
        window.window_start,
        _habits(settings, trained_on, read_kind, known_until - half, known_until),
    )
    reference = _sample(
        settings, trained_on, read_kind, middle, _habits(settings, trained_on, read_kind, middle - half, middle)
    )
    if min(len(current), len(reference)) < settings.drift_min_rows:
        return DriftFinding(
            (),
            False,
            f"Drift was not measured: the window has {len(current):,} reads and the reference {len(reference):,}; "
            f"{settings.drift_min_rows:,} are needed.",
        )
    for name in CATEGORICAL:
        common = set(reference[name].value_counts().index[:MOST_NAMES])
        for frame in (current, reference):
            frame[name] = frame[name].where(frame[name].isin(common), OTHER)
    numeric = {  # a column that the publisher leaves empty cannot drift
        name: limit
        for name, limit in NUMERIC.items()
        if min(current[name].count(), reference[name].count()) >= settings.drift_min_rows
    }
    columns = measure_drift(current, reference, numeric, CATEGORICAL, html)
    drifted = [column for column in columns if column.is_drifted]
    share = len(drifted) / len(columns)
    told = ", ".join(f"{column.column} {column.observed:.2f} > {column.limit:g}" for column in drifted)
    return DriftFinding(
        tuple(columns),
        share >= settings.drift_share,
        f"{len(drifted)} of {len(columns)} watched columns drifted{f' ({told})' if told else ''}; "
        f"the limit is {write_number(settings.drift_share, 'share')}.",
    )


def keep_drift(
    warehouse: Connection, window_end: datetime, model_version: int, finding: DriftFinding, limit_share: float
) -> None:
    """Save the finding in `ops.drift`: a row per column, and one, `window`, for the whole."""
    where = {"window_end": window_end, "model_version": model_version}
    rows = [
        {
            **where,
            "subject": column.column,
            "method": column.method,
            "observed": column.observed,
            "limit_is": column.limit,
            "is_drifted": column.is_drifted,
        }
        for column in finding.columns
    ]
    drifted = sum(column.is_drifted for column in finding.columns)
    whole = {"subject": "window", "method": "share of columns", "is_drifted": finding.is_drifted}
    share = drifted / len(finding.columns) if finding.columns else 0.0
    rows.append({**where, **whole, "observed": share, "limit_is": limit_share})
    with warehouse.cursor() as cursor:
        cursor.executemany(query("monitoring/keep_drift"), rows)


def _habits(settings: Settings, snapshot: Snapshot, read_kind: str, since: datetime, until: datetime) -> pa.Table:
    with open_snapshot_tables(settings, snapshot) as connection:
        return duck.fetch(
            connection, duck.query("monitoring/habits"), {"read_kind": read_kind, "since": since, "until": until}
        )


def _sample(settings: Settings, snapshot: Snapshot, read_kind: str, since: datetime, habits: pa.Table) -> pd.DataFrame:
    with open_snapshot_tables(settings, snapshot) as connection:
        connection.register("habits", habits)
        limits = {"read_kind": read_kind, "since": since, "sample_rows": settings.drift_sample_rows}
        return cast(pd.DataFrame, duck.fetch(connection, duck.query("monitoring/reading"), limits).to_pandas())
