"""The default model: a few hundred candidates per reader, then a ranker that learns time spent.

Candidates come from co-reading, trends, the reader's categories and what is fresh (candidates.sql). The ranker is two
gradient-boosted models on the same features (pair_features.sql): the chance that a shown article is read, and how long
a read lasts; their product is the expected time. The place an article was shown at is a feature while learning and the
first place for everybody while ranking, so that being shown on top does not look like being good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from include.adapters import skops_files
from include.features import Scenes
from include.models import RANKED
from include.models.scene_tables import find_pairs, open_tables, run

WORDS = ("region", "plan", "category", "language")
NUMBERS = (
    "read_count_1h",
    "read_count_3h",
    "read_count_6h",
    "read_count_1d",
    "impression_count_1d",
    "click_share",
    "article_mean_read_seconds",
    "age_hours",
    "word_count",
    "tenure_days",
    "impression_count",
    "read_count",
    "reader_read_count_1d",
    "mean_read_seconds",
    "active_day_count",
    "category_share",
    "publisher_share",
    "language_share",
    "co_read",
    "co_read_strongest",
    "position",
)
CANDIDATES = {"trending": 20, "leading": 15, "fresh": 15, "favourites": 5, "languages": 1, "together": 20}
TOGETHER_HOURS = 24.0
REASONS = {"strong_co_read": 0.2, "strong_share": 0.15, "strong_reads": 5, "fresh_hours": 6}
LONGEST_COUNTED_SECONDS = 600.0
REQUESTS_AT_ONCE = 1500
TREES = {"max_iter": 120, "learning_rate": 0.08, "max_leaf_nodes": 31, "l2_regularization": 1.0}


class TwoStage:
    """Candidates, then expected reading time."""

    name: ClassVar[str] = "two_stage"

    def __init__(self, parts: dict[str, Any] | None = None) -> None:
        self.parts = parts or {}

    def fit(self, scenes: Scenes, outcomes: pa.Table, *, seed: int) -> dict[str, float]:
        """Learn from what was shown or read after each moment."""
        with open_tables(
            scenes, pairs=outcomes.select(["reader_id", "list_at", "article_id", "position"])
        ) as connection:
            examples = run(connection, "pair_features", together_hours=TOGETHER_HOURS)
        keys = ["reader_id", "list_at", "article_id"]
        seconds = (
            examples.select(keys)
            .append_column("row_no", pa.array(np.arange(examples.num_rows)))
            .join(outcomes.select([*keys, "read_seconds"]), keys)
            .sort_by("row_no")
            .column("read_seconds")
            .to_numpy()
        )
        self.parts = {"vocabularies": {name: sorted(set(examples.column(name).to_pylist())) for name in WORDS}}
        matrix = self._matrix(examples)
        was_read = seconds > 0
        was_shown = _was_shown(examples)
        self.parts["reading"] = HistGradientBoostingClassifier(**TREES, min_samples_leaf=40, random_state=seed).fit(
            matrix[was_shown], was_read[was_shown]
        )
        self.parts["dwell"] = HistGradientBoostingRegressor(**TREES, min_samples_leaf=40, random_state=seed).fit(
            matrix[was_read], np.log1p(np.minimum(seconds[was_read], LONGEST_COUNTED_SECONDS))
        )
        return {"example_rows": float(examples.num_rows), "example_reads": float(was_read.sum())}

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """The `depth` articles with the longest expected reading time per request."""
        ranked = [self._rank_part(part, depth, candidates) for part in split_requests(scenes, REQUESTS_AT_ONCE)]
        return pa.concat_tables([RANKED.empty_table(), *ranked]).sort_by(
            [("list_at", "ascending"), ("reader_id", "ascending"), ("rank", "ascending")]
        )

    def _rank_part(self, scenes: Scenes, depth: int, candidates: pa.Table | None) -> pa.Table:
        with open_tables(scenes) as connection:
            found = find_pairs(connection, candidates, "candidates", **CANDIDATES)
            connection.register("pairs", found.append_column("position", pa.array(np.ones(found.num_rows))))
            pairs = run(connection, "pair_features", together_hours=TOGETHER_HOURS)
            connection.register("scored", pairs.append_column("score", pa.array(self._expected_seconds(pairs))))
            connection.register("ranked", run(connection, "best", depth=depth))
            return run(connection, "reasons", **REASONS).cast(RANKED)

    def _expected_seconds(self, pairs: pa.Table) -> np.ndarray[Any, Any]:
        if not pairs.num_rows:
            return np.zeros(0)
        matrix = self._matrix(pairs)
        chance = self.parts["reading"].predict_proba(matrix)[:, 1]
        return np.asarray(chance * np.expm1(self.parts["dwell"].predict(matrix)))

    def _matrix(self, pairs: pa.Table) -> np.ndarray[Any, Any]:
        words = [
            pc.fill_null(pc.index_in(pairs.column(name), pa.array(self.parts["vocabularies"][name], pa.string())), -1)
            for name in WORDS
        ]
        columns = [*words, *(pairs.column(name) for name in NUMBERS)]
        return np.column_stack([column.cast(pa.float32()).to_numpy() for column in columns])

    def save(self, folder: Path) -> None:
        """Vocabularies and both models in one file."""
        skops_files.dump(self.parts, folder / "two_stage.skops")

    @classmethod
    def load(cls, folder: Path) -> TwoStage:
        """The model in a folder."""
        return cls(skops_files.load(folder / "two_stage.skops"))


def split_requests(scenes: Scenes, at_once: int) -> Iterator[Scenes]:
    """The scenes in parts of a bounded number of requests; what all readers share is in each part."""
    for start in range(0, scenes.requests.num_rows, at_once):
        yield replace(
            scenes,
            requests=scenes.requests.slice(start, at_once),
            readers=scenes.readers.slice(start, at_once),
        )


def _was_shown(examples: pa.Table) -> np.ndarray[Any, Any]:
    """Reads of what was never shown have no unread counterpart: the chance of a read is not learnt from them."""
    shown = np.asarray(examples.column("position").is_valid())
    return shown if shown.any() else np.ones(len(shown), dtype=bool)
