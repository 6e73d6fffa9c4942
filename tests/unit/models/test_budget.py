"""The training budget: whole readers, the same from day to day, and small regions survive."""

from __future__ import annotations

import numpy as np
import pytest

from include.core.errors import SettingsError
from include.models.budget import choose_readers, share_out

READERS = np.arange(1, 3001)
REGIONS = np.array(["large"] * 2700 + ["middle"] * 270 + ["small"] * 30, dtype=object)
ROWS = np.full(3000, 10)


def choose(max_rows, *, seed=7, readers=READERS, regions=REGIONS, rows=ROWS):
    return choose_readers(readers, regions, rows, max_rows=max_rows, seed=seed)


def ids(budget):
    return set(budget.readers.to_pylist())


def test_when_all_fit_all_are_in():
    everybody = choose(30_000)
    assert ids(everybody) == set(READERS)
    assert everybody.facts == {"train_rows": 30_000, "left_out_rows": 0, "left_out_readers": 0}
    assert everybody.sentence == "All 3,000 readers, 30,000 rows; the budget holds 30,000."


def test_above_the_budget_whole_readers_are_out_and_counted():
    chosen = choose(10_000)
    assert chosen.rows == 10 * len(chosen.readers) <= 10_000
    assert chosen.rows > 9_900
    assert chosen.facts["left_out_rows"] == 30_000 - chosen.rows
    assert chosen.facts["left_out_readers"] == 3_000 - len(chosen.readers)


def test_a_small_region_survives_whole_while_a_large_one_is_thinned_out():
    chosen = choose(10_000)
    assert chosen.regions["small"] == (300, 300)
    assert chosen.regions["middle"][0] / 2_700 > chosen.regions["large"][0] / 27_000 > 0.2
    assert "large 27.3 %, middle 86.3 %, small 100 %" in chosen.sentence


def test_who_is_in_with_little_is_in_with_more_and_on_another_day():
    assert ids(choose(5_000)) < ids(choose(10_000))
    new_readers = np.concatenate([READERS, np.arange(5001, 5101)])
    tomorrow = choose(
        10_000,
        readers=new_readers,
        regions=np.concatenate([REGIONS, np.array(["large"] * 100, dtype=object)]),
        rows=np.full(3100, 10),
    )
    assert len(ids(choose(10_000)) - ids(tomorrow)) < 40


def test_who_is_in_does_not_depend_on_the_order_of_the_readers():
    back = slice(None, None, -1)
    assert ids(choose(5_000)) == ids(choose(5_000, readers=READERS[back], regions=REGIONS[back]))


def test_another_seed_chooses_others():
    one, other = ids(choose(5_000)), ids(choose(5_000, seed=8))
    assert len(one & other) < 0.5 * len(one)


def test_a_reader_larger_than_the_budget_is_out_and_takes_nobody_along():
    rows = ROWS.copy()
    rows[:5] = 1_000_000
    chosen = choose(10_000, rows=rows)
    assert not ids(chosen) & {1, 2, 3, 4, 5}
    assert chosen.regions["large"][0] > 5_000


def test_a_budget_in_which_nobody_fits_is_an_error_that_names_it():
    with pytest.raises(SettingsError, match="Not one of 3,000 readers fits a training budget of 5 rows"):
        choose(5)


@pytest.mark.parametrize(
    ("totals", "limit", "parts"),
    [
        ({"a": 100, "b": 100}, 200, {"a": 100, "b": 100}),
        ({"a": 100, "b": 100}, 100, {"a": 50, "b": 50}),
        ({"a": 400, "b": 100}, 150, {"a": 100, "b": 50}),
        ({"a": 9_900, "b": 1}, 100, {"a": 99, "b": 1}),
        ({"a": 0, "b": 4}, 2, {"a": 0, "b": 2}),
        ({}, 2, {}),
    ],
)
def test_a_budget_is_shared_by_square_roots_and_nobody_gets_more_than_they_want(totals, limit, parts):
    found = share_out(totals, limit)
    assert found == pytest.approx(parts, abs=1)
    assert sum(found.values()) <= limit
