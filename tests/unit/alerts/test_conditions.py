"""Which tables had more rows quarantined within a day than they usually have."""

from __future__ import annotations

from include.alerts.conditions import FEWEST_ROWS, find_jumps

LAST_WEEK = range(1, 8)


def jumps(rows, usual_times=3):
    return [(found.subject, found.fact) for found in find_jumps(rows, usual_times)]


def test_rows_where_none_are_usual_are_told_of():
    assert jumps([("reading_events", 0, 1421)]) == [
        ("reading_events", "1,421 rows were quarantined within a day; 0 are usual.")
    ]


def test_a_few_rows_are_not():
    assert jumps([("articles", 0, FEWEST_ROWS - 1)]) == []


def test_as_many_as_always_are_not():
    usual = [("articles", age, 400) for age in LAST_WEEK]
    assert jumps([*usual, ("articles", 0, 1200)]) == []
    assert jumps([*usual, ("articles", 0, 1201)]) == [
        ("articles", "1,201 rows were quarantined within a day; 400 are usual.")
    ]


def test_one_bad_day_last_week_does_not_make_bad_days_usual():
    assert len(jumps([("articles", 3, 9000), ("articles", 0, 100)])) == 1


def test_each_table_is_judged_by_itself():
    rows = [("articles", age, 400) for age in (0, *LAST_WEEK)]
    assert [subject for subject, _ in jumps([*rows, ("subscribers", 0, 80)])] == ["subscribers"]
