"""Drift: compare the reading of a window with the reading that the champion was trained on.

`trigger.py` decides when drift of reading is a reason to retrain. Lists and features are compared by their own rooms;
what Evidently measures on them is kept here as well, but asks for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import duckdb
import pandas as pd
import pyarrow as pa

from include.adapters import duck
from include.adapters.evidently_report import ColumnDrift, Drift, Samples, measure_drift
from include.adapters.warehouse import Connection, query
from include.core.numbers import write_number
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables, read_kind_of

NUMERIC = {"dwell_seconds_log": 0.15, "article_age_hours_log": 0.25, "word_count": 0.15, "familiarity": 0.25}
CATEGORICAL = {"category": 0.15, "publisher": 0.2, "region": 0.15}
SUBJECT = "reading"


@dataclass(frozen=True)
class DriftFinding:
    """The result for a window: Evidently's numbers on reading, whether the window drifted, and one sentence."""

    drift: Drift
    is_drifted: bool
    sentence: str

    @property
    def columns(self) -> tuple[ColumnDrift, ...]:
        """Return the columns that were compared."""
        return self.drift.columns


def find_drift(settings: Settings, window: Snapshot, trained_on: Snapshot) -> DriftFinding:
    """Compare the window's reading with the later half of the champion's training window."""
    read_kind = read_kind_of(settings, trained_on)
    half = (trained_on.as_of - trained_on.window_start) / 2
    middle = trained_on.window_start + half
    # habits end before the reads that are compared with them begin, and span the same time on both sides
    known_until = min(trained_on.as_of, window.window_start)
    with open_snapshot_tables(settings, trained_on) as connection:
        habits = _habits(connection, read_kind, known_until - half, known_until)
        earlier = _habits(connection, read_kind, middle - half, middle)
        reference = _sample(connection, read_kind, middle, settings.drift_sample_rows, earlier)
    with open_snapshot_tables(settings, window) as connection:
        current = _sample(connection, read_kind, window.window_start, settings.drift_sample_rows, habits)
    if min(len(current), len(reference)) < settings.drift_min_rows:
        told = (
            f"the window has {len(current):,} reads and the reference {len(reference):,}; "
            f"{settings.drift_min_rows:,} are needed."
        )
        return DriftFinding(Drift(SUBJECT, told), False, f"Drift was not measured: {told}")
    about = (
        "reads of the window",
        f"reads of {middle:%Y-%m-%d %H:%M} to {trained_on.as_of:%Y-%m-%d %H:%M} UTC, which the champion was trained on",
    )
    drift = measure_drift(Samples(SUBJECT, about, current, reference, NUMERIC, CATEGORICAL), settings.drift_min_rows)
    share = len(drift.moved) / len(drift.columns)
    told = ", ".join(tell_move(column) for column in drift.moved)
    return DriftFinding(
        drift,
        share >= settings.drift_share,
        f"{len(drift.moved)} of {len(drift.columns)} watched columns drifted{f' ({told})' if told else ''}; "
        f"the limit is {write_number(settings.drift_share, 'share')}.",
    )


def tell_move(column: ColumnDrift) -> str:
    """Say how far a column moved beyond its limit, in as many digits as show the difference."""
    return f"{column.column} {column.observed:.3f} > {column.limit:g}"


def keep_drift(
    warehouse: Connection,
    window_end: datetime,
    model_version: int,
    finding: DriftFinding,
    limit_share: float,
    others: Sequence[Drift] = (),
) -> None:
    """Save the finding in `ops.drift`: a row per column of reading, and one, `window`, for the whole.

    The columns of `others` get rows named after their subject; they do not count for the whole.
    """
    where = {"window_end": window_end, "model_version": model_version}
    named = [(column.column, column) for column in finding.columns]
    named += [(f"{other.subject}.{column.column}", column) for other in others for column in other.columns]
    rows = [
        {
            **where,
            "subject": name,
            "method": column.method,
            "observed": column.observed,
            "limit_is": column.limit,
            "is_drifted": column.is_drifted,
        }
        for name, column in named
    ]
    drifted = len(finding.drift.moved)
    whole = {"subject": "window", "method": "share of columns", "is_drifted": finding.is_drifted}
    share = drifted / len(finding.columns) if finding.columns else 0.0
    rows.append({**where, **whole, "observed": share, "limit_is": limit_share})
    with warehouse.cursor() as cursor:
        cursor.executemany(query("monitoring/keep_drift"), rows)


def _habits(connection: duckdb.DuckDBPyConnection, read_kind: str, since: datetime, until: datetime) -> pa.Table:
    return duck.fetch(
        connection, duck.query("monitoring/habits"), {"read_kind": read_kind, "since": since, "until": until}
    )


def _sample(
    connection: duckdb.DuckDBPyConnection, read_kind: str, since: datetime, rows: int, habits: pa.Table
) -> pd.DataFrame:
    connection.register("habits", habits)
    limits = {"read_kind": read_kind, "since": since, "sample_rows": rows}
    return cast(pd.DataFrame, duck.fetch(connection, duck.query("monitoring/reading"), limits).to_pandas())
