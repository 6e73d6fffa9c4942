"""What counts as a read in a log: known from the log itself, whoever holds it."""

from __future__ import annotations

import duckdb

from include.adapters import duck


def find_read_kind(connection: duckdb.DuckDBPyConnection) -> str:
    """Which events of this log count as reads: `read`, or `click` when it has no reads at all."""
    ((kind,),) = connection.sql(duck.query("data/read_kind")).fetchall()
    return str(kind)
