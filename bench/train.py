"""`train`: fit the ranker of the default model on examples and score pairs of reader and article.

`lightgbm` is the same code with LightGBM's trees in place of scikit-learn's, with the same number, depth and bounds, on
the same rows. The rows are made up, with as many columns, missing values and words as real ones and an outcome that
depends on some of them: the time for growing and evaluating trees depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bench import libraries
from bench.figures import OURS, Figure
from bench.installation import Installation, Say
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


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of learning and of scoring, each with both kinds of trees in turns."""
    libraries.install(installation.settings.home.parent, say)
    learning = in_turns("train", (OURS, "lightgbm"), installation, repeat, say)
    scoring = in_turns("train", ("score", "score_lightgbm"), installation, repeat, say)
    names = {"score": OURS, "score_lightgbm": "lightgbm"}
    return [*learning, *(replace(one, bench="train.score", variant=names[one.variant]) for one in scoring)]


def daybreak(installation: Installation) -> Work:
    """Fit the ranker."""
    examples = make_examples(installation.sizes.examples, SEED)

    def work() -> int:
        ranker.fit_ranker(examples, SEED)
        return examples.num_rows

    return work


def score(installation: Installation) -> Work:
    """Score with a fitted ranker."""
    parts = ranker.fit_ranker(make_examples(installation.sizes.fitted_on, SEED), SEED)
    pairs = make_examples(installation.sizes.pairs, SEED + 1)

    def work() -> int:
        return len(ranker.expect_seconds(parts, pairs))

    return work


def with_lightgbm(variant: Callable[[Installation], Work]) -> Callable[[Installation], Work]:
    """Return the variant with LightGBM's trees."""

    def other(installation: Installation) -> Work:
        libraries.make_importable(installation.settings.home.parent)
        from lightgbm import LGBMClassifier, LGBMRegressor

        def grow(kind: Any) -> Callable[..., Any]:
            # LightGBM stops early only if it is given rows to decide by
            return lambda early_stopping, **trees: kind(
                verbose=-1, **{SAME_IN_LIGHTGBM[name]: trees[name] for name in trees}
            )

        vars(ranker).update(
            HistGradientBoostingClassifier=grow(LGBMClassifier),
            HistGradientBoostingRegressor=grow(LGBMRegressor),
            find_chances=lambda model, columns: model.predict_proba(np.column_stack(columns))[:, 1],
            find_sums=lambda model, columns: model.predict(np.column_stack(columns)),
        )
        return variant(installation)

    return other


def make_examples(rows: int, seed: int) -> pa.Table:
    """Return rows with all columns of the ranker, and their outcomes."""
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
