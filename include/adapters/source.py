"""Reading the publisher's PostgreSQL through ADBC: binary COPY straight into Arrow batches.

All reads happen in one read-only, repeatable-read transaction as `daybreak_extract`, so all tables are of one moment
and nothing can be written. The window is passed in transaction settings that the queries in
`include/adapters/sql/postgres/` read, because COPY takes no parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.compute as pc

from include.adapters.warehouse import conninfo, how_to_reach, place, source_query
from include.core.contract import ACCEPTED_TYPES, MOMENT, TABLES, SourceTable
from include.core.errors import ServiceError, SourceError
from include.core.numbers import write_count
from include.core.settings import Settings

# Microseconds since 1970.
FIRST_US = -62_135_596_800_000_000  # 0001-01-01
LAST_US = 253_402_300_799_999_999  # 9999-12-31 23:59:59.999999
POSTGRES_FIRST_US = -210_866_803_200_000_000  # 4714-11-24 BC
MINUS_INFINITY_US = -9_222_425_352_054_775_808  # the driver's value for it

# SQLSTATE classes and messages of PostgreSQL and its client for errors that no view causes.
WENT_AWAY = ("08", "53", "57")  # connection lost, resources exhausted, cancelled or shut down
LOST = ("server closed the connection", "terminating connection", "no connection to the server", "SSL SYSCALL error")
NOT_ALLOWED = "42501"


@contextmanager
def read_source(settings: Settings, window: Mapping[str, str]) -> Iterator[Any]:
    """Yield a cursor inside the read-only transaction, with `daybreak.<name>` set for every entry of `window`."""
    try:
        connection = adbc.connect(conninfo(settings, "daybreak_extract"))
    except adbc.Error as error:
        raise ServiceError(
            f"The source database at {place(settings, 'daybreak_extract')} refused the connection: "
            f"{_what_it_said(error)}",
            hint=how_to_reach(settings, "daybreak_extract"),
            about="source database",
        ) from error
    with connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read read only")
        cursor.execute("set local timezone = 'UTC'")
        for name, value in window.items():
            set_parameter(cursor, name, value)
        yield cursor


def set_parameter(cursor: Any, name: str, value: str) -> None:
    """Set `daybreak.<name>`, which later queries of the transaction read."""
    cursor.execute("select set_config($1, $2, true)", (f"daybreak.{name}", value))
    cursor.fetchall()


def check_columns(settings: Settings, cursor: Any) -> None:
    """Raise a `SourceError` that lists every fault, unless the three views have the contract's columns and types."""
    cursor.execute(source_query(settings, "adapters/columns").as_string())
    offered = {(table, column): kind for table, column, kind in cursor.fetchall()}
    faults = []
    for table in TABLES:
        if not any(name == table.name for name, _ in offered):
            faults.append(f"view {settings.view(table.name)} is missing")
            continue
        for column in table.columns:
            kind = offered.get((table.name, column.name))
            accepted = ACCEPTED_TYPES[str(column.type)]
            if kind is None:
                faults.append(f"{settings.view(table.name)} lacks column {column.name}")
            elif kind.split("(")[0] not in accepted:
                is_not = " or ".join(sorted(accepted))
                faults.append(f"{settings.view(table.name)}.{column.name} is {kind}, not {is_not}")
    if faults:
        raise SourceError(
            f"The source breaks its contract, {write_count(len(faults), 'fault')}: {'; '.join(faults)}.",
            hint="fix the views (docs/mapping.md), then run again.",
        )


def identify(settings: Settings, cursor: Any) -> dict[str, str]:
    """Return the database's own id, name and version, and a digest of the views it is read through."""
    cursor.execute(source_query(settings, "adapters/identity").as_string())
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def offered_columns(settings: Settings) -> dict[str, list[str]]:
    """Return all columns of the three views, whether they are read or not."""
    offered: dict[str, list[str]] = {table.name: [] for table in TABLES}
    with read_source(settings, {}) as cursor:
        cursor.execute(source_query(settings, "adapters/columns").as_string())
        for table, column, _ in cursor.fetchall():
            if table in offered:
                offered[table].append(column)
    return offered


def stream(settings: Settings, cursor: Any, table: SourceTable, *, strays: bool = False) -> Iterator[pa.RecordBatch]:
    """Yield the table's rows of the window in its order, or its strays, batch by batch, in the contract's types.

    The next batch is read while the caller works on the current one, so the database never waits for the disk.
    """
    try:
        rows = f"adapters/stray_{table.name}" if strays else f"adapters/{table.name}"
        cursor.execute(source_query(settings, rows).as_string())
        batches = iter(cursor.fetch_record_batch())
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = ahead.submit(next, batches, None)
                yield pa.RecordBatch.from_arrays(
                    [_convert(batch.column(field.name), field.type) for field in table.columns], schema=table.columns
                )
    except (adbc.Error, pa.ArrowInvalid, OSError) as error:
        fact = f"Reading {settings.view(table.name)} failed: {_what_it_said(error)}."
        state = getattr(error, "sqlstate", None) or ""
        if state.startswith(WENT_AWAY) or any(words in str(error) for words in LOST):
            raise ServiceError(
                fact,
                hint="the connection to the database was lost; nothing was saved, run again.",
                about="source database",
            ) from error
        hint = "grant the role that reads it `select` on it" if state == NOT_ALLOWED else "fix the view"
        raise SourceError(fact, hint=f"{hint}, then run again.") from error


def _convert(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if kind == MOMENT:
        return _within_calendar(values.cast(MOMENT))
    return _within_integers(values, kind) if pa.types.is_integer(kind) else values.cast(kind)


def _within_integers(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return integers clipped to the contract's type, so that a rule finds them and only their rows are quarantined."""
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:
        most = 2 ** (kind.bit_width - 1) - 1
        fitting = pc.min_element_wise(values, most, skip_nulls=False)
        return pc.max_element_wise(fitting, -most - 1, skip_nulls=False).cast(kind)


def _within_calendar(moments: pa.Array) -> pa.Array:
    """Return times clipped to the years 1 to 9999, which most programs can represent; infinite times are clipped too.

    PostgreSQL counts from 2000 and the driver from 1970, so a time too late for the driver overflows to one earlier
    than any time of PostgreSQL.
    """
    micros = moments.cast(pa.int64())
    limits = pc.min_max(micros)
    if limits["min"].as_py() is None or (limits["min"].as_py() >= FIRST_US and limits["max"].as_py() <= LAST_US):
        return moments
    too_late = pc.and_(pc.less(micros, POSTGRES_FIRST_US), pc.not_equal(micros, MINUS_INFINITY_US))
    late = pc.or_(too_late, pc.greater(micros, LAST_US))
    return pc.if_else(late, LAST_US, pc.max_element_wise(micros, FIRST_US, skip_nulls=False)).cast(MOMENT)


def _what_it_said(error: Exception) -> str:
    """Return PostgreSQL's own message, or else the first line."""
    said = re.search(r"^.*?(?:ERROR|FATAL): +(.+)$", str(error), re.MULTILINE)
    return said[1] if said else str(error).strip().splitlines()[0]
