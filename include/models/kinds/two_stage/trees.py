"""Evaluate grown trees on many rows at once, with bit-for-bit the results of scikit-learn in a fraction of the time.

Scikit-learn takes one row after another from the root to a leaf, and the processor cannot predict the branches. Here
every split is evaluated for thousands of rows at once, even for rows whose path does not lead there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Numbers = NDArray[np.float32]
Trees = list[tuple[Any, NDArray[np.float64]]]  # nested splits, and the value of each leaf
Split = tuple[int, np.float32, bool, Any, Any]  # column, threshold, whether missing values go left, left and right

ROWS_AT_ONCE = 16_384  # these stay in the processor's cache while hundreds of trees read them in turn

_known: WeakKeyDictionary[Any, tuple[Any, Trees]] = WeakKeyDictionary()  # a model's predictors, and the same unfolded


def find_chances(classifier: Any, columns: Sequence[Numbers]) -> NDArray[np.float64]:
    """Return the chance of the second class for each row; `columns` are the features in their order."""
    return np.asarray(expit(find_sums(classifier, columns)))


def find_sums(model: Any, columns: Sequence[Numbers]) -> NDArray[np.float64]:
    """Return the sum of all trees for each row."""
    trees = _trees_of(model)
    sums = np.full(len(columns[0]), model._baseline_prediction.item())
    for start in range(0, len(sums), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        part, found = [column[rows] for column in columns], sums[rows]
        for root, values in trees:
            found += values.take(_walk(root, part)) if isinstance(root, tuple) else values[root]
    return sums


def _trees_of(model: Any) -> Trees:
    """Return the model's trees, unfolded once: for one reader that takes longer than evaluating them."""
    grown, trees = _known.get(model, (None, []))
    if grown is not model._predictors:
        trees = [(_unfold(tree.nodes), tree.nodes["value"]) for (tree,) in model._predictors]
        _known[model] = (model._predictors, trees)
    return trees


def _unfold(nodes: NDArray[Any], place: int = 0) -> Split | np.uint8:
    """Return the tree as nested splits, whose leaves are places among its nodes."""
    node = nodes[place]
    if node["is_leaf"]:
        return np.uint8(place)
    threshold = np.float32(node["num_threshold"])
    if threshold > node["num_threshold"]:  # use the largest float32 that is not above the float64 threshold
        threshold = np.nextafter(threshold, np.float32(-np.inf))
    left, right = (_unfold(nodes, int(node[side])) for side in ("left", "right"))
    return int(node["feature_idx"]), threshold, bool(node["missing_go_to_left"]), left, right


def _walk(split: Split | np.uint8, columns: Sequence[Numbers]) -> Any:
    """Return the leaf of each row."""
    if not isinstance(split, tuple):
        return split
    column, threshold, is_unknown_left, left, right = split
    one, other = _walk(left, columns), _walk(right, columns)
    if is_unknown_left:  # a missing value is neither above nor below
        one, other = other, one
        is_one = columns[column] > threshold
    else:
        is_one = columns[column] <= threshold
    return other ^ ((one ^ other) & np.negative(is_one.view(np.uint8)))  # a choice, without a branch
