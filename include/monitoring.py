"""Monitoring: how the lists do with readers, and whether reading has moved away from what the champion learnt.

Realised quality counts what readers did with our own lists, by the model version that made them. Drift compares the
reading of one window with the reading the champion was trained on. A retrain is asked for when enough of the last
windows drifted, the newest among them, and none was asked for lately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa

from include.adapters import duck
from include.adapters.evidently_report import ColumnDrift, measure_drift
from include.adapters.warehouse import Connection, query
from include.settings import Settings
from include.snapshot import Snapshot, find_read_kind, open_tables

NUMERIC = {"dwell_seconds_log": 0.15, "article_age_hours_log": 0.25, "word_count": 0.15, "familiarity": 0.25}
CATEGORICAL = {"category": 0.15, "publisher": 0.2, "region": 0.15}
MOST_NAMES = 20  # rarer names count as "other": thousands of names always look drifted
OTHER = "other"


@dataclass(frozen=True)
class DriftFinding:
    """What was found for a window: every column, whether the window drifted, and one sentence."""

    columns: tuple[ColumnDrift, ...]
    is_drifted: bool
    sentence: str


def measure_realised(
    settings: Settings, snapshot: Snapshot, batches: Sequence[tuple[str, int]], read_kind: str = "read"
) -> list[dict[str, Any]]:
    """Impressions, reads (events of `read_kind`) and seconds on our own lists, per model version and slice."""
    with open_tables(settings, snapshot) as connection:
        names, versions = [name for name, _ in batches], [version for _, version in batches]
        connection.register("batches", pa.table({"batch_id": pa.array(names, pa.string()), "model_version": versions}))
        return cast(
            list[dict[str, Any]],
            duck.fetch(connection, query("monitor/realised"), {"read_kind": read_kind}).to_pylist(),
        )


def read_kind_of(settings: Settings, trained_on: Snapshot) -> str:
    """Which events count as reads in the log that the champion learnt from, and so in every window after it."""
    with open_tables(settings, trained_on) as connection:
        return find_read_kind(connection)


def find_drift(settings: Settings, window: Snapshot, trained_on: Snapshot, html: Path) -> DriftFinding:
    """How far the window's reading is from the later half of what the champion learnt from; the page is `html`."""
    read_kind = read_kind_of(settings, trained_on)
    half = (trained_on.as_of - trained_on.window_start) / 2
    middle = trained_on.window_start + half
    # habits end before the reads that are held against them begin, and span the same time on both sides
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
            f"Not judged: {len(current):,} reads in the window and {len(reference):,} in the reference; "
            f"{settings.drift_min_rows:,} are needed.",
        )
    for name in CATEGORICAL:
        common = set(reference[name].value_counts().index[:MOST_NAMES])
        for frame in (current, reference):
            frame[name] = frame[name].where(frame[name].isin(common), OTHER)
    numeric = {  # what a publisher leaves empty cannot drift
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
        f"the limit is {settings.drift_share:.0%}.",
    )


def wants_retraining(
    settings: Settings, windows: Sequence[tuple[datetime, bool]], last_request: datetime | None
) -> bool:
    """True when k of the last n windows drifted, the newest too, and the last request is long enough ago."""
    if not windows or not windows[0][1]:
        return False
    if sum(drifted for _, drifted in windows) < settings.drift_violations:
        return False
    return may_ask(settings, windows[0][0], last_request)


def may_ask(settings: Settings, window_end: datetime, last_request: datetime | None) -> bool:
    """True when the last request is long enough ago."""
    return last_request is None or window_end - last_request >= timedelta(hours=settings.drift_cooldown_hours)


def keep_drift(
    warehouse: Connection, window_end: datetime, model_version: int, finding: DriftFinding, limit_share: float
) -> None:
    """The finding in `ops.drift`: a row per column and one, `window`, for the whole."""
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
        cursor.executemany(query("monitor/keep_drift"), rows)


def keep_realised(
    warehouse: Connection, window_end: datetime, window_hours: int, realised: Sequence[dict[str, Any]]
) -> None:
    """The realised quality of a window in `ops.health`."""
    with warehouse.cursor() as cursor:
        cursor.executemany(
            query("monitor/keep_health"),
            [{**row, "window_end": window_end, "window_hours": window_hours} for row in realised],
        )


def ask_for_retraining(
    settings: Settings, warehouse: Connection, window_end: datetime, model_version: int, finding: DriftFinding
) -> str | None:
    """Why to retrain, drift or late rows, kept in `ops.retrain_requests`; None when there is no need."""
    where = {"window_end": window_end, "model_version": model_version}
    windows = warehouse.execute(query("monitor/last_windows"), {**where, "windows": settings.drift_windows}).fetchall()
    (last,) = warehouse.execute(query("monitor/last_request"), [window_end]).fetchone() or (None,)
    late = warehouse.execute(query("monitor/late_rows"), {"window_end": window_end}).fetchone()
    reasons = []
    if wants_retraining(settings, windows, last):
        drifted, until = sum(is_drifted for _, is_drifted in windows), f"{window_end:%Y-%m-%d %H:%M} UTC"
        reasons.append(f"Drift in {drifted} of the last {len(windows)} windows up to {until}: {finding.sentence}")
    if late and may_ask(settings, window_end, last):
        reasons += late
    if not reasons:
        return None
    reason = " ".join(reasons)
    warehouse.execute(query("monitor/keep_request"), {"window_end": window_end, "reason": reason})
    return reason


def tell_realised(realised: Sequence[dict[str, Any]]) -> str:
    """One sentence on how the lists did with readers."""
    told = [
        f"v{row['model_version']}: {row['impressions']:,} shown, {row['reads']:,} read, "
        f"{row['read_seconds'] / 3600:,.1f} h"
        for row in realised
        if row["slice"] == "all"
    ]
    return f"Our lists: {'; '.join(told)}." if told else "Our lists: not seen by readers in this window."


def _habits(settings: Settings, snapshot: Snapshot, read_kind: str, since: datetime, until: datetime) -> pa.Table:
    with open_tables(settings, snapshot) as connection:
        return duck.fetch(connection, query("monitor/habits"), {"read_kind": read_kind, "since": since, "until": until})


def _sample(settings: Settings, snapshot: Snapshot, read_kind: str, since: datetime, habits: pa.Table) -> pd.DataFrame:
    with open_tables(settings, snapshot) as connection:
        connection.register("habits", habits)
        limits = {"read_kind": read_kind, "since": since, "sample_rows": settings.drift_sample_rows}
        return cast(pd.DataFrame, duck.fetch(connection, query("monitor/reading"), limits).to_pandas())
