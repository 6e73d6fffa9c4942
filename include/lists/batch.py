"""Batches: write lists to PostgreSQL and switch them live.

A batch is written to its own partition, audited there, then switched live by updating one row in one transaction. A
reader of `recs.current` sees the old lists or the new ones, never a mix; if anything fails before the switch, the last
good batch stays. A retry writes the batch again from scratch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import pyarrow as pa
from psycopg import sql

from include.adapters.binary_copy import HEADER, TRAILER, rows_as_bytes
from include.adapters.warehouse import Connection, query
from include.core.errors import AuditFailed
from include.core.locks import LockKey
from include.core.numbers import write_count

# the columns in the order of `lists/copy.sql`, with PostgreSQL's binary formats; the text column, `reason`, comes last
NUMBERS = {"reader_id": ">i8", "rank": ">i2", "article_id": ">i8", "score": ">f4"}
TEXT = "reason"
ROWS_AT_ONCE = 16_384  # about a megabyte: PostgreSQL loads one part while the next is prepared


def write(warehouse: Connection, lists: Iterable[pa.RecordBatch], batch: Mapping[str, object]) -> tuple[int, int]:
    """Write a batch to its own partition, not yet visible to readers; return its number of readers and rows.

    A batch that was already published is left unchanged: the same id means the same lists. `batch` names its maker as
    `model_version` or as `baseline`.
    """
    batch = {"baseline": None, **batch}
    batch_id = str(batch["batch_id"])
    name = f"batch_{batch_id.lower()}"
    names = {
        "name": sql.Identifier(name),
        "partition": sql.Identifier("recs", name),
        "draft": sql.Identifier("recs", f"draft_{name}"),
        "batch_id": sql.Literal(batch_id),
    }
    if warehouse.execute(query("lists/begin"), batch).fetchone() is not None:
        warehouse.execute(sql.SQL(query("lists/create_partition")).format(**names))
        copy_rows(warehouse, sql.SQL(query("lists/copy")).format(**names), lists)
        warehouse.execute(sql.SQL(query("lists/attach_partition")).format(**names))
    readers, rows = warehouse.execute(query("lists/count"), batch).fetchone() or (0, 0)
    return readers, rows


def copy_rows(warehouse: Connection, statement: sql.Composed, lists: Iterable[pa.RecordBatch]) -> None:
    """Load the lists into a table with binary COPY; a missing value raises `AuditFailed`, which undoes the load."""
    with warehouse.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for rows in lists:
            columns = rows.select([*NUMBERS, TEXT])
            if missing := sum(column.null_count for column in columns.columns):
                raise AuditFailed(
                    f"The lists have at least {write_count(missing, 'missing value')} and are not written.",
                    hint="the live lists stay; check the model's ranking in the Parquet file of the lists.",
                )
            for start in range(0, rows.num_rows, ROWS_AT_ONCE):
                copy.write(rows_as_bytes(columns.slice(start, ROWS_AT_ONCE), NUMBERS, TEXT))
        copy.write(TRAILER)


def set_status(warehouse: Connection, batch_id: str, status: str) -> None:
    """Set the status of a batch, for example `audited` or `refused`."""
    warehouse.execute(query("lists/set_status"), {"batch_id": batch_id, "status": status})


def find_live(warehouse: Connection) -> tuple[str, datetime, int | None, datetime, str | None] | None:
    """Return the live batch: id, as_of, model version, published_at, baseline; None before the first one."""
    return warehouse.execute(query("lists/live")).fetchone()


def lock(warehouse: Connection) -> None:
    """Lock publishing for others until this transaction ends."""
    warehouse.execute(query("lists/lock_live"), {"key": LockKey.LIVE_LISTS})


def newest_of_version(warehouse: Connection, version: int) -> str | None:
    """Return the newest batch of a version that passed its audit and still has its rows."""
    row = warehouse.execute(query("lists/newest_of_version"), [version]).fetchone()
    return str(row[0]) if row else None


def restore(warehouse: Connection, batch_id: str, stale_after_minutes: int) -> None:
    """Make an audited batch live when this transaction commits, even if it is older than the live one."""
    if warehouse.execute(query("lists/restore"), {"batch_id": batch_id}).fetchone() is None:
        raise AuditFailed(
            f"Batch {batch_id} has not passed its audit, or its rows were deleted, so it is not published.",
            hint="the live lists stay; repeat the command to use another batch or make a new one.",
        )
    warehouse.execute(query("lists/switch"), {"batch_id": batch_id, "stale_after_minutes": stale_after_minutes})


def switch(warehouse: Connection, batch_id: str, as_of: datetime, stale_after_minutes: int) -> bool:
    """Make the batch live when this transaction commits; return whether it is live.

    False when newer lists are already live, or the champion changed after the batch was scored.
    """
    lock(warehouse)
    live = find_live(warehouse)
    if not (warehouse.execute(query("lists/is_champions"), [batch_id]).fetchone() or (True,))[0]:
        return False
    if live is not None and (live[1] > as_of or live[0] == batch_id):
        return live[0] == batch_id
    if warehouse.execute(query("lists/mark_published"), {"batch_id": batch_id}).fetchone() is None:
        raise AuditFailed(
            f"Batch {batch_id} has not passed its audit, so it is not published.",
            hint="clear the audit task to run it again; the live lists stay until then.",
        )
    warehouse.execute(query("lists/switch"), {"batch_id": batch_id, "stale_after_minutes": stale_after_minutes})
    return True
