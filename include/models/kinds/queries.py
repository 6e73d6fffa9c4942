"""Run the queries that models rank with on scenes opened as DuckDB tables."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from include.adapters import duck


def run(connection: duckdb.DuckDBPyConnection, name: str, **parameters: Any) -> pa.Table:
    """Return the result of `include/models/kinds/sql/duckdb/<name>.sql`."""
    return duck.fetch(connection, duck.query(f"models/kinds/{name}"), parameters)


def find_pairs(
    connection: duckdb.DuckDBPyConnection, candidates: pa.Table | None, name: str, **parameters: Any
) -> pa.Table:
    """Return the given candidates of the scenes' requests, or those that the query `name` finds."""
    if candidates is None:
        return run(connection, name, **parameters)
    connection.register("given", candidates)
    return run(connection, "given_pairs")
