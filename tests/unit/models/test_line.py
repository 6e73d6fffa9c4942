"""A line beside the trees: it finds what was planted as a sum, and goes on where nothing was seen."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.kinds.two_stage import line

ROWS = 20_000
NONE, FIRST = np.zeros(3, bool), np.array([True, False, False])


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(5)
    numbers = random.normal(0, 1, (ROWS, 3)).astype(np.float32)
    return random.integers(-1, 2, (ROWS, 1)).astype(np.float32), numbers


def sums(rows, value, rising=(), is_straight=NONE, asked=None):
    layout = line.fit_layout(*rows, NONE, is_straight)
    weights = line.fit_sum(line.lay_out(layout, *rows), value, np.array(rising, int))
    return line.add_up(layout, weights[:, None], *(asked or rows))[:, 0]


def test_it_finds_sums_of_bent_lines_and_words(rows):
    words, numbers = rows
    value = 2 * numbers[:, 0] + np.maximum(numbers[:, 1], 0) - 3 * (words[:, 0] == 1)
    assert np.corrcoef(sums(rows, value), value)[0, 1] > 0.999


def test_it_goes_on_beyond_what_it_saw(rows):
    far = np.zeros((1, 1), np.float32), np.array([[6, 0, 0]], np.float32)
    assert sums(rows, rows[1][:, 0].astype(float), asked=far)[0] == pytest.approx(6, abs=0.3)


def test_what_may_only_rise_never_falls(rows):
    found = sums(rows, -rows[1][:, 0].astype(float), rising=[1], is_straight=FIRST)
    assert abs(np.corrcoef(found, rows[1][:, 0])[0, 1]) < 0.1


def test_it_finds_planted_odds(rows):
    random, odds = np.random.default_rng(6), rows[1][:, 0] - 0.5
    happened = random.random(ROWS) < 1 / (1 + np.exp(-odds))
    layout = line.fit_layout(*rows, NONE, NONE)
    weights = line.fit_chance(line.lay_out(layout, *rows), happened, np.array([], int))
    off = line.add_up(layout, weights[:, None], *rows)[:, 0] - odds
    assert np.sqrt((off**2).mean()) < 0.15


def test_what_is_unknown_or_always_the_same_does_no_harm(rows):
    words, numbers = rows[0], rows[1].copy()
    numbers[:, 1], numbers[::2, 2] = 4, np.nan
    numbers[:, 0] = np.nan
    found = sums((words, numbers), np.where(np.isnan(numbers[:, 2]), 1.0, numbers[:, 2]))
    assert np.isfinite(found).all()
    assert found[::2] == pytest.approx(1, abs=0.1)


def test_a_row_alone_is_added_up_as_among_many_to_the_last_bit(monkeypatch):
    random = np.random.default_rng(8)
    words = random.integers(-1, 9, (4_000, 4)).astype(np.float32)
    numbers = random.normal(0, 3, (4_000, 32)).astype(np.float32)
    layout = line.fit_layout(words, numbers, np.zeros(32, bool), np.zeros(32, bool))
    weights = random.normal(0, 1, (line.lay_out(layout, words[:1], numbers[:1]).shape[1], 2)).astype(np.float32)
    whole = line.add_up(layout, weights, words, numbers)
    alone = [line.add_up(layout, weights, words[n : n + 1], numbers[n : n + 1])[0] for n in range(200)]
    assert np.array_equal(alone, whole[:200])
    monkeypatch.setattr(line, "ROWS_AT_ONCE", 777)
    assert np.array_equal(line.add_up(layout, weights, words, numbers), whole)
