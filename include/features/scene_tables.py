"""Scenes as DuckDB tables, for models that rank in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.adapters import duck
from include.features.scenes import Scenes


@contextmanager
def open_tables(scenes: Scenes, **more: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection with the scenes' tables and `more`, each by its name."""
    with duck.borrow() as connection:
        for field in fields(scenes):
            connection.register(field.name, getattr(scenes, field.name))
        for name, table in more.items():
            connection.register(name, table)
        yield connection


def split_requests(scenes: Scenes, at_once: int) -> Iterator[Scenes]:
    """Yield the scenes in parts of at most `at_once` requests, with what their readers read and were shown; each part
    has all shared tables."""
    own = {name: _by_reader(getattr(scenes, name)) for name in ("reads", "shown")}
    for start in range(0, scenes.requests.num_rows, at_once):
        requests, readers = (table.slice(start, at_once) for table in (scenes.requests, scenes.readers))
        asking = requests.column("reader_id")
        theirs = {name: _of_readers(table, ids, asking) for name, (table, ids) in own.items()}
        yield replace(scenes, requests=requests, readers=readers, **theirs)


def _by_reader(table: pa.Table) -> tuple[pa.Table, NDArray[Any]]:
    """Return the table sorted by reader, which builds are already, and the readers' ids."""
    ids = table.column("reader_id").to_numpy()
    if (ids[1:] < ids[:-1]).any():
        table = table.sort_by("reader_id")
        ids = table.column("reader_id").to_numpy()
    return table, ids


def _of_readers(table: pa.Table, ids: NDArray[Any], asking: pa.ChunkedArray) -> pa.Table:
    first, last = pc.min_max(asking).values()
    start, end = np.searchsorted(ids, [first.as_py(), last.as_py() + 1])
    near = table.slice(start, end - start)
    return near.filter(pc.is_in(near.column("reader_id"), asking))
