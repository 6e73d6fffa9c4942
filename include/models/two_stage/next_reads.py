"""What is read next, learnt from a log that does not note what was shown: reads against other candidates.

A read weighs as many seconds as it lasted, where the log says how long, so that the odds of being read stand for time
spent. Trees are only trusted as far as they are better than plain co-reading on requests that were kept back from them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from include.features import Scenes
from include.models.scene_arrays import Array, Counts, find_places
from include.models.two_stage.histories import View, views_of

Parts = dict[str, Any]

NOT_READ_PER_REQUEST = 30
MOST_READS = 30_000
LONGEST_COUNTED_SECONDS = 600.0
FEW_REQUESTS, FOLDS, MOST_KEPT_BACK = 3000, 4, 1500
TREES = {"max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 20, "l2_regularization": 2.0, "min_samples_leaf": 40}
TRUST = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # in trees, the rest in plain co-reading
PLAIN_SCALE = 3.0
DOUBT = 0.12  # half of what a request's NDCG may differ by chance: a gain must be larger to be believed
FEWEST_CANDIDATES = 100
MOMENT = pa.timestamp("us", tz="UTC")


def fit_next_reads(scenes: Scenes, read: pa.Table, seed: int) -> Parts:
    """Trees on the features of what was read after each moment and of other candidates; `read` has the read pairs."""
    random = np.random.default_rng(seed)
    if read.num_rows > MOST_READS:
        read = read.take(pa.array(np.sort(random.choice(read.num_rows, MOST_READS, replace=False))))
    columns, seconds, requests, asked = [], [], [], 0
    for view in views_of(scenes):
        own = read.filter(pc.equal(read.column("list_at"), pa.scalar(view.list_at, MOMENT)))
        readers, articles, lasted = (
            own.column(name).to_numpy() for name in ("reader_id", "article_id", "read_seconds")
        )
        for part in view.parts(np.unique(readers)):
            pairs = view.look(part)
            gain = _gains(view, part, readers, articles, lasted)[pairs.row, pairs.place]
            kept = _thin(pairs.row, gain > 0, random)
            columns.append({name: column[kept] for name, column in pairs.features.items()})
            seconds.append(gain[kept])
            requests.append(asked + pairs.row[kept])
            asked += len(part)
    if not columns:
        return {"trust": 0.0}
    names = sorted(columns[0])
    features = np.column_stack([np.concatenate([some[name] for some in columns]) for name in names])
    return {"names": names, **_learn(names, features, np.concatenate(seconds), np.concatenate(requests), seed)}


def rank_next_reads(parts: Parts, scenes: Scenes, depth: int, candidates: pa.Table | None) -> pa.Table:
    """The best `depth` candidates (or of the given ones) per request, with what their reasons need."""
    found = [NOTHING]
    for view in views_of(scenes):
        given = (
            None
            if candidates is None
            else candidates.filter(pc.equal(candidates.column("list_at"), pa.scalar(view.list_at, MOMENT)))
        )
        for part in view.parts(view.readers):
            pairs = view.look(part, max(FEWEST_CANDIDATES, 3 * depth), given and _places(view, part, given))
            score = _score(parts, pairs.features)
            order = np.lexsort((view.ids[pairs.place], -score, pairs.row))
            row = pairs.row[order]
            rank = np.arange(len(order)) - np.searchsorted(row, np.arange(len(part)))[row] + 1
            kept = order[rank <= depth]
            found.append(_tell(view, part, pairs, kept, score, rank[rank <= depth]))
    return pa.concat_tables(found)


def _gains(view: View, part: Counts, readers: Counts, articles: Counts, lasted: Array) -> Array:
    """Requests by live articles: what each read is worth, nought for what was not read."""
    row, is_in = find_places(part, readers)
    place, is_live = find_places(view.ids, articles)
    used = is_in & is_live
    gain = np.zeros((len(part), len(view.ids)), np.float32)
    known = np.where(np.isnan(lasted), 1.0, np.clip(lasted, 1.0, LONGEST_COUNTED_SECONDS))
    gain[row[used], place[used]] = known[used]
    return gain


def _thin(row: Counts, is_read: NDArray[np.bool_], random: np.random.Generator) -> Counts:
    """All that was read, and of each request some that was not, at random."""
    chance = np.where(is_read, -1.0, random.random(len(row)))
    order = np.lexsort((chance, row))
    ordered = row[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, np.arange(row.max(initial=-1) + 1))[ordered]
    return np.sort(order[place <= NOT_READ_PER_REQUEST])


def _learn(names: list[str], features: Array, gain: Array, request: Counts, seed: int) -> Parts:
    """Trees, and how far to trust them: as far as serves the requests best that they have not seen, and no farther.

    Where there are few requests each is kept back once, and the trees that stay are grown on all of them.
    """
    count = int(request.max(initial=-1)) + 1
    order = np.random.default_rng(seed).permutation(count)
    few = count < FEW_REQUESTS
    kept_back = [order[fold::FOLDS] for fold in range(FOLDS)] if few else [order[:MOST_KEPT_BACK]]
    found, trees = dict.fromkeys(TRUST, 0.0), None
    for requests in kept_back:
        is_kept_back = np.isin(request, requests)
        trees = _grow(features[~is_kept_back], gain[~is_kept_back], seed)
        if trees is None:
            return {"trust": 0.0}
        unseen = {name: features[is_kept_back, number] for number, name in enumerate(names)}
        for trust in TRUST:
            score = _score({"names": names, "trees": trees, "trust": trust}, unseen)
            found[trust] += _find_ndcg(request[is_kept_back], score, gain[is_kept_back])
    doubt = DOUBT * np.sqrt(sum(len(requests) for requests in kept_back)) * gain[gain > 0].mean()
    trust = max(found, key=lambda trust: (found[trust] - trust * doubt, -trust))
    return {"trees": _grow(features, gain, seed) if few else trees, "trust": trust}


def _grow(features: Array, gain: Array, seed: int) -> HistGradientBoostingClassifier | None:
    """Trees that tell what is read, or None where there is nothing to tell apart."""
    was_read = gain > 0
    if not was_read.any() or was_read.all():
        return None
    # weights make scikit-learn many times slower, so none are given where all reads are worth the same
    weight = np.where(was_read, gain / gain[was_read].mean(), 1.0) if np.ptp(gain[was_read]) else None
    known = np.where(np.isnan(features).all(axis=0), np.float32(0), features)
    return HistGradientBoostingClassifier(**TREES, early_stopping=False, random_state=seed).fit(known, was_read, weight)


def _score(parts: Parts, features: dict[str, Array]) -> Array:
    plain = PLAIN_SCALE * features["plain"].astype(np.float64)
    if not parts["trust"] or not len(plain):
        return plain
    matrix = np.column_stack([features[name] for name in parts["names"]])
    return np.asarray(parts["trust"] * parts["trees"].decision_function(matrix) + (1 - parts["trust"]) * plain)


def _find_ndcg(request: Counts, score: Array, gain: Array) -> float:
    """The sum of what the order gets over requests; equal scores count as the worse."""
    order = np.lexsort((gain, -score, request))
    ordered = request[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered) + 1
    return float((gain[order] / np.log2(rank + 1)).sum())


def _places(view: View, part: Counts, given: pa.Table) -> tuple[Counts, Counts]:
    """The given pairs of these readers and live articles, as rows and places in order."""
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
        *(("reader_id", pa.int64()), ("list_at", MOMENT), ("article_id", pa.int64()), ("score", pa.float64())),
        *(("rank", pa.int64()), ("co_read_strongest", pa.float32()), ("category_share", pa.float32())),
        *(("read_count_6h", pa.float32()), ("age_hours", pa.float64())),
    ]
)
NOTHING = SCORED.empty_table()
