"""A paired bootstrap over readers: intervals and chances for many differences at once.

All differences of a verdict use the same draws of readers, so a reader has the same weight in each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Gap:
    """A paired difference over readers, its interval (95 % by default), and the chance that it is a gain."""

    mean: float
    low: float
    high: float
    chance: float
    readers: int


def find_gaps(gains: Numbers, best: Numbers, seed: int, tails: Sequence[float]) -> list[Gap]:
    """Return a gap per column of `gains` (ours minus theirs, readers x differences) over `best` (the possible gain).

    A reader counts in a column only if there was something to gain. `tails` is the share outside the interval, both
    sides together, per column. Without readers everything is NaN, which passes no check.
    """
    readers, columns = gains.shape
    if not readers:
        nothing = float("nan")
        return [Gap(nothing, nothing, nothing, nothing, 0)] * columns
    both = np.hstack([gains, best])
    random = np.random.default_rng(seed)
    ratios = np.empty((RESAMPLES, columns))
    with np.errstate(invalid="ignore", divide="ignore"):
        for number in range(RESAMPLES):
            drawn = np.bincount(random.integers(0, readers, readers), minlength=readers)
            sums = drawn.astype(np.float64) @ both
            ratios[number] = sums[:columns] / sums[columns:]
        means = gains.sum(axis=0) / best.sum(axis=0)
        counted = (best > 0).sum(axis=0)
        edges = [np.quantile(ratios[:, column], [tail / 2, 1 - tail / 2]) for column, tail in enumerate(tails)]
    chances = np.where(np.isfinite(means), (ratios > 0).mean(axis=0), np.nan)
    return [
        Gap(float(mean), float(low), float(high), float(chance), int(count))
        for mean, (low, high), chance, count in zip(means, edges, chances, counted, strict=True)
    ]
