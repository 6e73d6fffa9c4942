"""The distance between two profiles, on profiles written by hand."""

from __future__ import annotations

import pytest

from include.validation.history import change
from include.validation.history.profiles import MOST_WORDS
from include.validation.limits import load_limits

LIMITS = load_limits()


def profile(rows=1000, **columns):
    return {"rows": rows, "columns": columns}


def number(mean, std=10.0, nulls=0):
    return {"kind": "number", "mean": mean, "std": std, "nulls": nulls}


def word(nulls=0, **words):
    return {"kind": "word", "words": words, "nulls": nulls}


def missing(*counts):
    """Return days of 1,000 rows, with these counts of missing `summary`."""
    return [profile(summary=word(nulls=count, a=1000 - count)) for count in counts]


def null_check(now, days, limits=LIMITS.articles):
    return check(missing(now)[0], days, limits)


def check(now, days, limits):
    """The check on missing values, held to its limits as Great Expectations holds them."""
    fullness = change.learn_null_shares("articles", now, days, limits, 3, 200)
    least = fullness.parameters()
    kept = {
        rule.code
        for column, rule in fullness.rules().items()
        if 1 - change.null_share(now, column) >= least[rule.limits[0]]
    }
    return change.check_null_shares(fullness, kept)


def test_a_limit_is_learned_from_the_middle_the_spread_and_chance():
    assert change.learned_limit([0.1, 0.1, 0.1], 1_000_000) == pytest.approx(0.12), "two points above the middle"
    assert change.learned_limit([0.1, 0.2, 0.3], 1_000_000) == pytest.approx(0.2 + 5 * 1.4826 * 0.1)
    assert change.learned_limit([0.5, 0.5, 0.5], 400) == pytest.approx(0.5 + 4 * 0.025)
    assert change.learned_limit([0.9, 1.0, 0.95], 100) == 1.0
    assert change.learned_limit([], 100) is None


def test_more_missing_values_than_the_days_before_taught_are_noted():
    days = missing(100, 100, 100)
    limit = 100 + 1000 * 4 * (0.1 * 0.9 / 1000) ** 0.5  # 138 of 1,000
    assert null_check(int(limit), days).outcome == "passed"
    found = null_check(int(limit) + 1, days)
    assert (found.outcome, found.severity, found.observed) == ("failed", "warn", 1)
    assert "summary 13.8 % (limit 13.79 %)" in found.sentence


def test_one_day_without_values_does_not_teach_that_none_are_needed():
    assert null_check(500, missing(0, 0, 1000, 0, 0)).outcome == "failed"


def test_a_given_limit_takes_the_place_of_the_learned_one():
    given = LIMITS.articles.model_copy(update={"null_share": {"summary": 0.6}})
    assert null_check(600, missing(0, 0, 0), given).outcome == "passed"
    assert null_check(601, missing(0, 0, 0), given).outcome == "failed"
    assert null_check(601, [], given).outcome == "failed", "it needs no history"


def test_of_columns_that_miss_too_much_the_one_furthest_beyond_its_limit_comes_first_and_three_are_named():
    given = LIMITS.articles.model_copy(update={"null_share": {"a": 0.1, "b": 0.1, "c": 0.5, "d": 0.1}})
    now = profile(**{name: word(nulls=n, x=1000 - n) for name, n in {"a": 200, "b": 400, "c": 650, "d": 110}.items()})
    named = "b 40 % (limit 10 %), c 65 % (limit 50 %), a 20 % (limit 10 %)."
    assert check(now, [], given).sentence == f"4 columns miss more values than allowed (0 days of history): {named}"


def test_the_column_nearest_to_its_limit_is_named_when_none_is_beyond():
    given = LIMITS.articles.model_copy(update={"null_share": {"a": 0.5, "b": 0.1}})
    now = profile(a=word(nulls=300, x=700), b=word(nulls=90, x=910))
    assert check(now, [], given).sentence.endswith("nearest to its limit is b 9 % (limit 10 %).")


def test_without_days_missing_values_are_not_judged():
    found = null_check(1000, missing(0, 0))
    assert (found.outcome, found.severity) == ("not applicable", "info")


def compare(now, then, min_rows=200):
    return {c.code: c for c in change.compare("articles", now, then, LIMITS.change, min_rows)}


def test_a_mean_that_moved_by_half_its_deviation_is_the_limit():
    then = profile(dwell_seconds=number(100.0, std=50.0))
    assert compare(profile(dwell_seconds=number(125.0)), then)["ANO101"].outcome == "passed"
    check = compare(profile(dwell_seconds=number(74.0)), then)["ANO101"]
    assert (check.outcome, check.severity, check.observed) == ("failed", "warn", pytest.approx(0.52))


def test_a_number_that_hardly_varies_has_moved_when_it_changes_by_a_sixth():
    then = profile(position=number(120.0, std=0.1))
    assert compare(profile(position=number(139.0, std=0.1)), then)["ANO101"].outcome == "passed"
    assert compare(profile(position=number(141.0, std=0.1)), then)["ANO101"].outcome == "failed"


def test_the_distance_of_words_is_the_share_of_rows_that_would_have_to_change():
    distance, told = change.word_distance({"a": 70, "b": 20, "new": 10}, {"a": 80, "b": 20})
    assert distance == pytest.approx(0.1)
    assert told == " ('a' 80 % to 70 %, 'new' 0 % to 10 %)"


def test_the_size_of_either_side_does_not_matter():
    assert change.word_distance({"a": 1, "b": 1}, {"a": 1000, "b": 1000})[0] == 0


def test_a_word_beyond_those_that_were_counted_is_not_called_gone():
    many = {f"w{number}": 100 for number in range(MOST_WORDS)}
    assert change.word_distance({**many, "rare": 1}, many)[0] < 0.01


def test_words_that_were_exchanged_are_noted_by_name():
    check = compare(profile(kind=word(impressions=900, read=100)), profile(kind=word(impression=900, read=100)))[
        "ANO102"
    ]
    assert check.outcome == "failed"
    assert check.observed == pytest.approx(0.9)
    assert "'impressions' 0 % to 90 %" in check.sentence


def test_missing_values_that_come_or_go_are_noted():
    for now, then in ((200, 50), (50, 200)):
        check = compare(profile(summary=word(nulls=now, a=1)), profile(summary=word(nulls=then, a=1)))["ANO103"]
        assert (check.outcome, check.observed) == ("failed", pytest.approx(0.15))


def test_few_rows_are_not_compared():
    checks = compare(profile(199, a=number(1.0)), profile(1000, a=number(9.0)))
    assert {check.outcome for check in checks.values()} == {"not applicable"}
    assert {check.severity for check in checks.values()} == {"info"}


def test_columns_of_one_side_only_are_no_matter_of_this():
    assert compare(profile(a=number(1.0)), profile(b=number(9.0))) == {}
