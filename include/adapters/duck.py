"""DuckDB: one way to open it, with UTC and a bound on memory; beyond it DuckDB spills to the temporary folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa

INCLUDE = Path(__file__).resolve().parents[1]
MEMORY_LIMIT = "2GB"


def connect() -> duckdb.DuckDBPyConnection:
    """An empty in-memory database."""
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": tempfile.gettempdir()})
    connection.execute("set timezone = 'UTC'")
    return connection


def borrow() -> duckdb.DuckDBPyConnection:
    """A connection for registered tables only, hundreds of times cheaper; its database is shared by the process."""
    connection = _shared(os.getpid()).cursor()
    connection.execute("set timezone = 'UTC'")
    return connection


@cache
def _shared(process: int) -> duckdb.DuckDBPyConnection:
    """The process's own: one that was opened before a fork cannot be used after it."""
    return connect()


@cache
def query(name: str) -> str:
    """Return the text of a room's DuckDB statement: `query("lists/arrange")`. Parameters are bound, never pasted."""
    room, _, statement = name.rpartition("/")
    return (INCLUDE / room / "sql" / "duckdb" / f"{statement}.sql").read_text()


def ask(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyRelation:
    """A query that has not run yet; of `parameters` it gets those it names."""
    used = {name: value for name, value in (parameters or {}).items() if f"${name}" in text}
    return connection.sql(text, params=used or None)


def fetch(connection: duckdb.DuckDBPyConnection, text: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
    """The result of a query; of `parameters` it gets those it names."""
    return cast(pa.Table, ask(connection, text, parameters).to_arrow_table())
