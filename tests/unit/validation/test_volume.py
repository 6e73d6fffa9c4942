"""The expectation for a day and unusual counts, on series whose answer is known beforehand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import exp, log

import pytest

from include.validation.history import volume
from include.validation.history.volume import Expected, Stream
from include.validation.limits import load_limits

AS_OF = datetime(2025, 3, 9, tzinfo=UTC)  # the newest 24 hours are a Saturday
LIMITS = load_limits().reading_events
MIN_DAYS = 3


def series(newest, *before):
    """Rows by days back, the newest first."""
    return dict(enumerate((newest, *before)))


def outcomes(spans, days=None, **values):
    """code -> outcome of a table's checks; the newest 24 hours are held to their limits as Great Expectations does."""
    stream = Stream("reading_events", AS_OF, spans, days or {}, **values)
    allowed = volume.allow(stream, LIMITS, MIN_DAYS)
    kept = {one.rule.code for one in allowed if one.fewest <= spans[0] <= one.most}
    checks = volume.check_newest(stream, allowed, kept, MIN_DAYS) + volume.check_table(stream, LIMITS, MIN_DAYS)
    return {check.code: check.outcome for check in checks}


def newest(spans):
    stream = Stream("reading_events", AS_OF, spans)
    return volume.check_newest(stream, volume.allow(stream, LIMITS, MIN_DAYS), (), MIN_DAYS)


def days(*rows):
    """Full days up to the one before AS_OF, the newest last."""
    return {date(2025, 3, 8) - timedelta(days=len(rows) - 1 - number): n for number, n in enumerate(rows)}


def test_a_day_like_the_days_before_is_as_expected():
    assert outcomes(series(1000, 1000, 990, 1010)) == {"VOL101": "passed", "VOL102": "passed"}


@pytest.mark.parametrize(
    ("rows", "gross", "close"),
    [
        (0, "failed", "failed"),
        (399, "failed", "failed"),
        (400, "passed", "failed"),
        (500, "passed", "failed"),
        (599, "passed", "failed"),
        (600, "passed", "passed"),
        (2000, "passed", "passed"),
        (2001, "passed", "failed"),
        (4000, "passed", "failed"),
        (4001, "failed", "failed"),
        (10_000, "failed", "failed"),
    ],
)
def test_the_limits_are_multiples_of_what_is_expected(rows, gross, close):
    """Days of exactly 1,000 rows: chance alone would allow 4 * sqrt(1000) = 126 rows to either side."""
    assert outcomes(series(rows, *[1000] * 6)) == {"VOL101": gross, "VOL102": close}


def test_three_same_weekdays_speak_for_themselves():
    week = [1000, 1000, 1000, 1000, 1000, 1000, 200]
    quiet = outcomes(series(200, *week, *week, *week))
    loud = outcomes(series(1000, *week, *week, *week))
    assert (quiet["VOL101"], loud["VOL101"]) == ("passed", "failed")


def test_one_same_weekday_is_heard_beside_the_last_days():
    """A Saturday of 200 and other days of 1,000: with one week of history neither would surprise."""
    week = [1000, 1000, 1000, 1000, 1000, 1000, 200]
    assert outcomes(series(200, *week))["VOL102"] == "passed"
    assert outcomes(series(1000, *week))["VOL102"] == "passed"
    assert outcomes(series(20, *week))["VOL101"] == "failed"


def test_one_bad_day_among_the_days_before_does_not_move_what_is_expected():
    assert [one.rows for one in volume.expect(series(5, 1000, 0, 1000, 1000), "Saturday", MIN_DAYS)] == [1000]


def test_what_is_expected_tells_its_grounds():
    three_weeks = volume.expect(dict.fromkeys(range(28), 7.0), "Saturday", MIN_DAYS)
    assert [one.grounds for one in three_weeks] == ["the median of the last 3 Saturdays"]
    one_week = volume.expect(dict.fromkeys(range(10), 7.0), "Saturday", MIN_DAYS)
    assert [one.grounds for one in one_week] == ["the Saturday before", "the median of the last 9 days"]


@pytest.mark.parametrize("before", [0, 1, 2])
def test_without_enough_history_nothing_is_claimed_and_nothing_stops(before):
    checks = newest(series(1, *[1000] * before))
    assert {(check.severity, check.outcome, check.blocks) for check in checks} == {("info", "not applicable", False)}
    assert all("not enough history" in check.sentence for check in checks)


def test_with_too_little_history_the_days_before_are_counted_and_the_newest_is_none_of_them():
    checks = newest(series(1000, 1000, 1000))
    assert {check.sentence for check in checks} == {"not enough history: 2 days before this one, 3 are needed."}


