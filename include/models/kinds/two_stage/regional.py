"""Regional pull: articles that draw one region's readers more than others, such as those about nearby places.

Belongs here: a weight per word of an article's text and region, fitted on what tastes for topics and publishers leave
unexplained, and asking it of articles. Does not belong here: tastes of single readers (`taste.py`).

An article's pull on all readers is removed first. Most words say nothing about regions and a few say much, so the
spread of weights around 0 is estimated separately for each word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from include.models.kinds.two_stage.topics import count_words

Parts = dict[str, Any]
Array = NDArray[Any]

MOST_REGIONS = 20
MOST_WORDS, FEWEST_ARTICLES = 300, 20
FEWEST_SEEN = 100_000  # with fewer rows, words differ more by chance than by region
ARTICLE_SHRINK = 2.0  # prior strength of the assumption that an article draws as its topic and publisher do
ROUNDS, FIRST_SPREAD, LEAST_SPREAD = 15, 0.02, 1e-5
PULLS = pa.schema([("article_id", pa.int64()), ("region", pa.string()), ("regional_pull", pa.float32())])


@dataclass(frozen=True)
class Leftover:
    """Effects that tastes leave unexplained, a row per seen article: its number, the reader's region (None: not known),
    the slope of the log chance of what they did, and its curvature."""

    article_id: Array
    region: Array
    pull: Array
    curve: Array


def fit_regional(catalogue: pa.Table, left: Leftover) -> Parts:
    """Return the words that tell regions apart, with their weights; empty with fewer than two regions or too few
    rows."""
    names, counts = np.unique(left.region[left.region != np.array(None)].astype(str), return_counts=True)
    regions = sorted(names[np.lexsort((names, -counts))[:MOST_REGIONS]].tolist())
    place = {article_id: number for number, article_id in enumerate(catalogue.column("article_id").to_pylist())}
    if len(regions) < 2 or not place or len(left.region) < FEWEST_SEEN:
        return {}
    code = {name: number for number, name in enumerate(regions)}
    region = np.array([code.get(name, -1) for name in left.region.tolist()])
    article = np.array([place.get(number, -1) for number in left.article_id.tolist()])
    known = (region >= 0) & (article >= 0)
    cell, shape = article[known] * len(regions) + region[known], (len(place), len(regions))
    pull, curve = (
        np.bincount(cell, values[known], shape[0] * shape[1]).reshape(shape) for values in (left.pull, left.curve)
    )
    total = curve.sum(axis=1, keepdims=True) + ARTICLE_SHRINK
    pull, curve = pull - curve * pull.sum(axis=1, keepdims=True) / total, curve * (1 - curve / total)
    said = count_words(catalogue)
    said.data[:] = 1
    often = np.flatnonzero(np.bincount(said.indices, minlength=said.shape[1]) >= FEWEST_ARTICLES)
    said = said[:, often].astype(np.float64).tocsr()
    strength = ((said.T @ pull) ** 2 / np.maximum(said.T @ curve, 1e-9)).sum(axis=1)
    telling = np.sort(np.argsort(-strength, kind="stable")[:MOST_WORDS])
    weights = _weigh(said[:, telling].tocsr(), pull, curve)
    return {"regions": regions, "words": often[telling].astype(np.int32), "weights": weights.astype(np.float32)}


def _weigh(said: sparse.csr_matrix, pull: Array, curve: Array) -> Array:
    """Return a row per word and a column per region; each word's average is 0."""
    bends = [(said.T @ said.multiply(own[:, None])).toarray() for own in curve.T]
    pulls = said.T @ pull
    spread, weights = np.full(said.shape[1], FIRST_SPREAD), np.zeros_like(pulls)
    for _ in range(ROUNDS):
        blurs = [np.linalg.inv(bend + np.diag(1 / spread)) for bend in bends]
        weights = np.column_stack([blur @ own for blur, own in zip(blurs, pulls.T, strict=True)])
        blurred = weights**2 + np.column_stack([np.diag(blur) for blur in blurs])
        spread = np.maximum(blurred.mean(axis=1), LEAST_SPREAD)
    return np.asarray(weights - weights.mean(axis=1, keepdims=True))


def find_regional(parts: Parts, catalogue: pa.Table) -> pa.Table:
    """Return how much more than elsewhere each article draws the readers of each region, in log-odds."""
    if not parts or not catalogue.num_rows:
        return PULLS.empty_table()
    said = count_words(catalogue)[:, parts["words"]].astype(bool).astype(np.float32)
    pulls = np.asarray(said @ parts["weights"])
    regions = pa.array(parts["regions"], pa.string())
    articles = pa.array(np.repeat(np.arange(catalogue.num_rows), len(regions)))
    names = regions.take(pa.array(np.tile(np.arange(len(regions)), catalogue.num_rows)))
    return pa.table([catalogue.column("article_id").take(articles), names, pulls.reshape(-1)], schema=PULLS)
