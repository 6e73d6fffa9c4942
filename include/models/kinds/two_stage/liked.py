"""Tastes of each request's reader for topics and publishers, and the live articles that promise them most time.

Belongs here: tastes as arrays and as tables for queries, and combining them with the promise of articles. Does not
belong here: finding tastes (`tasting.py`) and the promise of an article (`standings.sql`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.core.contract import MOMENT
from include.features.scene_arrays import Array, find_places, to_times

Numbers = NDArray[np.float32]

_KEYS = [("reader_id", pa.int64()), ("list_at", MOMENT)]
_LIKED = [("taste", pa.float32()), ("taste_spread", pa.float32())]
TASTES = pa.schema([*_KEYS, ("topic", pa.int32()), *_LIKED])
PUBLISHER_TASTES = pa.schema([*_KEYS, ("publisher", pa.string()), *_LIKED])
PROMISING = pa.schema([*_KEYS, ("article_id", pa.int64())])


@dataclass(frozen=True)
class Tastes:
    """Tastes, with a row per request of `asked`, ordered by moment and reader, and a column per topic or publisher."""

    asked: pa.Table
    topic: Numbers
    topic_spread: Numbers
    publishers: pa.Array
    publisher: Numbers
    publisher_spread: Numbers

    def tables(self) -> dict[str, pa.Table]:
        """Return the tastes as tables: a row per request and topic, and a row per request and publisher."""
        topics = pa.array(np.arange(self.topic.shape[1], dtype=np.int32))
        by_publisher = (self.publishers, self.publisher, self.publisher_spread)
        return {
            "tastes": self._by_request(TASTES, topics, self.topic, self.topic_spread),
            "publisher_tastes": self._by_request(PUBLISHER_TASTES, *by_publisher),
        }

    def _by_request(self, schema: pa.Schema, names: pa.Array, taste: Numbers, spread: Numbers) -> pa.Table:
        requests, subjects = taste.shape
        rows = pa.array(np.repeat(np.arange(requests), subjects))
        own = [self.asked.column(name).take(rows) for name in ("reader_id", "list_at")]
        subject = names.take(pa.array(np.tile(np.arange(subjects), requests)))
        return pa.table([*own, subject, taste.reshape(-1), spread.reshape(-1)], schema=schema)


def find_promising(tastes: Tastes, topical: pa.Table, tongues: pa.Table, *, liked: int, most: int) -> pa.Table:
    """Return each request's `most` promising articles, from its `liked` best topics in its languages."""
    order = np.argsort(-tastes.topic, axis=1, kind="stable")[:, :liked]
    found = list(_offer(tastes, order, topical, tongues, most))
    if not found:
        return PROMISING.empty_table()
    row, article, score = (np.concatenate(column) for column in zip(*found, strict=True))
    best = np.lexsort((article, -score, row))
    row, article = row[best], article[best]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < most
    own = tastes.asked.select(PROMISING.names[:2]).take(pa.array(row[kept]))
    return own.append_column("article_id", pa.array(article[kept])).cast(PROMISING)


def _offer(
    tastes: Tastes, order: Array, topical: pa.Table, tongues: pa.Table, most: int
) -> Iterator[tuple[Array, Array, Array]]:
    """Yield request rows, articles and scores of at least the best `most`, by moment and language."""
    reader, at = tastes.asked.column("reader_id").to_numpy(), to_times(tastes.asked.column("list_at"))
    offered_at, tongue_at = to_times(topical.column("list_at")), to_times(tongues.column("list_at"))
    for moment in np.unique(at):
        rows = np.flatnonzero(at == moment)
        offers = topical.filter(pa.array(offered_at == moment))
        speakers = tongues.filter(pa.array(tongue_at == moment))
        for language in pc.unique(speakers.column("language")).to_pylist():
            offer, speaking = (table.filter(pc.field("language") == language) for table in (offers, speakers))
            place, is_asked = find_places(reader[rows], speaking.column("reader_id").to_numpy())
            if offer.num_rows and is_asked.any():
                yield _score(tastes, order, offer, rows[place[is_asked]], most)


def _score(tastes: Tastes, order: Array, offer: pa.Table, rows: Array, most: int) -> tuple[Array, Array, Array]:
    article, promise, topic, place = (
        offer.column(name).to_numpy() for name in ("article_id", "promise", "topic", "place")
    )
    # the offers of each topic; topics with fewer offers are filled up with articles that promise nothing
    shelf = np.full((tastes.topic.shape[1], place.max()), len(article))
    shelf[topic, place - 1] = np.arange(len(article))
    promise = np.append(promise, -np.inf)
    unknown = len(tastes.publishers)
    number = pc.fill_null(pc.index_in(offer.column("publisher"), tastes.publishers), unknown)
    publisher = np.append(number.to_numpy(), unknown)
    by_publisher = np.column_stack([tastes.publisher, np.zeros(len(tastes.publisher), np.float32)])
    favourites = order[rows]
    cells = shelf[favourites]
    taste = np.take_along_axis(tastes.topic[rows], favourites, axis=1)[:, :, None]
    score = (taste + by_publisher[rows[:, None, None], publisher[cells]]) + promise[cells]
    score, cells = score.reshape(len(rows), -1), cells.reshape(len(rows), -1)
    least = (
        np.partition(score, -most, axis=1)[:, -most:].min(axis=1)
        if score.shape[1] > most
        else np.full(len(rows), -np.inf)
    )
    row, column = np.nonzero((score >= least[:, None]) & np.isfinite(score))
    return rows[row], article[cells[row, column]], score[row, column]
