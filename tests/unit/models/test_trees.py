"""Grown trees answer as scikit-learn lets them answer, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from include.models.kinds.two_stage import trees
from include.models.kinds.two_stage.trees import find_chances, find_sums

ROWS = 3_000


@pytest.fixture(scope="module")
def columns():
    """Whole numbers and fractions, a column that is hardly known, and one of two numbers with none in between."""
    random = np.random.default_rng(3)
    found = [random.integers(0, 5, ROWS), random.standard_normal(ROWS), random.exponential(size=ROWS)]
    odd = np.nextafter(np.float32(1), np.float32(2))
    near = np.where(random.random(ROWS) < 0.5, odd, np.nextafter(odd, np.float32(2)))
    found += [np.where(random.random(ROWS) < 0.7, np.nan, found[1]), near]
    return [column.astype(np.float32) for column in found]


@pytest.fixture(scope="module")
def wanted(columns):
    known = np.nan_to_num(columns[3], nan=2.0)
    return (
        columns[0]
        + 3 * known
        + 3 * (columns[4] > columns[4].min())
        + np.sin(4 * columns[1])
        + np.random.default_rng(4).standard_normal(ROWS)
    )


def with_odd_rows(columns):
    """The rows, and some of which nothing is known or that are beyond everything."""
    more = np.array([np.nan, np.inf, -np.inf], np.float32)
    return [np.concatenate([column, more]) for column in columns]


@pytest.mark.parametrize("leaves", [2, 12, 40])
def test_a_sum_is_what_scikit_learn_predicts(columns, wanted, leaves, monkeypatch):
    monkeypatch.setattr(trees, "ROWS_AT_ONCE", 777)
    model = HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=leaves, random_state=1)
    model.fit(np.column_stack(columns), wanted)
    asked = with_odd_rows(columns)
    assert np.array_equal(find_sums(model, asked), model.predict(np.column_stack(asked)))


def test_trees_that_are_grown_again_are_not_those_from_before(columns, wanted):
    model = HistGradientBoostingRegressor(max_iter=5, random_state=1)
    before, after = (find_sums(model.fit(np.column_stack(columns), goal), columns) for goal in (wanted, -wanted))
    assert np.array_equal(after, model.predict(np.column_stack(columns)))
    assert not np.array_equal(before, after)


def test_a_chance_is_what_scikit_learn_predicts(columns, wanted):
    model = HistGradientBoostingClassifier(max_iter=30, random_state=1).fit(np.column_stack(columns), wanted > 3)
    asked = with_odd_rows(columns)
    assert np.array_equal(find_chances(model, asked), model.predict_proba(np.column_stack(asked))[:, 1])


def test_trees_that_learnt_nothing_give_everybody_the_same(columns):
    model = HistGradientBoostingRegressor(max_iter=3).fit(np.column_stack(columns), np.ones(ROWS))
    assert set(find_sums(model, columns)) == {1.0}


def test_nobody_asks_and_nothing_is_answered(columns, wanted):
    model = HistGradientBoostingRegressor(max_iter=3).fit(np.column_stack(columns), wanted)
    assert len(find_sums(model, [column[:0] for column in columns])) == 0
