"""When a retrain is requested, and when not, by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.core.settings import Settings
from include.monitoring.trigger import Request, answer, hangs_on
from include.monitoring.usual import Finding, Place
from tests.worlds import tiny

RULE = Settings(
    drift_violations=2, drift_windows=3, drift_cooldown_hours=12, drift_requests_per_day=1, drift_patience_days=7
)
NOW = tiny.AS_OF
HOUR = timedelta(hours=1)
MOVED = {"reads.category": 2, "reads.word_count": 2, "news.publisher": 2}


def finding(column="reads.category", name="sport", value=0.4, usual=0.25, reach=1.5):
    return Finding(column, 2000, 14, (Place(name, value, usual, usual * 0.8, usual * 1.2, reach),))


def asked(*findings, weights=None, windows=MOVED, requests=(), busy=None):
    return answer(RULE, NOW, findings, weights or {}, windows, requests, busy)


def ago(hours, *columns, decision=None, version=8):
    return Request(NOW - hours * HOUR, columns, decision, version if decision else None)


def test_two_of_three_windows_with_the_newest_ask_and_say_why():
    found = asked(finding())
    assert found.columns == ("reads.category",)
    assert found.reason == (
        "Drift in 2 of the last 3 windows up to 2025-03-09 00:00 UTC: Category sport among reads: 25 % → 40 % "
        "(ordinary windows: 20 % to 30 %)."
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"windows": {"reads.category": 1}}, "that takes a move that the ranking hangs on, in 2 of the last 3 windows"),
        ({"requests": [ago(11, "reads.region")]}, "the last request was less than 12 h ago"),
        ({"requests": [ago(13, "reads.region")]}, "the budget of 1 a day is used up"),
        ({"busy": "retrain/manual"}, "retrain/manual is running"),
        ({"weights": {"word_count": 1.0}}, "that takes a move that the ranking hangs on"),
        ({"requests": [ago(30, "reads.category")]}, "whether the last one for it helped is seen in windows that begin"),
    ],
    ids=["one window", "cool-down", "budget", "single flight", "no weight", "waits for a verdict"],
)
def test_a_moved_column_waits(given, told):
    found = asked(finding(), **given)
    assert found.reason is None
    assert told in found.sentence


def test_a_window_as_usual_asks_for_nothing_whatever_came_before():
    assert asked(finding(reach=0.9)).sentence == "No retrain is requested."


def test_a_column_asks_again_when_patience_has_passed_and_another_one_at_once():
    assert asked(finding(), requests=[ago(7 * 24, "reads.category", decision="keep")]).reason
    words = finding("reads.word_count", "", 655.0, 412.0)
    found = asked(finding(), words, requests=[ago(30, "reads.category", decision="keep")])
    assert found.columns == ("reads.word_count",)


@pytest.mark.parametrize(("decision", "told"), [("keep", "v8 was not better"), ("promote", "v8 was promoted")])
def test_a_retrain_that_did_not_help_is_told_and_not_repeated(decision, told):
    request = ago(30, "reads.category", decision=decision)
    found = asked(finding(), requests=[request])
    assert found.reason is None
    assert found.unhelped == request
    assert told in found.sentence


def test_a_window_that_began_before_the_request_does_not_say_whether_it_helped():
    found = asked(finding(), requests=[ago(23, "reads.category", decision="keep")])
    assert (found.reason, found.unhelped) == (None, None)


def test_drift_that_a_retrain_cannot_answer_to_is_noted():
    dark = finding("news.publisher", "Publisher 0", 0.0, 0.05)
    milliseconds = finding("reads.dwell_seconds", "", 60_000.0, 60.0)
    found = asked(dark, milliseconds, windows={"news.publisher": 2, "reads.dwell_seconds": 3})
    assert found.reason is None
    assert found.noted == (dark, milliseconds)


def test_nothing_asks_while_a_number_leaps():
    broken = finding("reads.long_dwell_seconds", "", 90_000.0, 170.0)
    found = asked(finding(), broken)
    assert (found.reason, found.noted) == (None, ())
    assert found.sentence == "No retrain is requested: the data look broken, and a model would learn that."


def test_a_name_that_is_gone_asks_for_nothing():
    gone = finding("reads.publisher", "Publisher 0", 0.0, 0.05)
    assert not hangs_on(gone, {})
    assert hangs_on(finding("reads.publisher", "Publisher 0", 0.5, 0.05), {})


def test_a_column_counts_by_the_weight_of_its_features():
    assert hangs_on(finding("reads.region"), {"region": 0.004, "regional_pull": 0.02})
    assert not hangs_on(finding("reads.region"), {"region": 0.004, "taste": 0.9})
    assert hangs_on(finding("reads.region"), {})
    assert hangs_on(finding("reads.dwell_seconds", "", 90.0, 60.0), {"taste": 0.9})
    assert hangs_on(finding("lists.seconds_per_article", "", 1.0, 5.0), {"taste": 0.9})


def test_an_election_night_asks_once():
    """Politics doubles in twelve windows and calms down; every challenger is kept out."""
    requests, reasons = [], 0
    for hour in range(24):
        moved = hour < 12
        found = answer(
            RULE, NOW + hour * HOUR, [finding(reach=1.5 if moved else 0.5)], {}, {"reads.category": 3}, requests, None
        )
        if found.reason:
            reasons += 1
            requests.insert(0, Request(NOW + hour * HOUR, found.columns, "keep", 9))
    assert reasons == 1
