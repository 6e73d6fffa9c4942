"""Realised quality: impressions, reads and reading time on the lists that were live in a window; and their usage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import pyarrow as pa

from include.adapters import duck
from include.adapters.warehouse import Connection, query
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables

MOST_REGIONS = 20


def measure_realised(
    settings: Settings, snapshot: Snapshot, batches: Sequence[tuple[str, int | None]], read_kind: str = "read"
) -> list[dict[str, Any]]:
    """Return impressions, reads (events of `read_kind`) and seconds on our own lists, by model version and slice.

    Lists by a baseline have no version and count together.
    """
    return _ask(settings, snapshot, batches, "realised", {"read_kind": read_kind})


def measure_usage(
    settings: Settings, snapshot: Snapshot, batches: Sequence[tuple[str, int | None]], read_kind: str = "read"
) -> dict[str, dict[str, float]]:
    """Return how much of all reading came from our lists, and the time of readers who saw them and of others.

    By `all` and region, of those with most readers.
    """
    values = {"read_kind": read_kind, "most": MOST_REGIONS + 1}
    return {row.pop("slice"): row for row in _ask(settings, snapshot, batches, "usage", values)}


def _ask(
    settings: Settings,
    snapshot: Snapshot,
    batches: Sequence[tuple[str, int | None]],
    name: str,
    values: dict[str, Any],
) -> list[dict[str, Any]]:
    with open_snapshot_tables(settings, snapshot) as connection:
        names, versions = [name for name, _ in batches], [version for _, version in batches]
        made = {"batch_id": pa.array(names, pa.string()), "model_version": pa.array(versions, pa.int64())}
        connection.register("batches", pa.table(made))
        found = duck.fetch(connection, duck.query(f"monitoring/{name}"), values)
        return cast(list[dict[str, Any]], found.to_pylist())


def keep_realised(
    warehouse: Connection, window_end: datetime, window_hours: int, realised: Sequence[dict[str, Any]]
) -> None:
    """Save the realised quality of each version in a window in `ops.health`."""
    of_window = {"window_end": window_end, "window_hours": window_hours}
    rows = [{**row, **of_window} for row in realised if row["model_version"] is not None]
    with warehouse.cursor() as cursor:
        cursor.executemany(query("monitoring/keep_health"), rows)


def tell_realised(realised: Sequence[dict[str, Any]]) -> str:
    """Return a sentence with the realised quality of each version, and of the baselines."""
    told = [
        f"{_maker(row['model_version'])}: {row['impressions']:,} shown, {row['reads']:,} read, "
        f"{row['read_seconds'] / 3600:,.1f} h"
        for row in realised
        if row["slice"] == "all"
    ]
    return f"Our lists: {'; '.join(told)}." if told else "Our lists: not seen by readers in this window."


def _maker(version: int | None) -> str:
    return "baseline" if version is None else f"v{version}"
