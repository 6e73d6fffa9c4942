"""`train`: the ranker of the default model learns from examples and scores pairs of reader and article.

`lightgbm` is the very same code with LightGBM's trees in the place of scikit-learn's, of the same number, depth and
bounds, on the same rows. The rows are made up: as many columns, missing values and words as the real ones have, and an
outcome that hangs on some of them, which is all that the time of growing and walking trees depends on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bench import strangers
from bench.figures import OURS, Figure
from bench.ground import Ground, Say
from bench.measure import Work, in_turns
from include.models.kinds.two_stage import ranker

SEED = 7
SAME_IN_LIGHTGBM = {
    "max_iter": "n_estimators",
    "learning_rate": "learning_rate",
    "max_leaf_nodes": "num_leaves",
    "l2_regularization": "reg_lambda",
    "min_samples_leaf": "min_child_samples",
    "monotonic_cst": "monotone_constraints",
    "random_state": "random_state",
}


def measure(ground: Ground, repeat: int, say: Say) -> list[Figure]:
    """Learning and scoring, each by both kinds of trees in turns."""
    strangers.install(ground.settings.home.parent, say)
    learning = in_turns("train", (OURS, "lightgbm"), ground, repeat, say)
    scoring = in_turns("train", ("score", "score_lightgbm"), ground, repeat, say)
    names = {"score": OURS, "score_lightgbm": "lightgbm"}
    return [*learning, *(replace(one, bench="train.score", variant=names[one.variant]) for one in scoring)]


def daybreak(ground: Ground) -> Work:
    """The ranker learns."""
    examples = make_examples(ground.sizes.examples, SEED)

    def work() -> int:
        ranker.fit_ranker(examples, SEED)
        return examples.num_rows

    return work


def score(ground: Ground) -> Work:
    """A ranker that has learnt scores."""
    parts = ranker.fit_ranker(make_examples(ground.sizes.fitted_on, SEED), SEED)
    pairs = make_examples(ground.sizes.pairs, SEED + 1)

    def work() -> int:
        return len(ranker.expect_seconds(parts, pairs))

    return work


def with_lightgbm(variant: Callable[[Ground], Work]) -> Callable[[Ground], Work]:
    """The variant, with LightGBM's trees."""

    def other(ground: Ground) -> Work:
        strangers.let_in(ground.settings.home.parent)
        from lightgbm import LGBMClassifier, LGBMRegressor

        def grow(kind: Any) -> Callable[..., Any]:
            # LightGBM does not stop early unless it is given rows to decide by
            return lambda early_stopping, **trees: kind(
                verbose=-1, **{SAME_IN_LIGHTGBM[name]: trees[name] for name in trees}
            )

        vars(ranker).update(
            HistGradientBoostingClassifier=grow(LGBMClassifier),
            HistGradientBoostingRegressor=grow(LGBMRegressor),
            find_chances=lambda model, columns: model.predict_proba(np.column_stack(columns))[:, 1],
            find_sums=lambda model, columns: model.predict(np.column_stack(columns)),
        )
        return variant(ground)

    return other


def make_examples(rows: int, seed: int) -> pa.Table:
    """Rows with every column that the ranker asks for, and what came of them."""
    chance = np.random.default_rng(seed)
    numbers = {
        name: chance.exponential(1 + place % 7, rows).astype(np.float32) for place, name in enumerate(ranker.NUMBERS)
    }
    numbers["position"] = chance.integers(1, 21, rows).astype(np.float32)
    numbers["word_count"] = chance.integers(80, 2000, rows).astype(np.float32)
    likes = numbers["taste"] + 0.3 * numbers["co_read"] - 0.1 * numbers["position"] - 0.02 * numbers["age_hours"]
    is_read = chance.random(rows) < 1 / (1 + np.exp(2 - likes))
    columns: dict[str, Any] = {
        name: pa.array(values, mask=chance.random(rows) < 0.1 if name.endswith("seconds") else None)
        for name, values in numbers.items()
    }
    for name in ranker.WORDS:
        columns[name] = pa.array(
            np.array([f"{name} {n}" for n in range(12)], dtype=object)[chance.integers(0, 12, rows)]
        )
    columns["is_read"] = pa.array(is_read)
    columns["read_seconds"] = pa.array(np.where(is_read, chance.exponential(90.0, rows), 0.0))
    return pa.table(columns)


VARIANTS = {
    OURS: daybreak,
    "lightgbm": with_lightgbm(daybreak),
    "score": score,
    "score_lightgbm": with_lightgbm(score),
}
