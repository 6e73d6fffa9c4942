"""What is usual is learnt from whole days: quiet windows stay within it, and each loud one leaves it under its name."""

from __future__ import annotations

import numpy as np
import pytest

from include.core.settings import Settings
from include.monitoring.measures import Measure
from include.monitoring.sentences import tell
from include.monitoring.usual import FEWEST_DAYS, judge

SETTINGS = Settings()
READS, ARTICLES = 2500, 1400
CATEGORIES = ("politics", "sport", "science", "culture")
PUBLISHERS = tuple(f"Publisher {number}" for number in range(20))


def a_day(random, rows=READS, **changed):
    """The measures of a day: numbers that vary by a tenth, shares that vary more than independent rows would."""
    mix = {"reads.category": CATEGORIES, "news.publisher": PUBLISHERS} | changed.pop("mix", {})
    usual = {"reads.dwell_seconds": 60.0, "reads.word_count": 412.0, "lists.seconds_per_article": 5.0} | changed
    numbers = [Measure(name, "", value * random.lognormal(0, 0.1), rows) for name, value in usual.items()]
    shares = []
    for column, names in mix.items():
        weights = names if isinstance(names, dict) else dict.fromkeys(names, 1.0)
        total = sum(weights.values())
        of = random.multinomial(ARTICLES // 2, [weight / total for weight in weights.values()]) / (ARTICLES // 2)
        rows_of = ARTICLES if column.startswith("news.") else rows
        shares += [Measure(column, name, share, rows_of) for name, share in zip(weights, of, strict=True) if share]
    return [*numbers, *shares]


@pytest.fixture(scope="module")
def days():
    random = np.random.default_rng(1)
    return [a_day(random) for _ in range(14)]


def moved(window, days, settings=SETTINGS):
    return {one.column: one.moved[0].name for one in judge(settings, window, days) if one.moved}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_month_of_quiet_windows_after_any_training_moves_nothing(seed):
    random = np.random.default_rng(seed)
    days = [a_day(random) for _ in range(14)]
    assert [moved(a_day(random), days) for _ in range(30)] == [{}] * 30


def test_alarms_come_as_rarely_as_the_setting_allows():
    """A setting of 20 in 720 windows is 2.8 %; of 200 windows that are as their days, that is 5.6."""
    random = np.random.default_rng(3)
    often = Settings(drift_false_alarms_per_month=20)
    called = 0
    for _ in range(200):
        days = [a_day(random) for _ in range(14)]
        called += bool(moved(a_day(random), days, often))
    assert 1 <= called <= 12


@pytest.mark.parametrize(
    ("changed", "column", "name"),
    [
        ({"reads.dwell_seconds": 60_000.0}, "reads.dwell_seconds", ""),
        ({"reads.word_count": 1200.0}, "reads.word_count", ""),
        ({"lists.seconds_per_article": 1.5}, "lists.seconds_per_article", ""),
        ({"mix": {"reads.category": dict(zip(CATEGORIES, (2, 6, 2, 2), strict=True))}}, "reads.category", "sport"),
        ({"mix": {"news.publisher": PUBLISHERS[1:]}}, "news.publisher", "Publisher 0"),
        (
            {"mix": {"news.publisher": {**dict.fromkeys(PUBLISHERS, 1.0), "Publisher 7": 10.0}}},
            "news.publisher",
            "Publisher 7",
        ),
        ({"mix": {"news.publisher": (*PUBLISHERS, "Newcomer")}}, "news.publisher", "Newcomer"),
    ],
    ids=["milliseconds", "long articles", "lists fail", "a mix shifts", "dark", "tenfold", "new"],
)
def test_a_loud_window_is_found_under_its_name(days, changed, column, name):
    found = moved(a_day(np.random.default_rng(5), **changed), days)
    assert found[column] == name


def test_a_change_that_began_on_the_last_day_of_training_is_found_all_the_same(days):
    long = {"reads.word_count": 1200.0}
    training = [*days[1:], a_day(np.random.default_rng(4), **long)]
    assert moved(a_day(np.random.default_rng(5), **long), training) == {"reads.word_count": ""}


def test_a_column_with_one_name_is_not_judged_until_there_is_another(days):
    alike = [Measure("reads.region", "unknown", 1.0, READS)]
    (found,) = judge(SETTINGS, alike, [alike] * 14)
    assert found.note == "all rows have the same name."
    another = [Measure("reads.region", "unknown", 0.8, READS), Measure("reads.region", "Africa", 0.2, READS)]
    assert moved(another, [alike] * 14) == {"reads.region": "Africa"}


def test_better_lists_are_no_drift(days):
    assert moved(a_day(np.random.default_rng(5), **{"lists.seconds_per_article": 20.0}), days) == {}


def test_a_smaller_window_is_allowed_more(days):
    def allowed(rows):
        (found,) = [one for one in judge(SETTINGS, a_day(np.random.default_rng(5), rows), days) if "word" in one.column]
        return found.places[0].high - found.places[0].low

    assert allowed(1000) > 1.3 * allowed(2500)
    assert allowed(50_000) == allowed(2500)


def test_days_that_are_all_alike_do_not_make_a_trifle_an_alarm():
    day = [Measure("reads.word_count", "", 400.0, READS)]
    assert moved([Measure("reads.word_count", "", 408.0, READS)], [day] * 14) == {}


def test_too_few_rows_and_too_few_days_are_not_judged(days):
    few = judge(SETTINGS, a_day(np.random.default_rng(5), rows=300), days)
    assert {one.note for one in few if one.column.startswith("reads.")} == {
        "the window has 300 values; 1,000 are needed."
    }
    young = judge(SETTINGS, a_day(np.random.default_rng(5)), days[: FEWEST_DAYS - 1])
    assert not any(one.places for one in young)


def test_the_same_history_and_window_give_the_same_findings(days):
    window = a_day(np.random.default_rng(6))
    assert judge(SETTINGS, window, days) == judge(SETTINGS, list(reversed(window)), days)


def test_of_thousands_of_names_the_rare_ones_count_together():
    crowd = {"news.publisher": tuple(f"P{number}" for number in range(300))}
    random = np.random.default_rng(2)
    days = [a_day(random, mix=crowd) for _ in range(8)]
    (found,) = [one for one in judge(SETTINGS, a_day(random, mix=crowd), days) if one.column == "news.publisher"]
    assert len(found.places) == 51
    assert not found.moved


@pytest.mark.parametrize(
    ("changed", "column", "told"),
    [
        ({"reads.word_count": 1200.0}, "reads.word_count", "word count of what is read: median 389 → 1,051 ("),
        ({"reads.dwell_seconds": 60_000.0}, "reads.dwell_seconds", "seconds per read look like milliseconds: median "),
        (
            {"mix": {"news.publisher": PUBLISHERS[1:]}},
            "news.publisher",
            "publisher Publisher 0 among new articles has gone dark: ",
        ),
        (
            {"mix": {"news.publisher": {**dict.fromkeys(PUBLISHERS, 1.0), "Publisher 7": 10.0}}},
            "news.publisher",
            "publisher Publisher 7 among new articles has ",
        ),
        (
            {"mix": {"news.publisher": (*PUBLISHERS, "Newcomer")}},
            "news.publisher",
            "publisher Newcomer among new articles is new: 0 % → ",
        ),
    ],
)
def test_what_moved_is_told_in_words_with_what_ordinary_windows_show(days, changed, column, told):
    (found,) = [
        one for one in judge(SETTINGS, a_day(np.random.default_rng(5), **changed), days) if one.column == column
    ]
    assert tell(found).startswith(told)
    assert "(ordinary windows: " in tell(found)
