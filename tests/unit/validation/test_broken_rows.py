"""Counting broken rows by publisher, for figures whose labels must stay few."""

from __future__ import annotations

import json

from include.validation.broken_rows import MOST_PUBLISHERS, BrokenRow, count_by_publisher


def broken(table, **original):
    return BrokenRow(table, "f", 1, "k", ("ART101",), json.dumps(original))


def test_rows_are_counted_by_table_and_publisher_and_those_without_one_under_none():
    rows = [broken("articles", publisher="Gazette")] * 2 + [broken("articles", publisher=None)]
    rows += [broken("reading_events", article_id=3)]
    assert count_by_publisher(rows) == {"articles": {"Gazette": 2, "": 1}, "reading_events": {"": 1}}


def test_of_many_publishers_the_few_with_most_rows_have_a_name():
    rows = [broken("articles", publisher=f"p{number}") for number in range(100) for _ in range(number)]
    counts = count_by_publisher(rows)["articles"]
    assert len(counts) == MOST_PUBLISHERS + 1
    assert (counts["p99"], counts["others"]) == (99, len(rows) - sum(range(80, 100)))
    assert all(len(name) <= 80 for name in count_by_publisher([broken("articles", publisher="x" * 9999)])["articles"])
