"""The ranker: the chance that an article is read, and how long a read lasts, from the same features.

Each is the mean of two answers, of boosted trees and of a line (`line.py`), as log-odds and as logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.core.contract import LONGEST_COUNTED_SECONDS
from include.models import Range
from include.models.kinds.two_stage import saved_line
from include.models.kinds.two_stage.line import add_up, fit_lines, make_layout
from include.models.kinds.two_stage.trees import find_chances, find_sums
from include.models.threads import one_thread

Parts = dict[str, Any]

WORDS = ("region", "plan", "category", "language")
NUMBERS = (
    "read_count_1h", "read_count_3h", "read_count_6h", "read_count_1d", "impression_count_1d", "trend", "heat_place",
    "click_share", "article_mean_read_seconds", "age_hours", "word_count",
    "tenure_days", "impression_count", "read_count", "reader_read_count_1d", "mean_read_seconds", "active_day_count",
    "category_share", "publisher_share", "language_share", "is_interest",
    "taste", "taste_spread", "publisher_taste", "regional_pull", "is_own_language",
    "co_read", "co_read_strongest", "read_together", "read_together_share", "read_together_last", "following_last",
    "position",
)  # fmt: skip
RISING = ("taste", "publisher_taste", "regional_pull")  # a larger value never means less reading
LINE_COUNTS = ("read_count_6h", "read_count_1d", "impression_count_1d", "age_hours", "word_count", "position")
LINE_OTHERS = ("category_share", "publisher_share", "language_share", "is_interest", *RISING, "is_own_language")
LINE_ROWS = 100_000  # more rows would not change a line
USUAL_WORDS, FEWEST_WORDS = 500, 50
TREES = {"max_iter": 120, "learning_rate": 0.06, "max_leaf_nodes": 12, "l2_regularization": 1.0, "min_samples_leaf": 60}
TREE_RANGES = {
    "max_iter": Range(40, 300, is_whole=True, is_log=True),
    "learning_rate": Range(0.02, 0.2, is_log=True),
    "max_leaf_nodes": Range(6, 40, is_whole=True, is_log=True),
    "l2_regularization": Range(0.1, 10, is_log=True),
    "min_samples_leaf": Range(20, 200, is_whole=True, is_log=True),
}


def fit_ranker(examples: pa.Table, seed: int, chosen: Mapping[str, float] | None = None) -> Parts:
    """Return the models and the vocabularies; `chosen` parameters replace the trees' usual ones."""
    parts: Parts = {"vocabularies": {name: sorted(set(examples.column(name).to_pylist())) for name in WORDS}}
    matrix = np.column_stack(_columns(parts, examples))
    was_read = examples.column("is_read").to_numpy()
    seconds = examples.column("read_seconds").to_numpy()
    is_comparable, lasted = _is_comparable(examples), was_read & (seconds > 0)
    names = (*WORDS, *NUMBERS)
    rising = np.isin(names, RISING).astype(int).tolist()
    trees = {**TREES, **(chosen or {}), "monotonic_cst": rising, "random_state": seed}
    trees["early_stopping"] = False  # it would decide on a random tenth, of the same readers and moments
    parts["reading"] = HistGradientBoostingClassifier(**trees).fit(
        _without_empty_columns(matrix[is_comparable]), was_read[is_comparable]
    )
    stays = np.log1p(np.minimum(seconds[lasted], LONGEST_COUNTED_SECONDS)) - np.log(_lengths(examples)[lasted])
    if lasted.any():
        parts["dwell"] = HistGradientBoostingRegressor(**trees).fit(_without_empty_columns(matrix[lasted]), stays)
    with threadpool_limits(1):  # sums on several threads differ a little each time
        shown, read = (_some(np.flatnonzero(rows), seed) for rows in (is_comparable, lasted))
        stay = stays[np.isin(np.flatnonzero(lasted), read)]
        layout = make_layout(*(np.flatnonzero(np.isin(names, some)) for some in (WORDS, LINE_COUNTS, LINE_OTHERS)))
        return parts | fit_lines(layout, _without_empty_columns(matrix[shown]), was_read[shown], matrix[read], stay)


def expect_seconds(parts: Parts, pairs: pa.Table) -> NDArray[Any]:
    """Return the expected reading time of each pair; in a log without times, the chance of reading."""
    if not pairs.num_rows:
        return np.zeros(0)
    columns = _columns(parts, pairs)
    trees = [logit(np.clip(find_chances(parts["reading"], columns), 1e-6, 1 - 1e-6))]
    if "dwell" in parts:
        trees.append(find_sums(parts["dwell"], columns))
    lines = _ask_lines(parts, np.column_stack(columns))
    odds, *stays = [(tree + line) / 2 for tree, line in zip(trees, lines, strict=True)] if lines else trees
    chance = np.asarray(expit(odds))
    return chance * np.expm1(stays[0] + np.log(_lengths(pairs))) if stays else chance


def _ask_lines(parts: Parts, matrix: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Return what the lines say to each row: log-odds and, if known, the logarithm of the stay; none without lines."""
    if "lines" not in parts:
        return add_up([parts[name] for name in ("reading_line", "dwell_line") if name in parts], matrix)
    with one_thread():
        sums = saved_line.add_up(parts["layout"], parts["lines"], matrix[:, : len(WORDS)], matrix[:, len(WORDS) :])
    return list(sums.T.astype(np.float64))


def _some(rows: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Return as many rows as a line needs, in their order."""
    if len(rows) <= LINE_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, LINE_ROWS, replace=False))


def _lengths(pairs: pa.Table) -> NDArray[Any]:
    """Return the number of words to read; how long a read lasts is learnt relative to it."""
    words = pc.fill_null(pairs.column("word_count"), USUAL_WORDS).to_numpy()
    return np.asarray(np.maximum(words, FEWEST_WORDS), np.float64)


def _columns(parts: Parts, pairs: pa.Table) -> list[NDArray[np.float32]]:
    """Return the trees' columns, in their order."""
    words = [
        pc.fill_null(pc.index_in(pairs.column(name), pa.array(parts["vocabularies"][name], pa.string())), -1)
        for name in WORDS
    ]
    columns = [*words, *(pairs.column(name) for name in NUMBERS)]
    return [column.cast(pa.float32()).to_numpy() for column in columns]


def _without_empty_columns(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the matrix with 0 in columns that are missing in every row: nothing can be learnt from them."""
    return np.where(np.isnan(matrix).all(axis=0), np.float32(0), matrix)


def _is_comparable(examples: pa.Table) -> NDArray[Any]:
    """Return which examples to learn the chance from: reads of articles never shown have no unread counterpart."""
    shown = np.asarray(examples.column("position").is_valid())
    return shown if shown.any() else np.ones(len(shown), dtype=bool)
