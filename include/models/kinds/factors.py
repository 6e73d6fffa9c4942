"""A matrix factorisation, which places readers and articles along the main axes of all reads.

Reads count less for busy readers and popular articles, so that the axes represent taste; popularity is added at the end
with a small exponent. Only articles' places are saved: a reader's place follows from their reads and a new article's
from its readers. So nothing is fitted while ranking, and unknown readers get popular articles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.adapters import skops_files
from include.features.scene_arrays import Array, Counts, Reads, find_places, to_time
from include.features.scenes import Scenes
from include.models import RANKED, Range
from include.models.threads import one_thread

CHOSEN = {
    "factors": 60,
    "flatten": 0.5,  # exponent that makes the axes' strengths more equal
    "popular": 0.4,  # exponent of an article's readers in the final score
}
MOST_READERS = 100_000
SIGHT_HOURS = 14 * 24
POPULAR_HOURS = 24  # a version holds no more hours of the crowd
CELLS_AT_ONCE = 4_000_000
LIKED, POPULAR_REASON = "Close to what you have read", "Read by many right now"


class Factors:
    """Rank articles by closeness to the reader's taste, and popularity."""

    name: ClassVar[str] = "factors"

    TUNABLE: ClassVar[Mapping[str, Range]] = {
        "factors": Range(8, 120, is_whole=True, is_log=True),
        "flatten": Range(0, 1),
        "popular": Range(0, 1),
    }

    def __init__(self, parts: dict[str, Any] | None = None, chosen: Mapping[str, float] = CHOSEN) -> None:
        self.parts, self.chosen = parts or {}, chosen

    @classmethod
    def tuned(cls, parameters: Mapping[str, float]) -> Factors:
        """Return a model to be fitted with these parameters."""
        return cls(chosen=parameters)

    def fit(self, scenes: Scenes, outcomes: pa.Table, *, seed: int) -> dict[str, float]:
        """Learn the places of all articles that were read before the last moment or in the outcomes."""
        last = pc.max(scenes.requests.column("list_at")).as_py()
        until = to_time(last) if last else 0
        reader, article, _ = Reads(scenes.all_reads).before(until, SIGHT_HOURS)
        opened = outcomes.filter(pc.field("is_opened"))
        pairs = np.stack(
            [
                np.concatenate([reader, opened.column("reader_id").to_numpy()]),
                np.concatenate([article, opened.column("article_id").to_numpy()]),
            ]
        )
        readers, row = np.unique(pairs[0], return_inverse=True)
        if len(readers) > MOST_READERS:
            drawn = np.random.default_rng(seed).permutation(len(readers))[:MOST_READERS]
            pairs = pairs[:, np.isin(row, drawn)]
        ids, place = np.unique(pairs[1], return_inverse=True)
        _, row = np.unique(pairs[0], return_inverse=True)
        with threadpool_limits(1):  # sums on several threads differ a little each time
            self.parts = {"ids": ids, "popular": self.chosen["popular"], **_factorise(row, place, self.chosen)}
        return {"readers": float(len(readers)), "articles": float(len(ids))}

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """Rank the live (or given) articles by closeness to the reader's reads, then by popularity."""
        found, moments = [RANKED.empty_table()], sorted(set(scenes.requests.column("list_at").to_pylist()))
        if not moments:
            return found[0]
        crowd, own = Reads(scenes.all_reads, moments[0] - timedelta(hours=POPULAR_HOURS)), Reads(scenes.reads)
        with one_thread():
            for list_at in moments:
                found += self._rank_moment(scenes, list_at, crowd, own, depth, candidates)
        return pa.concat_tables(found)

    def _rank_moment(
        self, scenes: Scenes, list_at: datetime, crowd: Reads, own: Reads, depth: int, candidates: pa.Table | None
    ) -> Iterator[pa.Table]:
        then, moment = scenes.between(list_at, list_at + timedelta(microseconds=1)), to_time(list_at)
        ids = np.sort(then.articles.column("article_id").to_numpy())
        readers = np.sort(then.requests.column("reader_id").to_numpy())
        if not len(ids):
            return
        given = None if candidates is None else candidates.filter(pc.equal(candidates.column("list_at"), list_at))
        theirs, read, _ = crowd.before(moment, POPULAR_HOURS)
        place, is_live = find_places(ids, read)
        popularity = np.bincount(place[is_live], minlength=len(ids)).astype(np.float64)
        places = self._find_articles(ids, theirs, read)
        reader, article, _ = own.before(moment, SIGHT_HOURS, readers)
        size = max(1, CELLS_AT_ONCE // len(ids))
        for start in range(0, len(readers), size):
            part = readers[start : start + size]
            row, is_in = find_places(part, reader)
            row, read = row[is_in], article[is_in]
            taste = self._find_readers(row, read, len(part)) @ places.T
            score = np.maximum(taste, 0) * (popularity + 1) ** self.parts["popular"] + 1e-6 * np.log1p(popularity)
            score += np.minimum(taste, 0) * 1e-6
            place, is_live = find_places(ids, read)
            score[row[is_live], place[is_live]] = -np.inf
            if given is not None:
                score = np.where(_are_given(part, ids, given), score, -np.inf)
            yield _best(part, ids, list_at, score.astype(np.float32), taste > 0, depth)

    def _find_readers(self, row: Counts, article: Counts, count: int) -> Array:
        """Return the readers' places: the sum of their reads' places over the square root of their number."""
        place, is_known = find_places(self.parts["ids"], article)
        row, place = row[is_known], place[is_known]
        weight = self.parts["scale"][place] / np.sqrt(np.bincount(row, minlength=count))[row]
        return np.asarray(_spread(row, place, weight, (count, len(self.parts["ids"]))) @ self.parts["places"])

    def _find_articles(self, ids: Counts, reader: Counts, article: Counts) -> Array:
        """Return the places of live articles; a new article's place follows from its readers'."""
        known, is_known = find_places(self.parts["ids"], ids)
        readers, row = np.unique(reader, return_inverse=True)
        place, is_live = find_places(ids, article)
        used = is_live & ~is_known[place] if len(ids) else is_live
        weight = 1 / np.sqrt(np.bincount(place[used], minlength=len(ids)) + 1.0)[place[used]]
        by_readers = _spread(place[used], row[used], weight, (len(ids), len(readers)))
        found = np.asarray(by_readers @ self._find_readers(row, article, len(readers)))
        if len(self.parts["ids"]):
            found[is_known] = self.parts["places"][known[is_known]]
        return found

    def save(self, folder: Path) -> None:
        """Save the articles' places in one file."""
        skops_files.dump(self.parts, folder / "factors.skops")

    @classmethod
    def load(cls, folder: Path) -> Factors:
        """Return the model in a folder."""
        return cls(skops_files.load(folder / "factors.skops"))


def _factorise(row: Counts, place: Counts, chosen: Mapping[str, float]) -> dict[str, Array]:
    """Return the places of articles, and the weight of a read of each."""
    readers, articles = int(row.max(initial=-1)) + 1, int(place.max(initial=-1)) + 1
    matrix = _spread(row, place, np.ones(len(row)), (readers, articles))
    matrix.data[:] = 1.0  # a second read adds nothing
    scale = 1 / np.sqrt(np.asarray(matrix.sum(axis=0)).ravel() + 1)
    much = 1 / np.sqrt(np.asarray(matrix.sum(axis=1)).ravel() + 1)
    count = min(int(chosen["factors"]), readers - 1, articles - 1)
    if count < 1:
        return {"scale": scale, "places": np.zeros((articles, 1))}
    weighed = sparse.diags(much) @ matrix @ sparse.diags(scale)
    _, strength, axes = svds(weighed, k=count, v0=np.ones(min(weighed.shape)))
    return {"scale": scale, "places": axes.T * (strength / max(strength.max(), 1e-9)) ** chosen["flatten"]}


def _spread(row: Counts, column: Counts, value: Array, shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((value, (row, column)), shape=shape, dtype=np.float64)


def _are_given(part: Counts, ids: Counts, given: pa.Table) -> Array:
    row, is_asked = find_places(part, given.column("reader_id").to_numpy())
    place, is_live = find_places(ids, given.column("article_id").to_numpy())
    chosen = np.zeros((len(part), len(ids)), bool)
    chosen[row[is_asked & is_live], place[is_asked & is_live]] = True
    return chosen


def _best(part: Counts, ids: Counts, list_at: datetime, score: Array, is_liked: Array, depth: int) -> pa.Table:
    order = np.argsort(-score, axis=1, kind="stable")[:, :depth]
    best = np.take_along_axis(score, order, axis=1)
    row, rank = np.nonzero(np.isfinite(best))
    place = order[row, rank]
    columns = [part[row], pa.array([list_at] * len(row), RANKED.field("list_at").type), rank + 1, ids[place]]
    reason = np.where(is_liked[row, place], LIKED, POPULAR_REASON)
    return pa.table([*columns, best[row, rank], pa.array(reason, pa.string())], names=RANKED.names).cast(RANKED)
