"""Rank the next reads, learnt from a log without impressions: reads against other candidates.

A read weighs its seconds, where known, so that the odds of a read stand for time spent. Counts come first: co-reading
and recent reads of all readers in the best mix, then reads of the last day, then the newest articles; a small log has
little more to offer. Trees are trusted only as far as they beat these counts on held-back requests, judged against the
candidates that the counts rank first, because any ranking looks good among the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from include.core.contract import LONGEST_COUNTED_SECONDS, MOMENT
from include.features.scene_arrays import Array, Counts, find_places
from include.features.scenes import Scenes
from include.models.kinds.two_stage.counts import (
    COUNTS,
    USUAL,
    choose_counts,
    choose_surely,
    find_hard,
    find_ndcg,
    mix,
    with_counts,
)
from include.models.kinds.two_stage.signals import Pairs, View, views_of
from include.models.kinds.two_stage.trees import find_sums

Parts = dict[str, Any]

NOT_READ_PER_REQUEST = 30
MOST_READS = 30_000
FEW_REQUESTS, FOLDS, MOST_KEPT_BACK = 3000, 4, 1500
TREES = {"max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 20, "l2_regularization": 2.0, "min_samples_leaf": 40}
TRUST = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # weight of trees; the rest is the weight of counts
FEWEST_CANDIDATES = 100


def fit_next_reads(scenes: Scenes, read: pa.Table, seed: int) -> Parts:
    """Learn trees and counts from the pairs in `read` against other candidates of each moment."""
    random = np.random.default_rng(seed)
    if read.num_rows > MOST_READS:
        read = read.take(pa.array(np.sort(random.choice(read.num_rows, MOST_READS, replace=False))))
    fold = _fold(read, random)
    lessons, tests, asked = _Rows(), _Rows(), 0
    for view in views_of(scenes):
        own = read.filter(pc.equal(read.column("list_at"), pa.scalar(view.list_at, MOMENT)))
        readers, articles, lasted = (
            own.column(name).to_numpy() for name in ("reader_id", "article_id", "read_seconds")
        )
        for part in view.parts(np.unique(readers)):
            pairs = view.look(part)
            gain = _gains(view, part, readers, articles, lasted)[pairs.row, pairs.place]
            lessons.add(pairs, gain, asked, _thin(pairs.row, gain > 0, random))
            kept_back = np.flatnonzero(fold[asked + pairs.row] >= 0)
            counted = with_counts(view, pairs)
            is_test = find_hard(pairs.row[kept_back], {name: counted[name][kept_back] for name in COUNTS})
            is_test |= gain[kept_back] > 0
            tests.add(replace(pairs, features=counted), gain, asked, kept_back[is_test])
            asked += len(part)
    if not lessons.columns:
        return {"trust": 0.0, **USUAL}
    return _learn(lessons, tests, fold, seed)


class _Rows:
    """Collected rows of features, with the gain and the request of each."""

    def __init__(self) -> None:
        self.columns: list[dict[str, Array]] = []
        self.gains: list[Array] = []
        self.requests: list[Array] = []

    def add(self, pairs: Pairs, gain: Array, first: int, kept: Counts) -> None:
        self.columns.append({name: column[kept] for name, column in pairs.features.items()})
        self.gains.append(gain[kept])
        self.requests.append(first + pairs.row[kept])

    def join(self) -> tuple[dict[str, Array], Array, Array]:
        """Return features by name, gains, and numbers of requests; added rows are released."""
        features = {name: np.concatenate([some.pop(name) for some in self.columns]) for name in sorted(self.columns[0])}
        return features, np.concatenate(self.gains), np.concatenate(self.requests)


def _fold(read: pa.Table, random: np.random.Generator) -> Counts:
    """Return each request's round of being held back from the trees, -1 if never; few requests are held once each."""
    count = read.group_by(["list_at", "reader_id"]).aggregate([]).num_rows
    fold, order = np.full(count, -1), random.permutation(count)
    if count < FEW_REQUESTS:
        fold[order] = np.arange(count) % FOLDS
    else:
        fold[order[:MOST_KEPT_BACK]] = 0
    return fold


def rank_next_reads(parts: Parts, scenes: Scenes, depth: int, candidates: pa.Table | None) -> pa.Table:
    """Return the best `depth` candidates, found or given, per request, with the columns that reasons need."""
    found = [NOTHING]
    for view in views_of(scenes):
        given = (
            None
            if candidates is None
            else candidates.filter(pc.equal(candidates.column("list_at"), pa.scalar(view.list_at, MOMENT)))
        )
        for part in view.parts(view.readers):
            pairs = view.look(part, max(FEWEST_CANDIDATES, 3 * depth), given and _places(view, part, given))
            score = _score(parts, with_counts(view, pairs))
            order = np.lexsort((view.ids[pairs.place], -score, pairs.row))
            row = pairs.row[order]
            rank = np.arange(len(order)) - np.searchsorted(row, np.arange(len(part)))[row] + 1
            kept = order[rank <= depth]
            found.append(_tell(view, part, pairs, kept, score, rank[rank <= depth]))
    return pa.concat_tables(found)


