"""Day files: the Parquet files of a snapshot, one per table and day, named by their content.

Belongs here: splitting a stream of rows into days and writing each in bounded memory, so that equal rows give equal
bytes. Does not belong here: reading the rows (adapters/source) or combining files into a snapshot (snapshot).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.core.contract import SourceTable
from include.core.settings import Settings
from include.data.store import keep_object, scratch

ROW_GROUP = 131_072
WHOLE = "whole"  # the "day" of rows without one
DAY_US = 86_400_000_000
EPOCH = date(1970, 1, 1)
NO_DAY = np.iinfo(np.int64).min


@dataclass(frozen=True)
class DayFile:
    """The stored file with one table's rows of one day."""

    table: str
    day: str
    sha256: str
    rows: int


def store_by_day(settings: Settings, table: SourceTable, batches: Iterable[pa.RecordBatch]) -> Iterator[DayFile]:
    """Store one file per day of an ordered stream and yield each; memory holds one row group at a time."""
    return _store(settings, table, (part for batch in batches for part in split_days(batch, table.day_column)))


def store_whole(settings: Settings, table: SourceTable, batches: Iterable[pa.RecordBatch]) -> Iterator[DayFile]:
    """Store a stream of rows of any days as one file and yield it; yield nothing for an empty stream."""
    return _store(settings, table, ((WHOLE, batch) for batch in batches if batch.num_rows))


def _store(settings: Settings, table: SourceTable, parts: Iterable[tuple[str, pa.RecordBatch]]) -> Iterator[DayFile]:
    writer: _DayWriter | None = None
    for day, part in parts:
        if writer is None or writer.day != day:
            if writer is not None:
                yield writer.close()
            writer = _DayWriter(settings, table, day)
        writer.add(part)
    if writer is not None:
        yield writer.close()


def split_days(batch: pa.RecordBatch, column: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield the batch in pieces of one day each. Rows without a time, and tables without a day column, are `whole`."""
    if not batch.num_rows:
        return
    if not column:
        yield WHOLE, batch
        return
    moments = batch.column(column)
    days = np.floor_divide(moments.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), DAY_US)
    if moments.null_count:
        days = np.where(moments.is_null().to_numpy(zero_copy_only=False), NO_DAY, days)
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]
    for start, end in pairwise(cuts):
        number = int(days[start])
        day = WHOLE if number == NO_DAY else (EPOCH + timedelta(days=number)).isoformat()
        yield day, batch.slice(start, end - start)


def packing(columns: pa.Schema) -> dict[str, Any]:
    """Return the writer's options: dictionaries for strings, deltas for integers and times, and fast zstd.

    This takes half the bytes and half the time of Parquet's defaults, which first build a dictionary of all ids.
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
    """A writer of one day's file, in row groups of a fixed size, so that equal rows give equal bytes."""

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
