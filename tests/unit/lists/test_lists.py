"""Lists: what becomes of a ranking, on rankings small enough to see through."""

from __future__ import annotations

import pytest

from include.lists.arrange import ListLimits, arrange
from tests.worlds.scenes import an_article, catalogue, ranking, scenes

LIMITS = ListLimits(list_length=4, max_per_publisher=2, max_per_category=3, article_max_age_hours=24)


def lists(order, articles, read=None, readers=(1,), live=None):
    """reader -> list, when a model ranked `order`, these articles exist and readers had read `read`."""
    table = arrange(
        LIMITS,
        ranking(order),
        scenes(list(readers), articles if live is None else live, read),
        catalogue(articles),
    )
    found = {reader: [] for reader in readers}
    for row in table.to_pylist():
        found[row["reader_id"]].append(row)
    return {reader: [row["article_id"] for row in rows] for reader, rows in found.items()}, table.to_pylist()


def plain(count, **values):
    return [an_article(number, **values) for number in range(1, count + 1)]


def test_without_a_cap_in_the_way_the_list_is_the_ranking():
    found, _ = lists({1: [5, 3, 1, 4, 2]}, plain(5))
    assert found[1] == [5, 3, 1, 4]


def test_ranks_run_from_one_without_a_gap():
    _, rows = lists({1: [5, 3, 1, 4, 2]}, plain(5), read={1: [3]})
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]


@pytest.mark.parametrize(("column", "most"), [("publisher", 2), ("category", 3)])
def test_a_cap_holds_while_the_ranking_has_others(column, most):
    articles = [an_article(n, **{column: "same"} if n <= 5 else {}) for n in range(1, 10)]
    found, _ = lists({1: list(range(1, 10))}, articles)
    assert sum(article <= 5 for article in found[1]) == most
    assert found[1][:most] == list(range(1, most + 1))


def test_a_cap_holds_while_the_catalogue_has_others_that_the_model_did_not_rank():
    articles = [an_article(n, **{"publisher": "same"} if n <= 6 else {}) for n in range(1, 10)]
    found, _ = lists({1: [1, 2, 3, 4, 5, 6]}, articles)
    assert found[1][:2] == [1, 2]
    assert set(found[1][2:]) <= {7, 8, 9}


def test_a_cap_holds_among_the_articles_that_fill_a_list():
    articles = [an_article(n, **{"publisher": "same"} if n <= 6 else {"age_hours": 5}) for n in range(1, 10)]
    found, _ = lists({}, articles)
    assert sum(article <= 6 for article in found[1]) == 2


def test_both_caps_hold_at_once_and_what_one_keeps_out_does_not_count_for_the_other():
    """The ranking begins with eight of one category, of two publishers; the rest is of these publishers, too."""
    articles = [
        *(an_article(n, category="same", publisher="ab"[n % 2]) for n in range(1, 9)),
        *(an_article(n, publisher="ab"[n % 2]) for n in range(9, 17)),
    ]
    found, _ = lists({1: list(range(1, 17))}, articles)
    assert found[1] == [1, 2, 3, 10]


def test_a_cap_gives_way_when_nothing_else_is_left():
    found, _ = lists({1: [1, 2, 3, 4, 5]}, plain(5, publisher="same"))
    assert found[1] == [1, 2, 3, 4]


def test_a_short_ranking_is_filled_up_with_what_is_read_most():
    live = [an_article(n, read_count_1d=10 - n) for n in (1, 2, 3)] + [an_article(n) for n in (4, 5)]
    found, rows = lists({1: [5]}, plain(5), live=live)
    assert found[1] == [5, 1, 2, 3]
    assert [row["reason"] for row in rows] == ["model", *["Read by many right now"] * 3]


def test_what_nobody_has_read_yet_fills_up_newest_first():
    articles = [an_article(n, age_hours=10 - n) for n in range(1, 6)]
    found, rows = lists({}, articles, live=[])
    assert found[1] == [5, 4, 3, 2]
    assert {row["reason"] for row in rows} == {"Just in"}


def test_everybody_gets_a_full_list_while_there_are_articles():
    found, _ = lists({1: [1], 2: [2, 3, 4, 5, 6]}, plain(6), readers=(1, 2, 3))
    assert {len(articles) for articles in found.values()} == {4}


def test_with_fewer_articles_than_places_everybody_gets_all_of_them():
    found, _ = lists({1: [1]}, plain(3))
    assert sorted(found[1]) == [1, 2, 3]


def test_nothing_is_listed_twice():
    found, _ = lists({1: [1, 2]}, plain(4))
    assert sorted(found[1]) == [1, 2, 3, 4]


def test_a_flagged_article_fills_no_list():
    found, _ = lists({}, [*plain(3), an_article(9, is_flagged=True)])
    assert sorted(found[1]) == [1, 2, 3]


def test_what_was_read_fills_no_list():
    found, _ = lists({}, plain(5), read={1: [1, 2]})
    assert sorted(found[1]) == [3, 4, 5]


def test_what_was_read_is_left_out_even_if_a_model_ranked_it():
    found, _ = lists({1: [1, 2, 3, 4, 5]}, plain(5), read={1: [1]})
    assert found[1] == [2, 3, 4, 5]


def test_what_another_reader_has_read_may_be_listed():
    found, _ = lists({1: [1, 2, 3, 4]}, plain(4), read={2: [1]}, readers=(1, 2))
    assert found[1] == [1, 2, 3, 4]


def test_an_article_yet_to_come_fills_no_list():
    found, _ = lists({}, [*plain(2), an_article(9, age_hours=-1)])
    assert sorted(found[1]) == [1, 2]


def test_an_article_too_old_fills_a_list_only_when_nothing_else_is_left():
    articles = [an_article(n, age_hours=30 if n > 3 else 1) for n in range(1, 6)]
    found, _ = lists({}, articles)
    assert found[1][:3] == [1, 2, 3]
    assert len(found[1]) == 4


def test_a_cap_gives_way_before_an_article_too_old_is_listed():
    articles = [*plain(4, publisher="same"), an_article(9, age_hours=30)]
    found, _ = lists({1: [1, 2, 3, 4]}, articles)
    assert found[1] == [1, 2, 3, 4]