def test_small_counts_do_not_alarm():
    """Ten expected: none is 4 standard deviations of a count away at most, and so are two dozen."""
    assert volume.bounds(Expected(10, "", 0.0), 0.6, 2.0) == (0.0, 10 + 4 * 10**0.5 + 4)


def test_a_count_that_chance_cannot_explain_does():
    low, high = volume.bounds(Expected(100, "", 0.0), 0.6, 2.0)
    assert (low, high) == (60, 200)


def test_days_that_go_up_and_down_widen_the_limits():
    spread = log(2) / 3
    assert volume.bounds(Expected(10_000, "", spread), 0.6, 1.5) == pytest.approx((5000, 20_000))


def test_however_wild_the_days_a_tenth_is_not_a_day():
    assert volume.bounds(Expected(10_000, "", 2.0), 0.4, 4.0) == pytest.approx((1000, 10_000 * exp(6)))


def test_the_newest_full_day_missing_stops_and_an_older_one_is_noted():
    assert outcomes({0: 1}, days(1000, 1000, 1000, 1000, 0))["VOL103"] == "failed"
    assert outcomes({0: 1}, days(1000, 1000, 1000, 1000, 0))["VOL104"] == "passed"
    assert outcomes({0: 1}, days(1000, 0, 1000, 1000, 1000))["VOL103"] == "passed"
    assert outcomes({0: 1}, days(1000, 0, 1000, 1000, 1000))["VOL104"] == "failed"
    assert outcomes({0: 1}, days(1000, 99, 1000, 1000, 100))["VOL104"] == "failed"
    assert outcomes({0: 1}, days(1000, 1000, 1000, 1000, 100))["VOL103"] == "passed"


def test_a_weekday_that_never_has_rows_is_not_missing():
    """AS_OF is a Sunday, so the newest full day is a Saturday, as is the first of eight."""
    assert outcomes({0: 1}, days(0, *[1000] * 6, 0))["VOL103"] == "passed"
    assert outcomes({0: 1}, days(1000, *[1000] * 6, 0))["VOL103"] == "failed"


def test_a_missing_day_is_told_by_its_date():
    (check,) = (
        check
        for check in volume.check_table(Stream("t", AS_OF, {}, days(900, 3, 1000, 1000, 1000)), LIMITS, MIN_DAYS)
        if check.code == "VOL104"
    )
    assert "2025-03-05 (3 rows)" in check.sentence


def test_a_table_that_has_rows_on_few_days_misses_none():
    assert outcomes({0: 1}, days(0, 3, 0, 0, 1, 0))["VOL103"] == "passed"


@pytest.mark.parametrize(("age", "gap", "outcome"), [(3.0, 0, "passed"), (3.1, 0, "failed"), (20.9, 7, "passed")])
def test_the_newest_row_may_be_as_old_as_set_or_three_usual_gaps(age, gap, outcome):
    assert outcomes({}, newest_age_hours=age, usual_gap_hours=gap)["VOL105"] == outcome


def test_a_publisher_that_fell_silent_is_named_and_those_too_small_to_tell_are_not():
    spans = {"Large": series(0, 100, 100, 100), "Small": series(0, 10, 10, 10), "Usual": series(100, 90, 100, 110)}
    check = volume.check_parts("VOL109", "t", "articles", spans, AS_OF, LIMITS, MIN_DAYS)
    assert (check.outcome, check.observed, check.severity) == ("failed", 1, "warn")
    assert "1 of 3" in check.sentence
    assert "Large (0 rows, 100 expected)" in check.sentence
    assert "Small" not in check.sentence


def test_a_category_is_new_when_no_earlier_day_had_it_and_nobody_announced_it():
    spans = {"old": series(5, 0, 0, 1), "new": series(5, 0, 0, 0), "announced": series(5, 0, 0, 0)}
    limits = LIMITS.model_copy(update={"words": {"category": ("announced",)}})
    check = volume.check_unseen(spans, limits, MIN_DAYS)
    assert (check.outcome, check.observed) == ("failed", 1)
    assert "new (5 rows)" in check.sentence


HELD = {"d1": 1000, "d2": 1000}


@pytest.mark.parametrize(
    ("now", "emptied", "changed"),
    [
        ({"d1": 1000, "d2": 1000}, "passed", "passed"),
        ({"d1": 1000, "d2": 1020}, "passed", "passed"),
        ({"d1": 500, "d2": 500}, "passed", "failed"),
        ({"d1": 400, "d2": 399}, "failed", "failed"),
        ({"d1": 10_000, "d2": 10_000}, "passed", "failed"),
    ],
)
def test_days_that_were_held_before_keep_their_rows(now, emptied, changed):
    checks = volume.check_held("reading_events", now, HELD, "the snapshot before", LIMITS)
    assert {check.code: check.outcome for check in checks} == {"VOL106": emptied, "VOL107": changed}
