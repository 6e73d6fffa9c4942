"""The numbers of an evaluation, recomputed by hand on lists of three."""

from __future__ import annotations

import math
import re

import pyarrow as pa
import pytest

from include.core.contract import LONGEST_COUNTED_SECONDS, MOMENT
from include.features.build import COUNTING
from include.judging.metrics import evaluate
from tests.architecture.source import files
from tests.worlds.scenes import NOW, an_article, ranking, scenes

OUTCOMES = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("list_at", MOMENT),
        ("article_id", pa.int64()),
        ("position", pa.float64()),
        ("is_shown", pa.bool_()),
        ("read_seconds", pa.float64()),
    ]
)
LOG2_3 = math.log2(3)


def outcomes(*rows):
    """(reader, article, seconds) of what was shown or read after the lists were made."""
    keys = {"list_at": NOW, "position": 1.0, "is_shown": True}
    named = [{"reader_id": reader, "article_id": article, "read_seconds": s, **keys} for reader, article, s in rows]
    return pa.Table.from_pylist(named, OUTCOMES)


def measure(order, then, articles=None, readers=None):
    articles = articles or [an_article(n) for n in range(1, 7)]
    return evaluate(ranking(order), scenes(readers or list(order), articles), outcomes(*then), 3)


def test_the_longest_read_on_top_is_the_best_there_is():
    assert measure({1: [4, 5, 6]}, [(1, 4, 100.0)]).means["ndcg"] == pytest.approx(1.0)


def test_one_place_lower_counts_less():
    assert measure({1: [5, 4, 6]}, [(1, 4, 100.0)]).means["ndcg"] == pytest.approx(1 / LOG2_3)


def test_time_counts_and_not_the_number_of_reads():
    found = measure({1: [1, 2, 3]}, [(1, 1, 10.0), (1, 4, 90.0)])
    assert found.means["ndcg"] == pytest.approx(10 / (90 + 10 / LOG2_3))


def test_an_hour_weighs_the_same_whoever_spends_it():
    found = measure({1: [1, 2, 3], 2: [1, 2, 3]}, [(1, 1, 300.0), (2, 4, 100.0)])
    assert found.means["ndcg"] == pytest.approx(300 / 400)


def test_a_read_counts_for_ten_minutes_at_most():
    found = measure({1: [1, 2, 3]}, [(1, 1, 6000.0), (1, 4, 600.0)])
    assert found.means["ndcg"] == pytest.approx(600 / (600 + 600 / LOG2_3))


def test_the_cap_on_a_read_is_set_in_the_contract_and_nowhere_else():
    """Metrics, features and models count by the same cap, for it is part of what the metric means."""
    number = r"longest_counted_seconds\W{1,4}\d"
    found = [path.name for path in files("include") if re.search(number, path.read_text(), re.IGNORECASE)]
    assert found == ["contract.py"]
    assert COUNTING["longest_counted_seconds"] == LONGEST_COUNTED_SECONDS == 600


def test_an_ideal_list_is_no_longer_than_a_list():
    found = measure({1: [1, 2, 3]}, [(1, article, 60.0) for article in (1, 2, 3, 4, 5)])
    assert found.means["ndcg"] == pytest.approx(1.0)


def test_what_was_shown_but_not_read_gains_nothing():
    found = measure({1: [1, 2, 3]}, [(1, 1, 0.0), (1, 2, 50.0)])
    assert found.means["ndcg"] == pytest.approx(1 / LOG2_3)


def test_the_order_of_what_was_offered_decides_and_the_lists_say_what_they_held():
    articles = [an_article(n) for n in range(1, 7)]
    lists, order = ranking({1: [4, 5, 6]}), ranking({1: [2, 1, 3, 6]})
    found = evaluate(lists, scenes([1], articles), outcomes((1, 1, 100.0), (1, 6, 50.0)), 3, order)
    assert found.means["ndcg"] == pytest.approx((100 / LOG2_3) / (100 + 50 / LOG2_3))
    assert (found.means["hit_share"], found.means["seconds_reached"]) == (1.0, 50.0)


def test_only_readers_who_read_something_are_judged():
    found = measure({1: [1, 2, 3], 2: [1, 2, 3]}, [(1, 1, 50.0), (2, 2, 0.0)])
    assert found.readers.tolist() == [1]
    assert found.means["judged_readers"] == 1


def test_a_hit_is_a_list_with_something_that_was_then_read():
    found = measure({1: [1, 2, 3], 2: [1, 2, 3]}, [(1, 1, 50.0), (2, 5, 50.0)])
    assert found.means["hit_share"] == 0.5
    assert found.means["seconds_reached"] == 25.0
    assert found.means["seconds_read"] == 50.0


def test_a_list_that_is_missing_or_short_is_not_full():
    found = measure({1: [1, 2, 3], 2: [1, 2]}, [(1, 1, 50.0)], readers=[1, 2, 3, 4])
    assert found.means["full_list_share"] == 0.25


def test_how_fresh_and_how_mixed_the_lists_are():
    articles = [an_article(n, age_hours=n, publisher="big" if n < 3 else "small") for n in range(1, 7)]
    found = measure({1: [1, 2, 3]}, [(1, 1, 50.0)], articles)
    assert found.means["median_age_hours"] == 2
    assert found.means["largest_publisher_share"] == pytest.approx(2 / 3)
    assert found.means["mean_category_count"] == 3
    assert found.means["article_count"] == 3


def test_a_score_that_is_no_number_is_counted():
    lists = ranking({1: [1, 2, 3, 4]})
    scores = pa.array([1.0, float("nan"), float("inf"), 0.5], pa.float32())
    lists = lists.set_column(lists.column_names.index("score"), "score", scores)
    found = evaluate(lists, scenes([1], [an_article(n) for n in range(1, 5)]), outcomes((1, 1, 50.0)), 4)
    assert found.means["finite_score_share"] == 0.5


def test_with_nobody_to_judge_the_numbers_are_missing_and_not_zero():
    found = measure({1: [1, 2, 3]}, [])
    assert math.isnan(found.means["ndcg"])
    assert found.means["judged_readers"] == 0


def test_without_a_single_list_to_judge_there_is_no_number_and_no_error():
    found = measure({}, [], readers=[])
    assert math.isnan(found.means["full_list_share"])
    assert found.means["judged_readers"] == 0
