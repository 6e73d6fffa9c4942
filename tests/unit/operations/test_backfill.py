"""A backfill from the command line: which days, how far, and one row for each of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.core.clock import now
from include.core.errors import DaybreakError
from include.operations.backfill_report import conclude, tell_mending, tell_state
from include.operations.backfills import Backfill, Day
from include.operations.cli.backfill import find_moments, render

NIGHT = datetime(2026, 11, 20, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def test_days_are_a_day_apart_from_the_first_to_the_last():
    assert find_moments(NIGHT, NIGHT) == [NIGHT]
    assert find_moments(NIGHT, NIGHT + 2 * DAY) == [NIGHT, NIGHT + DAY, NIGHT + 2 * DAY]
    assert find_moments(NIGHT, NIGHT + DAY - timedelta(seconds=1)) == [NIGHT]


def test_a_range_that_is_backwards_too_long_or_yet_to_come_is_refused():
    for start, end in ((NIGHT, NIGHT - DAY), (NIGHT - 366 * DAY, NIGHT)):
        with pytest.raises(DaybreakError, match="is not a range of 1 to 366 days"):
            find_moments(start, end)
    with pytest.raises(DaybreakError, match="is in the future"):
        find_moments(NIGHT, now() + DAY)


def test_the_report_is_a_table_with_a_row_per_day():
    judged = Day(NIGHT, "success", "r", 5300, 10, "v7", "baselines alone", "promote", outcome="Won.")
    assert list(render([judged, Day(NIGHT + DAY, "failed", outcome="Failed.")])) == [
        "as of (UTC)       rows read  quarantined  trained  judged against   would have changed  outcome",
        "2026-11-20 03:00      5,300           10  v7       baselines alone  v7 as champion      Won.",
        "2026-11-21 03:00                                                                        Failed.",
    ]


def test_the_command_that_mends_has_the_options_of_the_backfill():
    form = {"mode": "features", "window_days": 3, "chained": True, "from": "2026-11-20", "reason": "a gap"}
    days = [Day(NIGHT, "success"), Day(NIGHT + DAY, "failed"), Day(NIGHT + 2 * DAY, "failed")]
    assert tell_mending(Backfill("20261125T000000Z", "retrain", "ada", NIGHT, NIGHT, form, days)) == (
        "bin/daybreak backfill --from 2026-11-21T03:00 --to 2026-11-22T03:00 --mode features --window-days 3 --chained"
    )
    assert tell_mending(Backfill("12", "retrain", "ada", NIGHT, NIGHT, form, days)) == "bin/daybreak backfill again 12"
    assert tell_mending(Backfill("12", "retrain", "ada", NIGHT, NIGHT, form, days[:1])) == ""


def test_days_before_the_last_one_of_a_backfill_that_trained_once_are_done_again_without_a_training():
    form = {"mode": "enforce", "confirm": "publish", "train_once": True, "window_days": 3}
    done, failed = Day(NIGHT, "success"), Day(NIGHT + DAY, "failed")
    left = Day(NIGHT + 2 * DAY, "left")

    def mending(*days):
        return Backfill("12", "retrain", "ada", NIGHT, NIGHT, form, days).mending_form

    assert mending(done, failed) == mending(done, failed, left) == form
    assert mending(failed, done) == {"mode": "features", "window_days": 3}


def test_a_run_that_goes_on_after_the_end_or_was_cancelled_is_not_done():
    def told(*states):
        days = [Day(NIGHT + number * DAY, state) for number, state in enumerate(states)]
        return tell_state(Backfill("12", "retrain", "ada", NIGHT, NIGHT, {}, days))

    assert told("success", "running", "success") == "2 of 3 days done, 0 failed; 1 day has not ended"
    assert told("success", "cancelled", "failed") == "1 of 3 days done, 1 failed, 1 cancelled"
    assert told("cancelled") == "The day was cancelled"
    assert tell_mending(Backfill("12", "retrain", "ada", NIGHT, NIGHT, {}, [Day(NIGHT, "cancelled")])) == ""


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (["keep"], "v1 would not have become champion."),
        (["ask"], "v1 would have needed a decision."),
        (["changed", "keep"], "v1 became champion. v2 would not have become champion."),
        (["changed", "keep", "keep"], "v1 became champion. Of 2 other challengers, none would have become champion."),
        (["changed"], "v1 became champion."),
        (["promote", "ask"], "Of 2 challengers, v1 would have become champion and v2 would have needed a decision."),
    ],
)
def test_challengers_that_changed_nothing_are_told_apart_from_those_that_did(days, told):
    judged = [
        Day(
            NIGHT + number * DAY,
            "success",
            version=f"v{number}",
            decision=decision.replace("changed", "promote"),
            is_changed=decision == "changed",
        )
        for number, decision in enumerate(days, 1)
    ]
    whole = conclude(Backfill("12", "retrain", "ada", NIGHT, NIGHT, {}, judged))
    assert whole.partition("done. ")[2] == told


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (Day(NIGHT, "success", version="v7", decision="promote"), "v7 as champion"),
        (Day(NIGHT, "success", version="v7", decision="promote", is_changed=True), "v7 became champion"),
        (Day(NIGHT, "success", version="v7", decision="ask"), "a question"),
        (Day(NIGHT, "success", version="v7", decision="keep"), "nothing"),
        (Day(NIGHT, "success", is_changed=True), "its lists went live"),
        (Day(NIGHT, "failed"), ""),
    ],
)
def test_a_day_says_what_it_changed_or_would_have(day, told):
    assert day.change == told
