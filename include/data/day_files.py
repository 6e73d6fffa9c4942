"""Day files: the Parquet files of a snapshot, one per table and day, named by their content.

Belongs here: cutting a stream of rows into days and writing each in bounded memory, so that equal rows give equal
bytes. Does not belong here: which rows (adapters/source) and what they make up (snapshot).
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
WHOLE = "whole"  # the "day" of rows that have none
DAY_US = 86_400_000_000
EPOCH = date(1970, 1, 1)
NO_DAY = np.iinfo(np.int64).min


@dataclass(frozen=True)
class DayFile:
    """One table's rows of one day."""

    table: str
    day: str
    sha256: str
    rows: int


def store_by_day(settings: Settings, table: SourceTable, batches: Iterable[pa.RecordBatch]) -> Iterator[DayFile]:
    """One stored file per day of an ordered stream; memory holds a row group, whatever the window."""
    return _store(settings, table, (part for batch in batches for part in split_days(batch, table.day_column)))


def store_whole(settings: Settings, table: SourceTable, batches: Iterable[pa.RecordBatch]) -> Iterator[DayFile]:
    """The one stored file of a stream, none if it is empty, whatever days its rows are of."""
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
    """The batch cut where the day changes. Rows without a time, and tables without a day column, are `whole`."""
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
