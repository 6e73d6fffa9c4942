"""DuckDB connections in UTC with a memory limit (beyond it DuckDB spills to the temporary folder), and queries."""

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
    """Return a connection to an empty in-memory database."""
    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": tempfile.gettempdir()})
    connection.execute("set timezone = 'UTC'")
    return connection


def borrow() -> duckdb.DuckDBPyConnection:
    """Return a connection for registered tables only: hundreds of times cheaper, on a database the process shares."""
    connection = _shared(os.getpid()).cursor()
    connection.execute("set timezone = 'UTC'")
    return connection


@cache
def _shared(process: int) -> duckdb.DuckDBPyConnection:
    """Return the connection of this process; a connection opened before a fork cannot be used after it."""
    return connect()


@cache
def query(name: str) -> str:
    """Return the text of a room's DuckDB statement: `query("lists/arrange")`. Parameters are bound, never pasted."""
    room, _, statement = name.rpartition("/")
    return (INCLUDE / room / "sql" / "duckdb" / f"{statement}.sql").read_text()


def ask(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyRelation:
    """Return a query as a relation that has not run yet; it receives only the `parameters` that it names."""
    used = {name: value for name, value in (parameters or {}).items() if f"${name}" in text}
    return connection.sql(text, params=used or None)


def fetch(connection: duckdb.DuckDBPyConnection, text: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
    """Return the result of a query; it receives only the `parameters` that it names."""
    return cast(pa.Table, ask(connection, text, parameters).to_arrow_table())
