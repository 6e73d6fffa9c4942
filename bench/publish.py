"""`publish`: write readers' lists from memory to PostgreSQL.

Ours writes a batch, adds its key, audits it and makes it live. `to_sql` and `copy` only insert rows into a plain table
without a key; `copy` sends prepared bytes. `copy_with_key` does the same into a table with the key by which a reader's
list is found, the least that a batch costs before it can serve readers.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from bench.figures import OURS, Figure
from bench.installation import Installation, Say
from bench.measure import Work, in_child, in_turns
from include.adapters import warehouse
from include.core.checks import blocking
from include.lists import audit
from include.lists import batch as batches
from include.models import RANKED

LIST_LENGTH = 10
SHARE_OF_ROWS = 2  # as a multiple of the events
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
REASONS = (
    "Read by many right now",
    "New in politics",
    "You spend time on sports",
    "Something different for you",
    "Readers of “The harbour opens a month early, and the mayor explains why” read this too",
)
KEY = "alter table {} add primary key (batch_id, reader_id, rank)"
CHUNK_BYTES = 1 << 20


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of the variants in turns, on lists that are made once."""
    in_child("publish", "make_lists", installation)
    return in_turns("publish", (OURS, "to_sql", "copy_with_key", "copy"), installation, repeat, say)


def make_lists(installation: Installation) -> Work:
    """Write the lists as Parquet and as the bytes of a binary COPY; not a variant."""
    readers = max(1, installation.sizes.rows // SHARE_OF_ROWS // LIST_LENGTH)
    rows = readers * LIST_LENGTH
    random = np.random.default_rng(7)
    first = np.repeat(random.integers(1, 100_000, readers), LIST_LENGTH)
    place = np.tile(np.arange(LIST_LENGTH), readers)
    lists = pa.table(
        {
            "reader_id": np.repeat(np.arange(1, readers + 1), LIST_LENGTH),
            "list_at": pa.repeat(pa.scalar(LONG_AGO, RANKED.field("list_at").type), rows),
            "rank": place + 1,
            "article_id": first + place * 7,
            "score": random.random(rows),
            "reason": pa.array(REASONS).take(pa.array(random.integers(0, len(REASONS), rows))),
        }
    ).cast(RANKED)

    def work() -> int:
        pq.write_table(lists, _parquet(installation))
        with warehouse.connect(installation.settings) as connection:
            table = _plain_table(connection)
            columns = sql.SQL("copy {} (batch_id, reader_id, rank, article_id, score, reason) from stdin").format(table)
            with connection.cursor() as cursor, cursor.copy(columns) as sink:
                names = ("reader_id", "rank", "article_id", "score", "reason")
                for part in lists.to_batches(max_chunksize=65_536):
                    for row in zip(*(part.column(name).to_pylist() for name in names), strict=True):
                        sink.write_row(("bench", *row))
            out = sql.SQL("copy {} to stdout (format binary)").format(table)
            with connection.cursor() as cursor, cursor.copy(out) as source, _bytes(installation).open("wb") as file:
                for part in source:
                    file.write(part)
            connection.execute(sql.SQL("drop table {}").format(table))
        return rows

    return work


def daybreak(installation: Installation) -> Work:
    """Write a batch, audit it and make it live, each in its own transaction as in the pipeline."""
    lists = pq.read_table(_parquet(installation))
    readers = lists.num_rows // LIST_LENGTH
    about = describe_batch()
    batch_id = about["batch_id"]

    def work() -> int:
        with warehouse.connect(installation.settings) as connection:
            _, rows = batches.write(connection, lists.to_batches(), about)
        with warehouse.connect(installation.settings) as connection:
            failed = blocking(audit.audit(connection, batch_id, LIST_LENGTH, readers))
            batches.set_status(connection, batch_id, "refused" if failed else "audited")
        with warehouse.connect(installation.settings) as connection:
            batches.switch(connection, batch_id, LONG_AGO, 60)
        return rows

    return work


def describe_batch() -> dict[str, Any]:
    """Return the facts of a new batch, which is not newer than those of other benchmarks."""
    return {
        "batch_id": f"bench_{uuid.uuid4().hex}",
        "as_of": LONG_AGO,
        "model_version": 1,
        "snapshot_id": "bench",
        "run_id": "bench",
        "list_length": LIST_LENGTH,
    }


def to_sql(installation: Installation) -> Work:
    """Use `DataFrame.to_sql` into a plain table, the fastest way: `method="multi"` takes several times as long."""
    from sqlalchemy import create_engine

    frame = pq.read_table(_parquet(installation)).drop_columns("list_at").to_pandas()
    frame.insert(0, "batch_id", "bench")
    engine = create_engine(warehouse.uri(installation.settings, "daybreak_run", scheme="postgresql+psycopg2"))
    name = _table_name()

    def work() -> int:
        with engine.begin() as connection:
            frame.to_sql(name, connection, schema="recs", index=False, chunksize=10_000)
        return len(frame)

    return work


def copy(installation: Installation, key: LiteralString = "") -> Work:
    """Send prepared bytes by binary COPY."""

    def work() -> int:
        with warehouse.connect(installation.settings) as connection:
            table = _plain_table(connection)
            if key:
                connection.execute(sql.SQL(key).format(table))
            statement = sql.SQL("copy {} from stdin (format binary)").format(table)
            with connection.cursor() as cursor:
                with cursor.copy(statement) as sink, _bytes(installation).open("rb") as file:
                    while part := file.read(CHUNK_BYTES):
                        sink.write(part)
                rows = cursor.rowcount
        return rows

    return work


def copy_with_key(installation: Installation) -> Work:
    """Send the same bytes into a table with the key of recs.recommendations."""
    return copy(installation, KEY)


def _plain_table(connection: warehouse.Connection) -> sql.Identifier:
    table = sql.Identifier("recs", _table_name())
    connection.execute(sql.SQL("create table {} (like recs.recommendations)").format(table))
    return table


def _table_name() -> str:
    return f"bench_{uuid.uuid4().hex}"


def _parquet(installation: Installation) -> Path:
    return installation.scratch / "lists.parquet"


def _bytes(installation: Installation) -> Path:
    return installation.scratch / "lists.pgcopy"


VARIANTS = {
    OURS: daybreak,
    "to_sql": to_sql,
    "copy_with_key": copy_with_key,
    "copy": copy,
    "make_lists": make_lists,
}
