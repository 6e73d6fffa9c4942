"""A line beside the trees: it finds what was planted as a sum, and goes on where nothing was seen."""

from __future__ import annotations

import numpy as np
import pytest

from include.models.two_stage import line

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


def test_rows_are_added_up_alike_however_many_there_are(rows, monkeypatch):
    value = rows[1].sum(axis=1).astype(float)
    whole = sums(rows, value)
    monkeypatch.setattr(line, "ROWS_AT_ONCE", 777)
    assert sums(rows, value) == pytest.approx(whole, abs=1e-4)
