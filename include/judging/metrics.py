"""The quality of lists, measured on what readers read afterwards. The verdict decides what the numbers mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from include.adapters import duck
from include.core.contract import LONGEST_COUNTED_SECONDS
from include.features.scene_tables import open_tables
from include.features.scenes import Scenes

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """The result of one model's lists on one hold-out: gain and possible gain per reader, and the means.

    `got` and `best` are discounted seconds; their ratio over all readers is the time-weighted NDCG, in which an hour of
    reading has the same weight for every reader.
    """

    readers: NDArray[np.int64]
    got: Numbers
    best: Numbers
    means: dict[str, float]


def evaluate(
    lists: pa.Table, scenes: Scenes, outcomes: pa.Table, list_length: int, order: pa.Table | None = None
) -> Evaluation:
    """Measure time-weighted NDCG of `order` (by default, of the lists), hits, and the lists' other qualities."""
    with open_tables(scenes, lists=lists, ordered=lists if order is None else order, outcomes=outcomes) as connection:
        counting = {"list_length": list_length, "longest_counted_seconds": LONGEST_COUNTED_SECONDS}
        by_reader = duck.fetch(connection, duck.query("judging/by_reader"), counting)
        beyond = duck.fetch(connection, duck.query("judging/beyond"), counting)
    columns = {name: by_reader.column(name).to_numpy() for name in by_reader.column_names}
    means = {
        name: float(np.mean(columns[name])) if by_reader.num_rows else float("nan")
        for name in ("hit_share", "seconds_reached", "seconds_read")
    }
    means["ndcg"] = float(columns["got"].sum() / columns["best"].sum()) if by_reader.num_rows else float("nan")
    means["judged_readers"] = float(by_reader.num_rows)
    means |= {name: float("nan") if value is None else float(value) for name, value in beyond.to_pylist()[0].items()}
    return Evaluation(columns["reader_id"], columns["got"], columns["best"], means)
