"""The drawings of the last runs: what is drawn follows from moments and figures alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from include.core.trend import Series, sparkline, trend_section
from include.pipeline.run import _checks, _figures

AT = [datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=day) for day in range(3)]


def series(*values, failed=()):
    return Series("rows", tuple(AT[: len(values)]), values, failed)


def test_a_line_runs_from_the_least_below_to_the_most_above():
    (points,) = re.findall(r'points="([^"]+)"', sparkline(series(10.0, 20.0, 15.0)))
    assert points == "4.0,24.0 110.0,4.0 216.0,14.0"


def test_what_never_moved_is_a_flat_line_and_one_run_is_a_dot():
    assert 'points="4.0,14.0 216.0,14.0"' in sparkline(series(5.0, 5.0))
    assert 'points="4.0,14.0"' in sparkline(series(5.0))


def test_a_failed_run_has_a_red_dot_where_it_was():
    drawn = sparkline(series(1.0, 2.0, 1.0, failed=(False, True, False)))
    assert re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="3" fill="#b3261e"/>', drawn) == [("110.0", "4.0")]


def test_a_drawing_says_in_words_what_it_shows():
    assert "<title>2025-03-01 00:00 to 2025-03-02 00:00 UTC: 1,000 to 2,000</title>" in sparkline(
        series(1000.0, 2000.0)
    )


def test_names_from_the_publisher_are_no_html():
    assert "<b>" not in trend_section([Series("<b>", (AT[0],), (1.0,))], [])


def test_figures_are_rows_first_and_then_what_moved_most():
    rows = [
        ("articles", "", "rows", AT[0], 10.0),
        ("articles", "", "rows", AT[1], 10.0),
        ("articles", "summary", "null_share", AT[0], 0.5),
        ("articles", "summary", "null_share", AT[1], 0.4),
        ("articles", "title", "null_share", AT[0], 0.0),
        ("articles", "word_count", "mean", AT[0], 100.0),
        ("articles", "word_count", "mean", AT[1], 50.0),
    ]
    assert [one.name for one in _figures(rows)] == [
        "articles: rows in 24 hours",
        "articles.word_count: mean",
        "articles.summary: share missing",
    ], "what is never missing is not drawn"


def test_checks_that_failed_lately_come_first_and_those_without_a_number_not_at_all():
    rows = [
        ("VOL101", "articles", AT[0], 1.0, "passed"),
        ("VOL102", "articles", AT[0], 0.5, "failed"),
        ("VOL102", "articles", AT[1], 0.9, "passed"),
        ("VOL103", "articles", AT[0], None, "not applicable"),
    ]
    found = _checks(rows)
    assert [(one.name, one.failed) for one in found] == [
        ("VOL102 articles", (True, False)),
        ("VOL101 articles", (False,)),
    ]


def test_there_is_no_script_and_nothing_from_the_network():
    html = trend_section([series(1.0, 2.0)], [series(1.0, 2.0, failed=(True, False))] * 20)
    assert not re.search(r"<script|https?://|@import|url\(", html)
