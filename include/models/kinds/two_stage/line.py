"""A line beside the trees: scikit-learn's linear models on a bent line per number and a step per word.

Trees find interactions, but predict the same for all values beyond the common ones. A reader's best articles have such
values, because they were hardly ever shown, and a line extends to them. Belongs here: laying out features so that a sum
is enough, fitting its weights and summing. Does not belong here: learning with it (`ranker.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

ROWS_AT_ONCE = 50_000


def fit_lines(
    layout: ColumnTransformer, shown: Matrix, was_read: NDArray[np.bool_], read: Matrix, stays: Numbers
) -> dict[str, Pipeline]:
    """Return the line of reading, and that of the length of reads if there are any, on one layout.

    Nothing can be learnt about reading where everything or nothing was read.
    """
    if was_read.all() or not was_read.any():
        return {}
    laid = layout.fit_transform(shown).toarray()
    lines = {"reading_line": LogisticRegression(solver="newton-cholesky").fit(laid, was_read)}
    if len(read):
        lines["dwell_line"] = Ridge().fit(layout.transform(read).toarray(), stays)
    return {name: make_pipeline(layout, line) for name, line in lines.items()}


def make_layout(words: Places, counts: Places, others: Places) -> ColumnTransformer:
    """Return a layout of the columns at these places: a step per word, and a line per number that bends at its mean.

    Counts are taken by logarithm; a missing number counts as the mean and has a step of its own.
    """

    def bent(*first: TransformerMixin) -> Pipeline:
        fill = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)  # the mean, once scaled
        distance = FunctionTransformer(np.abs, feature_names_out="one-to-one")
        return make_pipeline(*first, StandardScaler(), fill, make_union("passthrough", distance))

    return ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore"), words),
            ("missing", MissingIndicator(features="all", sparse=True), np.concatenate([counts, others])),
            ("counts", bent(FunctionTransformer(np.log1p, feature_names_out="one-to-one")), counts),
            ("others", bent(), others),
        ],
        sparse_threshold=1.0,  # a dense product rounds as the number of its rows is, a sparse one row by row
    )


def add_up(lines: Sequence[Pipeline], matrix: Matrix) -> list[Numbers]:
    """Return each line's sum for each row, independent of the other rows; all lines share the first one's layout."""
    sums: list[list[Numbers]] = [[] for _ in lines]
    for start in range(0, len(matrix) if lines else 0, ROWS_AT_ONCE):
        laid = lines[0][:-1].transform(matrix[start : start + ROWS_AT_ONCE])
        for found, line in zip(sums, lines, strict=True):
            found.append((line[-1].decision_function if is_classifier(line) else line[-1].predict)(laid))
    return [np.concatenate(found) for found in sums]
