"""Scenes as DuckDB tables, for models that rank in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import duckdb
import pyarrow as pa

from include.adapters import duck
from include.adapters.warehouse import query
from include.features import Scenes


@contextmanager
def open_tables(scenes: Scenes, **more: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that knows the scenes' tables by their names, and `more` by theirs."""
    with duck.borrow() as connection:
        for field in fields(scenes):
            connection.register(field.name, getattr(scenes, field.name))
        for name, table in more.items():
            connection.register(name, table)
        yield connection


def run(connection: duckdb.DuckDBPyConnection, name: str, **parameters: Any) -> pa.Table:
    """The result of `include/sql/models/<name>.sql`."""
    return duck.fetch(connection, query(f"models/{name}"), parameters)


def find_pairs(
    connection: duckdb.DuckDBPyConnection, candidates: pa.Table | None, name: str, **parameters: Any
) -> pa.Table:
    """The given candidates of the scenes' requests, or those that the query `name` finds."""
    if candidates is None:
        return run(connection, name, **parameters)
    connection.register("given", candidates)
    return run(connection, "given_pairs")
