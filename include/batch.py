"""Batches: lists on their way into PostgreSQL, and the one switch that makes them live.

Written under a batch id into a partition of their own, audited there, then switched by one row in one transaction. A
reader of `recs.current` sees the old lists or the new ones, never half of either; when anything fails before the switch
the last good batch stays. A retry writes the same batch again from nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa
from psycopg import sql

from include.adapters.warehouse import Connection, query
from include.checks import Check, at_least, at_most
from include.errors import AuditFailed

COLUMN_TYPES = ("text", "int8", "int2", "int8", "float4", "text")


def write(warehouse: Connection, lists: pa.Table, batch: Mapping[str, object]) -> tuple[int, int]:
    """Readers and rows of a batch that now lies in its own partition, unseen by readers.

    A batch that was published already is left as it is: the same id is the same lists.
    """
    batch_id = str(batch["batch_id"])
    partition = sql.Identifier("recs", f"batch_{batch_id.lower()}")
    if warehouse.execute(query("batch/begin"), batch).fetchone() is not None:
        warehouse.execute(sql.SQL("drop table if exists {}").format(partition))
        # made apart and attached afterwards: attaching does not block those who read the live lists
        warehouse.execute(
            sql.SQL("create table {} (like recs.recommendations including defaults including constraints)").format(
                partition
            )
        )
        copy_rows(warehouse, partition, batch_id, lists)
        warehouse.execute(sql.SQL("alter table {} add primary key (batch_id, reader_id, rank)").format(partition))
        warehouse.execute(
            sql.SQL("alter table {} add constraint is_batch check (batch_id = {})").format(
                partition, sql.Literal(batch_id)
            )
        )
        warehouse.execute(
            sql.SQL("alter table recs.recommendations attach partition {} for values in ({})").format(
                partition, sql.Literal(batch_id)
            )
        )
    readers, rows = warehouse.execute(query("batch/count"), batch).fetchone() or (0, 0)
    return readers, rows


def copy_rows(warehouse: Connection, table: sql.Identifier, batch_id: str, lists: pa.Table) -> None:
    """The lists in `table`, by binary COPY."""
    with warehouse.cursor() as cursor, cursor.copy(sql.SQL(query("batch/copy")).format(table=table)) as copy:
        copy.set_types(COLUMN_TYPES)
        for part in lists.to_batches(max_chunksize=65_536):
            columns = (part.column(name).to_pylist() for name in ("reader_id", "rank", "article_id", "score", "reason"))
            for row in zip(*columns, strict=True):
                copy.write_row((batch_id, *row))


def audit(warehouse: Connection, batch_id: str, list_length: int, expected_readers: int) -> list[Check]:
    """The checks a batch must pass before readers see it, made on the rows in the database."""
    row = warehouse.execute(query("batch/audit"), {"batch_id": batch_id, "list_length": list_length}).fetchone()
    readers, full, repeats, gaps, unscored = row or (0, 0, 0, 0, 0)
    return [
        at_least(
            "PB101",
            "Every reader has a list",
            batch_id,
            readers,
            max(1, expected_readers),
            f"{readers:,} readers have a list; {expected_readers:,} were asked for.",
        ),
        at_least(
            "PB102",
            "Lists are full",
            batch_id,
            full,
            max(1, readers),
            f"{full:,} of {readers:,} readers have {list_length} articles.",
            severity="warn",
        ),
        at_most("PB103", "No article twice", batch_id, repeats, 0, f"{repeats:,} readers have an article twice."),
        at_most("PB104", "Ranks run from 1", batch_id, gaps, 0, f"{gaps:,} readers have a gap in their ranks."),
        at_most("PB105", "Scores are numbers", batch_id, unscored, 0, f"{unscored:,} rows have no finite score."),
    ]


def set_status(warehouse: Connection, batch_id: str, status: str) -> None:
    """The batch is now `audited` or `refused`."""
    warehouse.execute(query("batch/set_status"), {"batch_id": batch_id, "status": status})


def find_live(warehouse: Connection) -> tuple[str, datetime, int, datetime] | None:
    """The live batch: id, as_of, model version, published_at. None before the first one."""
    return warehouse.execute(query("batch/live")).fetchone()


def switch(warehouse: Connection, batch_id: str, as_of: datetime, stale_after_minutes: int) -> bool:
    """True when the batch is live when this transaction commits; False when newer lists are live already."""
    warehouse.execute(query("batch/lock_live"))
    live = find_live(warehouse)
    if live is not None and (live[1] > as_of or live[0] == batch_id):
        return live[0] == batch_id
    if warehouse.execute(query("batch/mark_published"), {"batch_id": batch_id}).fetchone() is None:
        raise AuditFailed(
            f"Batch {batch_id} has not passed its audit, so it is not published.",
            hint="clear the audit task; the live lists stay until then.",
        )
    warehouse.execute(query("batch/switch"), {"batch_id": batch_id, "stale_after_minutes": stale_after_minutes})
    return True
