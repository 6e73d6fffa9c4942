"""A check passes only when it was really made and its number is good."""

from __future__ import annotations

import math
from itertools import product

import pytest

from include.core.checks import Check, at_least, at_most, blocking


def a_check(severity, outcome):
    return Check("X1", "t", "s", severity, outcome, 1.0, ">= 1", "s")


@pytest.mark.parametrize(("observed", "outcome"), [(0.9, "failed"), (1.0, "passed"), (1.1, "passed")])
def test_at_least_is_passed_from_the_limit_on(observed, outcome):
    assert at_least("X1", "t", "s", observed, 1.0, "s").outcome == outcome


@pytest.mark.parametrize(("observed", "outcome"), [(0.9, "passed"), (1.0, "passed"), (1.1, "failed")])
def test_at_most_is_passed_up_to_the_limit(observed, outcome):
    assert at_most("X1", "t", "s", observed, 1.0, "s").outcome == outcome


@pytest.mark.parametrize("make", [at_least, at_most])
@pytest.mark.parametrize("observed", [None, math.nan, math.inf, -math.inf])
def test_a_number_that_is_missing_or_not_finite_never_passes(make, observed):
    check = make("X1", "t", "s", observed, 0.0, "s")
    assert (check.outcome, check.observed) == ("failed", None)


@pytest.mark.parametrize("make", [at_least, at_most])
def test_a_limit_that_is_not_a_number_is_never_reached(make):
    assert make("X1", "t", "s", 1.0, math.nan, "s").outcome == "failed"


def test_only_a_blocking_check_that_passed_lets_things_go_on():
    pairs = product(["block", "warn", "info"], ["passed", "failed", "not applicable"])
    stops = {pair for pair in pairs if a_check(*pair).blocks}
    assert stops == {("block", "failed"), ("block", "not applicable")}


def test_blocking_lists_exactly_the_checks_that_block():
    good, bad, noted = a_check("block", "passed"), a_check("block", "failed"), a_check("warn", "failed")
    assert blocking([good, bad, noted]) == [bad]


def test_a_check_is_data():
    assert a_check("warn", "failed").to_dict()["outcome"] == "failed"
