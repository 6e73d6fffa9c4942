"""Snapshots: the immutable, content-addressed copy of a window of the source.

Belongs here: taking one, describing it in a manifest, opening it. Does not belong here: judging its rows (validation)
or the connection (adapters/source). A snapshot is a manifest plus Parquet files named by their SHA-256, one per table
and day, so the same data gives the same id and a day that did not change is stored once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.adapters import duck
from include.adapters.source import check_columns, read_source, stream
from include.clock import compact, parse_moment
from include.contract import TABLES, SourceTable
from include.errors import SourceError
from include.references import Reference
from include.settings import Settings
from include.store import digest_of, keep_object, object_path, read_json, scratch, write_json

ROW_GROUP = 131_072
WHOLE = "whole"  # the "day" of rows that have none


@dataclass(frozen=True)
class DayFile:
    """One table's rows of one day."""

    table: str
    day: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Snapshot:
    """A window of the source as it was known at `as_of`. `parent` is the raw snapshot a clean one was made from."""

    as_of: datetime
    window_start: datetime
    files: tuple[DayFile, ...]
    parent: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What the content is: window, files, and whether (and from what) it was cleaned; nothing else."""
        return digest_of(self.as_of, self.window_start, [vars(file) for file in self.files], self.parent)

    @property
    def id(self) -> str:
        """Readable and content-addressed: same data, same id."""
        return f"{compact(self.as_of)}-{self.fingerprint[:12]}"

    def rows(self, table: str) -> int:
        """How many rows of a table it holds."""
        return sum(file.rows for file in self.files if file.table == table)

    def paths(self, settings: Settings, table: str) -> list[str]:
        """The Parquet files of a table."""
        return [str(object_path(settings, file.sha256)) for file in self.files if file.table == table]


def take_snapshot(settings: Settings, as_of: datetime, length: timedelta) -> Snapshot:
    """The snapshot of `[as_of - length, as_of)`, all tables from one moment of the database, stored and described.

    A table without a single row in the window is a `SourceError`: a run never goes on with nothing.
    """
    start = as_of - length
    files: list[DayFile] = []
    with read_source(settings, source_window(settings, as_of, length)) as cursor:
        check_columns(cursor)
        for table in TABLES:
            found = list(store_by_day(settings, table, stream(cursor, table)))
            if not found:
                raise SourceError(
                    f"source.{table.name} has no row for the window {start:%Y-%m-%d %H:%M} to {as_of:%Y-%m-%d %H:%M}"
                    " UTC.",
                    hint="check that the publisher delivers and that the window is the one you meant.",
                )
            files += found
    snapshot = Snapshot(as_of, start, tuple(files))
    write_manifest(settings, snapshot)
    return snapshot


def source_window(settings: Settings, as_of: datetime, length: timedelta) -> dict[str, str]:
    """The moments that the queries in `include/sql/source/` ask for, by name."""
    start = as_of - length
    return {
        "window_start": start.isoformat(),
        "window_end": as_of.isoformat(),
        "known_until": (as_of + timedelta(minutes=settings.arrival_grace_minutes)).isoformat(),
        "articles_start": (start - timedelta(days=settings.article_lookback_days)).isoformat(),
    }


def store_by_day(settings: Settings, table: SourceTable, batches: Iterable[pa.RecordBatch]) -> Iterator[DayFile]:
    """One stored file per day of an ordered stream; memory holds a row group, whatever the window."""
    writer: _DayWriter | None = None
    for batch in batches:
        for day, part in split_days(batch, table.day_column):
            if writer is None or writer.day != day:
                if writer is not None:
                    yield writer.close()
                writer = _DayWriter(settings, table, day)
            writer.add(part)
    if writer is not None:
        yield writer.close()


def split_days(batch: pa.RecordBatch, column: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batch cut where the day changes. Rows without a time, and tables without a day column, are `whole`."""
    if not batch.num_rows:
        return
    if not column:
        yield WHOLE, batch
        return
    moments = batch.column(column)
    if moments.null_count == len(moments):
        yield WHOLE, batch
        return
    micros = moments.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    days = np.where(micros < 0, -1, micros // 86_400_000_000)
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    for start, end in pairwise(cuts):
        number = int(days[start])
        day = WHOLE if number < 0 else (date(1970, 1, 1) + timedelta(days=number)).isoformat()
        yield day, batch.slice(start, end - start)


def packing(columns: pa.Schema) -> dict[str, Any]:
    """How columns are written: dictionaries for words, differences for whole numbers and times, and light zstd.

    Half the bytes and half the time of Parquet's defaults, which build a dictionary of every id before giving it up.
    """
    words = [column.name for column in columns if pa.types.is_string(column.type)]
    numbers = [
        column.name for column in columns if pa.types.is_integer(column.type) or pa.types.is_timestamp(column.type)
    ]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": words,
        "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    }


class _DayWriter:
    """Writes one day's file in row groups of a fixed size, so that equal rows give equal bytes."""

    def __init__(self, settings: Settings, table: SourceTable, day: str) -> None:
        self.settings, self.table, self.day = settings, table, day
        self.draft = scratch(settings)
        self.writer = pq.ParquetWriter(self.draft, table.columns, **packing(table.columns))
        self.held: list[pa.RecordBatch] = []
        self.held_rows = self.rows = 0

    def add(self, part: pa.RecordBatch) -> None:
        self.held.append(part)
        self.held_rows += part.num_rows
        self.rows += part.num_rows
        if self.held_rows >= ROW_GROUP:
            self._flush(last=False)

    def _flush(self, *, last: bool) -> None:
        rows = pa.Table.from_batches(self.held, self.table.columns).combine_chunks()
        full = rows.num_rows if last else rows.num_rows - rows.num_rows % ROW_GROUP
        for start in range(0, full, ROW_GROUP):
            self.writer.write_table(rows.slice(start, min(ROW_GROUP, full - start)))
        rest = rows.slice(full)
        self.held = rest.to_batches()
        self.held_rows = rest.num_rows

    def close(self) -> DayFile:
        if self.held_rows:
            self._flush(last=True)
        self.writer.close()
        return DayFile(self.table.name, self.day, keep_object(self.settings, self.draft), self.rows)


def write_manifest(settings: Settings, snapshot: Snapshot) -> Path:
    """The manifest's path; written last, so a manifest always has its files."""
    path = manifest_path(settings, snapshot.id)
    write_json(
        path,
        {
            "id": snapshot.id,
            "as_of": snapshot.as_of.isoformat(),
            "window_start": snapshot.window_start.isoformat(),
            "parent": snapshot.parent,
            "source": f"{settings.postgres_host}:{settings.postgres_port}/source",
            "schema": {table.name: {c.name: str(c.type) for c in table.columns} for table in TABLES},
            "rows": {table.name: snapshot.rows(table.name) for table in TABLES},
            "files": [vars(file) for file in snapshot.files],
            "facts": snapshot.facts,
        },
    )
    return path


def open_snapshot(reference: Reference) -> Snapshot:
    """The snapshot a reference names."""
    return read_manifest(Path(reference.uri))


def find_snapshot(settings: Settings, snapshot_id: str) -> Snapshot:
    """The stored snapshot with this id."""
    return read_manifest(manifest_path(settings, snapshot_id))


def manifest_path(settings: Settings, snapshot_id: str) -> Path:
    """Where the manifest of a snapshot lies."""
    return settings.home / "snapshots" / snapshot_id / "manifest.json"


def read_manifest(path: Path) -> Snapshot:
    """The snapshot a manifest describes."""
    data = read_json(path)
    return Snapshot(
        parse_moment(data["as_of"]).astimezone(UTC),
        parse_moment(data["window_start"]).astimezone(UTC),
        tuple(DayFile(**file) for file in data["files"]),
        data["parent"],
        data["facts"],
    )


def open_tables(settings: Settings, snapshot: Snapshot, *, name_rows: bool = False) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the snapshot's tables as views; `name_rows` adds `filename` and `file_row_number`."""
    connection = duck.connect()
    for table in TABLES:
        rows = connection.read_parquet(
            snapshot.paths(settings, table.name),
            file_row_number=name_rows,
            filename=name_rows,
        )
        rows.create_view(table.name)
    return connection


def refer_to(settings: Settings, snapshot: Snapshot, kind: str, **facts: Any) -> Reference:
    """The reference that names a stored snapshot."""
    return Reference(
        kind,
        snapshot.id,
        str(manifest_path(settings, snapshot.id)),
        snapshot.as_of,
        snapshot.fingerprint,
        (snapshot.parent,) if snapshot.parent else (),
        {**{table.name: snapshot.rows(table.name) for table in TABLES}, **snapshot.facts, **facts},
    )
