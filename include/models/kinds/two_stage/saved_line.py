"""The line of versions saved in form 2, before scikit-learn's own parts took its place (`line.py`).

Such a version holds its line as arrays: scales, bends and words of the features, and a weight for each. It scores as on
the day it was saved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Parts = dict[str, Any]
Matrix = NDArray[np.float32]

FARTHEST = 8.0  # standard deviations
NEARLY_NOUGHT = 0.02  # added to counts and times before their logarithm
ROWS_AT_ONCE = 50_000


def add_up(layout: Parts, weights: Matrix, codes: Matrix, numbers: Matrix) -> Matrix:
    """Return each row's sums, a column per column of `weights`, independent of the other rows."""
    parts = [
        # a matrix product rounds as the number of its rows is
        np.einsum(
            "ij,jk->ik",
            _lay_out(layout, codes[start : start + ROWS_AT_ONCE], numbers[start : start + ROWS_AT_ONCE]),
            weights,
        )
        for start in range(0, len(numbers), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def _lay_out(layout: Parts, codes: Matrix, numbers: Matrix) -> Matrix:
    """Return a column per weight: the constant, the features, missing values, the features' bends, and words."""
    is_count = layout["is_count"]
    values = numbers.copy()
    values[:, is_count] = np.log(np.maximum(values[:, is_count], 0) + np.float32(NEARLY_NOUGHT))
    values = (values - layout["mean"]) / layout["spread"]
    unknown = np.isnan(values)
    values = np.clip(np.where(unknown, np.float32(0), values), -FARTHEST, FARTHEST)
    bends = [np.maximum(values[:, int(place)] - bend, 0) for place, bend in layout["bends"]]
    words = [codes[:, int(place)] == code for place, code in layout["words"]]
    return np.column_stack([np.ones(len(values), np.float32), values, unknown, *bends, *words])
