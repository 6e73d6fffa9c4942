"""Paired differences: what is certain, what may be chance, and that a slice's interval is the bootstrap's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from include.judging.bootstrap import find_gaps


def gaps(*columns, seed=7, tails=None):
    gains = np.column_stack([np.asarray(gain, float) for gain, _ in columns])
    best = np.column_stack([np.asarray(most, float) for _, most in columns])
    return find_gaps(gains, best, seed, tails or [0.05] * len(columns))


def test_a_gain_that_every_reader_has_is_certain():
    (gap,) = gaps((np.full(50, 0.1), np.ones(50)))
    assert (gap.mean, gap.low, gap.high) == pytest.approx((0.1, 0.1, 0.1))
    assert (gap.chance, gap.readers) == (1.0, 50)


def test_a_gain_of_a_few_among_many_losses_may_be_chance():
    (gap,) = gaps((np.array([5.0, *[-0.1] * 49]), np.ones(50)))
    assert gap.mean == pytest.approx(0.002)
    assert gap.low < 0 < gap.high
    assert 0.2 < gap.chance < 0.8


def test_the_interval_is_as_wide_as_theory_says():
    gains = np.random.default_rng(1).normal(0.05, 0.2, 400)
    (gap,) = gaps((gains, np.ones(400)))
    half = 1.96 * gains.std() / math.sqrt(400)
    assert gap.high - gap.low == pytest.approx(2 * half, rel=0.1)


def test_an_hour_weighs_the_same_whoever_reads_it():
    (gap,) = gaps(([0.0, 300.0], [100.0, 300.0]))
    assert gap.mean == pytest.approx(0.75)


def test_a_reader_counts_in_a_slice_where_there_was_something_to_gain():
    found = gaps((np.full(4, 0.1), np.ones(4)), ([0.1, 0.1, 0, 0], [1, 1, 0, 0]))
    assert [gap.readers for gap in found] == [4, 2]


def test_a_smaller_tail_makes_a_wider_interval():
    gains = np.random.default_rng(1).normal(0.05, 0.2, 400)
    usual, careful = gaps((gains, np.ones(400)), (gains, np.ones(400)), tails=[0.05, 0.005])
    assert careful.low < usual.low < usual.high < careful.high


def test_the_same_draws_serve_every_column_and_every_run():
    gains = np.random.default_rng(1).normal(0, 1, 100)
    one, two = gaps((gains, np.ones(100)), (gains, np.ones(100)))
    (alone,) = gaps((gains, np.ones(100)))
    for other in (two, alone):
        assert (other.low, other.high) == pytest.approx((one.low, one.high))


def test_nobody_or_not_a_number_proves_nothing():
    (nobody,) = gaps(([], []))
    (broken,) = gaps(([math.nan, 1.0], [1.0, 1.0]))
    assert nobody.readers == 0
    assert math.isnan(nobody.low)
    assert math.isnan(broken.mean)
    assert math.isnan(broken.low)
    assert math.isnan(broken.chance)
