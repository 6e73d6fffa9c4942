"""What a ranker says its ranking hangs on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bench.train import make_examples
from include.models.kinds.two_stage.explanation import weigh_features
from include.models.kinds.two_stage.ranker import NUMBERS, WORDS, fit_ranker


@pytest.fixture(scope="module")
def weights():
    made = make_examples(4_000, 5)
    told = np.random.default_rng(1).random(made.num_rows)
    liked = made.column_names.index("category_share")
    read = made.column_names.index("is_read")
    examples = made.set_column(liked, "category_share", pa.array(told.astype(np.float32)))
    examples = examples.set_column(read, "is_read", pa.array(told > 0.7))
    return weigh_features(fit_ranker(examples, 1), examples, 1)


def test_what_alone_decides_whether_an_article_is_read_weighs_most(weights):
    assert max(weights, key=weights.__getitem__) == "weight_category_share"
    assert weights["weight_category_share"] > 0.5


def test_weights_of_all_features_make_one_and_the_place_that_is_the_same_for_all_has_none(weights):
    assert sum(weights.values()) == pytest.approx(1.0)
    assert set(weights) == {f"weight_{name}" for name in (*WORDS, *NUMBERS)} - {"weight_position"}


def test_a_ranker_weighs_its_features_the_same_each_time():
    examples = make_examples(2_000, 5)
    parts = fit_ranker(examples, 1)
    assert weigh_features(parts, examples, 3) == weigh_features(parts, examples, 3)
