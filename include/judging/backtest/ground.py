"""The snapshot that a backtest walks over, and the part of it that was known at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from include.adapters import duck
from include.core.contract import TABLES
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables

SESSION_GAP_MINUTES = 30
LONGEST_SESSION = timedelta(days=1)


class Ground:
    """An opened snapshot; models may use only `known_before`, while `first_reads` holds what really happened."""

    def __init__(self, settings: Settings, snapshot: Snapshot) -> None:
        self.settings = settings
        self.paths = {table.name: snapshot.paths(settings, table.name) for table in TABLES}
        with open_snapshot_tables(settings, snapshot) as connection:
            self.first_reads = first_reads(connection)

    @contextmanager
    def known_before(
        self, moment: datetime, length: timedelta, asked: pa.Table | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open a connection whose source tables hold what was known before the moment, with events of `length`.

        With `asked` (a column `who_id`), it holds all events of these readers, but only the last day of the others.
        """
        with self._open() as connection:
            bounds = {"moment": moment, "start": moment - length}
            if asked is not None:
                connection.register("asked", asked)
            events = _query(connection, "known_events" if asked is None else "known_lately", bounds)
            connection.register("reading_events", events)
            connection.register("articles", _query(connection, "known_articles", bounds))
            connection.register("subscribers", _query(connection, "known_subscribers", bounds))
            yield connection

    def happened_around(self, moment: datetime, length: timedelta) -> pa.Table:
        """Return what happened in the step after the moment and in the sessions under way then; for judging only."""
        with self._open() as connection:
            bounds = {"start": moment - LONGEST_SESSION, "end": moment + length}
            return _query(connection, "happened", bounds)

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duck.connect() as connection:
            for name, view in (("reading_events", "events"), ("articles", "articles"), ("subscribers", "subscribers")):
                connection.read_parquet(self.paths[name]).create_view(f"all_{view}")
            yield connection


def first_reads(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return every first read in the connection's `reading_events`, with its session."""
    return _query(connection, "first_reads", {"gap_minutes": SESSION_GAP_MINUTES})


def _query(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, Any]) -> pa.Table:
    return duck.fetch(connection, duck.query(f"judging/backtest/{name}"), parameters)
