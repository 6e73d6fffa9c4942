"""The publisher's PostgreSQL through ADBC: binary COPY straight into Arrow batches.

One read-only, repeatable-read transaction as `daybreak_extract`, so all tables come from the same moment of the
database and nothing can be written. The window travels as transaction settings that the queries in
`include/sql/source/` read, because COPY takes no parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from include.adapters.warehouse import query, uri
from include.contract import ACCEPTED_TYPES, TABLES, SourceTable
from include.errors import ServiceError, SourceError
from include.settings import Settings


@contextmanager
def read_source(settings: Settings, window: Mapping[str, str]) -> Iterator[Any]:
    """A cursor inside the read-only transaction, with `daybreak.<name>` set for every entry of `window`."""
    try:
        connection = adbc.connect(uri(settings, "daybreak_extract"))
    except adbc.Error as error:
        raise ServiceError(
            f"The source database at {settings.postgres_host}:{settings.postgres_port} refused daybreak_extract: "
            f"{_last_line(error)}",
            hint="is it running? `bin/daybreak status` tells.",
        ) from error
    with connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read read only")
        cursor.execute("set local timezone = 'UTC'")
        for name, value in window.items():
            cursor.execute("select set_config($1, $2, true)", (f"daybreak.{name}", value))
            cursor.fetchall()
        yield cursor


def check_columns(cursor: Any) -> None:
    """Nothing, when the three views offer what the contract needs; else a `SourceError` that lists every fault."""
    cursor.execute(query("source/columns"))
    offered = {(table, column): kind for table, column, kind in cursor.fetchall()}
    faults = []
    for table in TABLES:
        if not any(name == table.name for name, _ in offered):
            faults.append(f"view source.{table.name} is missing")
            continue
        for column in table.columns:
            kind = offered.get((table.name, column.name))
            accepted = ACCEPTED_TYPES[str(column.type)]
            if kind is None:
                faults.append(f"source.{table.name} lacks column {column.name}")
            elif kind.split("(")[0] not in accepted:
                faults.append(f"source.{table.name}.{column.name} is {kind}, not {' or '.join(sorted(accepted))}")
    if faults:
        raise SourceError(
            f"The source does not keep its contract, {len(faults)} fault(s): {'; '.join(faults)}.",
            hint="mend the views in schema source (docs/mapping.md), then run again.",
        )


def stream(cursor: Any, table: SourceTable) -> Iterator[pa.RecordBatch]:
    """The table's rows of the window in its order, batch by batch, in the contract's types.

    The next batch is read while the caller works on this one, so that the database never waits for the disk.
    """
    cursor.execute(query(f"source/{table.name}"))
    batches = iter(cursor.fetch_record_batch())
    try:
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = ahead.submit(next, batches, None)
                yield pa.RecordBatch.from_arrays(
                    [batch.column(field.name).cast(field.type) for field in table.columns], schema=table.columns
                )
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(
            f"Reading source.{table.name} failed: {_last_line(error)}.", hint="mend the view, then run again."
        ) from error


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
