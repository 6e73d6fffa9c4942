"""A line beside the trees: a sum of a piecewise straight line per feature and a step per word.

Trees find interactions, but predict the same for all values beyond the common ones. A reader's best articles have such
values, because they were hardly ever shown, and a line extends to them. Belongs here: laying out features so that a sum
is enough, and solving for its weights. Does not belong here: learning with it (`ranker.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Parts = dict[str, Any]
Matrix = NDArray[np.float32]
Numbers = NDArray[np.float64]

BENDS = (0.1, 0.5, 0.9)  # share of a feature's values below each bend
FEWEST_BEYOND = 0.01
FARTHEST = 8.0  # standard deviations
NEARLY_NOUGHT = 0.02  # added to counts and times before their logarithm
RIDGE = 5.0
STEPS = 8
ROWS_AT_ONCE = 50_000


def fit_layout(codes: Matrix, numbers: Matrix, is_count: NDArray[np.bool_], is_straight: NDArray[np.bool_]) -> Parts:
    """Return the layout of these features: counts by logarithm, all scaled by spread, bent at common values.

    Features in `is_straight` have no bends; `codes` are of words, -1 for others.
    """
    values = _scale(numbers, is_count)
    known = ~np.isnan(values)
    often = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0, dtype=np.float64) / often
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / often)
    spread[spread < 1e-6] = np.inf  # a constant feature says nothing
    values = np.asarray((values - mean) / spread, np.float32)
    bends = []
    for place in np.flatnonzero(~is_straight & np.isfinite(spread)):
        mine = values[known[:, place], place]
        for bend in np.unique(np.quantile(mine, BENDS)):
            if min((mine > bend).mean(), (mine < bend).mean()) > FEWEST_BEYOND:
                bends.append((float(place), float(bend)))
    words = [(float(place), code) for place in range(codes.shape[1]) for code in np.unique(codes[:, place]).tolist()]
    return {
        "is_count": is_count,
        "mean": mean.astype(np.float32),
        "spread": spread.astype(np.float32),
        "bends": np.array(bends, np.float32).reshape(-1, 2),
        "words": np.array(words, np.float32).reshape(-1, 2),
    }


def lay_out(layout: Parts, codes: Matrix, numbers: Matrix) -> Matrix:
    """Return a column per weight: the constant, the features, their bends, missing values, and words."""
    values = (_scale(numbers, layout["is_count"]) - layout["mean"]) / layout["spread"]
    unknown = np.isnan(values)
    values = np.clip(np.where(unknown, np.float32(0), values), -FARTHEST, FARTHEST)
    count, bends, words = values.shape[1], layout["bends"], layout["words"]
    laid = np.empty((len(values), 1 + 2 * count + len(bends) + len(words)), np.float32)
    laid[:, 0] = 1
    laid[:, 1 : 1 + count], laid[:, 1 + count : 1 + 2 * count] = values, unknown
    rest = 1 + 2 * count
    for place, bend in bends:
        laid[:, rest] = np.maximum(values[:, int(place)] - bend, 0)
        rest += 1
    for place, code in words:
        laid[:, rest] = codes[:, int(place)] == code
        rest += 1
    return laid


def fit_chance(laid: Matrix, happened: NDArray[np.bool_], rising: NDArray[np.intp]) -> Matrix:
    """Return weights whose sum is the log-odds that it happened; those of columns `rising` are never below 0."""
    weights = np.zeros(laid.shape[1])
    for _ in range(STEPS):
        chance = expit(laid @ weights.astype(np.float32))
        sure = np.maximum(chance * (1 - chance), 1e-6)
        bend = (laid * sure[:, None]).T @ laid
        slope = laid.T @ (happened - chance).astype(np.float32) - RIDGE * weights
        weights += _solve(bend, slope)
    weights[rising] = np.maximum(weights[rising], 0)
    return weights.astype(np.float32)


def fit_sum(laid: Matrix, value: Numbers, rising: NDArray[np.intp]) -> Matrix:
    """Return weights whose sum is nearest to the value; those of columns `rising` are never below 0."""
    weights = _solve(laid.T @ laid, laid.T @ value.astype(np.float32))
    weights[rising] = np.maximum(weights[rising], 0)
    return weights.astype(np.float32)


def add_up(layout: Parts, weights: Matrix, codes: Matrix, numbers: Matrix) -> Matrix:
    """Return each row's sums, a column per column of `weights`, independent of the other rows."""
    parts = [
        # the rounding of a matrix product depends on its number of rows
        np.einsum(
            "ij,jk->ik",
            lay_out(layout, codes[start : start + ROWS_AT_ONCE], numbers[start : start + ROWS_AT_ONCE]),
            weights,
        )
        for start in range(0, len(numbers), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def _solve(bend: Matrix, slope: NDArray[Any]) -> Numbers:
    return np.asarray(np.linalg.solve(bend.astype(np.float64) + RIDGE * np.eye(len(bend)), slope), np.float64)


def _scale(numbers: Matrix, is_count: NDArray[np.bool_]) -> Matrix:
    values = numbers.copy()
    values[:, is_count] = np.log(np.maximum(values[:, is_count], 0) + np.float32(NEARLY_NOUGHT))
    return values
