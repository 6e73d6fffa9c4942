"""Scenes as numpy arrays, for models that count in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Array = NDArray[Any]
Numbers = NDArray[np.float32]
Counts = NDArray[np.int64]

HOUR = 3_600_000_000


class Reads:
    """Reads in order of reader and time, ready to be cut at many moments."""

    def __init__(self, table: pa.Table, since: Any = None) -> None:
        if since is not None:
            table = table.filter(pc.field("read_at") >= pa.scalar(since, table.schema.field("read_at").type))
        reader, article = (np.asarray(table.column(name).to_numpy(), np.int64) for name in ("reader_id", "article_id"))
        at, known = to_times(table.column("read_at")), to_times(table.column("known_at"))
        order = np.lexsort((article, at, reader))
        self.reader, self.article, self.at, self.known = (one[order] for one in (reader, article, at, known))

    def before(self, moment: int, hours: float, readers: Counts | None = None) -> tuple[Counts, Counts, Counts]:
        """Return reader, article and time of the reads in the hours before a moment, as known then."""
        is_in = (self.at < moment) & (self.known < moment) & (self.at >= moment - int(hours * HOUR))
        if readers is not None:
            is_in &= np.isin(self.reader, readers)
        return self.reader[is_in], self.article[is_in], self.at[is_in]


def to_times(column: pa.ChunkedArray) -> Counts:
    """Return microseconds since 1970; unknown times are far in the future."""
    return np.asarray(pc.fill_null(pc.cast(column, pa.int64()), np.iinfo(np.int64).max // 2).to_numpy(), np.int64)


def to_time(moment: Any) -> int:
    """Return a moment in UTC as microseconds since 1970."""
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64))


def find_places(ids: Counts, wanted: Counts) -> tuple[Counts, NDArray[np.bool_]]:
    """Return the place of each wanted id among the sorted ids, and whether it is there."""
    if not len(ids):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), bool)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return place, ids[place] == wanted