def _gains(view: View, part: Counts, readers: Counts, articles: Counts, lasted: Array) -> Array:
    """Return the gain of each read, requests by live articles; 0 for unread articles."""
    row, is_in = find_places(part, readers)
    place, is_live = find_places(view.ids, articles)
    used = is_in & is_live
    gain = np.zeros((len(part), len(view.ids)), np.float32)
    known = np.where(np.isnan(lasted), 1.0, np.clip(lasted, 1.0, LONGEST_COUNTED_SECONDS))
    gain[row[used], place[used]] = known[used]
    return gain


def _thin(row: Counts, is_read: NDArray[np.bool_], random: np.random.Generator) -> Counts:
    """Return all reads, and a random few unread candidates of each request."""
    chance = np.where(is_read, -1.0, random.random(len(row)))
    order = np.lexsort((chance, row))
    ordered = row[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, np.arange(row.max(initial=-1) + 1))[ordered]
    return np.sort(order[place <= NOT_READ_PER_REQUEST])


def _learn(lessons: _Rows, tests: _Rows, fold: Counts, seed: int) -> Parts:
    """Return the mix of counts, the trees, and the trust in them that serves unseen requests best.

    Few requests are each held back once; the final trees are then grown on all of them.
    """
    features, gain, request = lessons.join()
    unseen, unseen_gain, unseen_request = tests.join()
    names = list(features)
    matrix = np.column_stack([features.pop(name) for name in names])
    if not (unseen_gain > 0).any():
        return {"trust": 0.0, **USUAL}
    counts = choose_counts(unseen, unseen_gain, unseen_request)
    found: dict[float, list[Array]] = {trust: [] for trust in TRUST}
    trees = None
    for turn in range(int(fold.max()) + 1):
        is_lesson = fold[request] != turn
        trees = _grow(matrix[is_lesson], gain[is_lesson], seed)
        if trees is None:
            return {"trust": 0.0, **counts}
        is_asked = fold[unseen_request] == turn
        some = {name: column[is_asked] for name, column in unseen.items()}
        judged = _judge_trees(names, trees, some)
        for trust in TRUST:
            score = mix({"trust": trust, **counts}, judged, some)
            found[trust].append(find_ndcg(unseen_request[is_asked], score, unseen_gain[is_asked]))
    trust = TRUST[choose_surely([np.concatenate(found[one]) for one in TRUST])]
    if not trust:
        return {"trust": 0.0, **counts}
    if fold.min() >= 0:
        trees = _grow(matrix, gain, seed)
    return {"names": names, "trees": trees, "trust": trust, **counts}


def _grow(features: Array, gain: Array, seed: int) -> HistGradientBoostingClassifier | None:
    """Return trees that predict reads, or None if all or no rows were read."""
    was_read = gain > 0
    if not was_read.any() or was_read.all():
        return None
    # weights make scikit-learn many times slower, so they are left out when all reads weigh the same
    weight = np.where(was_read, gain / gain[was_read].mean(), 1.0) if np.ptp(gain[was_read]) else None
    known = np.where(np.isnan(features).all(axis=0), np.float32(0), features)
    return HistGradientBoostingClassifier(**TREES, early_stopping=False, random_state=seed).fit(known, was_read, weight)


def _score(parts: Parts, features: dict[str, Array]) -> Array:
    trees = 0.0 if not parts["trust"] else _judge_trees(parts["names"], parts["trees"], features)
    return mix(parts, trees, features)


def _judge_trees(names: list[str], trees: HistGradientBoostingClassifier, features: dict[str, Array]) -> Array:
    return np.asarray(find_sums(trees, [features[name] for name in names]))


def _places(view: View, part: Counts, given: pa.Table) -> tuple[Counts, Counts]:
    """Return the given pairs of these readers and live articles as sorted rows and places."""
    row, is_asked = find_places(part, given.column("reader_id").to_numpy())
    place, is_live = find_places(view.ids, given.column("article_id").to_numpy())
    cells = np.unique(row[is_asked & is_live] * max(1, len(view.ids)) + place[is_asked & is_live])
    found, within = np.divmod(cells, max(1, len(view.ids)))
    return found, within


def _tell(view: View, part: Counts, pairs: Any, kept: Counts, score: Array, rank: Counts) -> pa.Table:
    row, place = pairs.row[kept], pairs.place[kept]
    return pa.table(
        [
            part[row],
            pa.array([view.list_at] * len(kept), MOMENT),
            view.ids[place],
            score[kept],
            rank,
            pairs.features["beside_day_of_best"][kept],
            pairs.features["category_ever"][kept],
            view.crowd.counts["reads_6h"][place],
            (view.moment - view.published[place]) / 3.6e9,
        ],
        schema=SCORED,
    )


SCORED = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("list_at", MOMENT),
        ("article_id", pa.int64()),
        ("score", pa.float64()),
        ("rank", pa.int64()),
        ("co_read_strongest", pa.float32()),
        ("category_share", pa.float32()),
        ("read_count_6h", pa.float32()),
        ("age_hours", pa.float64()),
    ]
)
NOTHING = SCORED.empty_table()
