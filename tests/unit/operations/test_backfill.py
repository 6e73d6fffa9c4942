"""A backfill from the command line: which days, how far, and one row for each of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.core.clock import now
from include.core.errors import DaybreakError, SourceError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.operations.cli.backfill import find_moments, render
from include.pipeline.orders import PastDay, repeat_day

NIGHT = datetime(2026, 11, 20, 3, tzinfo=UTC)
DAY = timedelta(days=1)
RAW = {"subscribers": 100, "articles": 200, "reading_events": 5000}


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


def repeat(depth, fails_at=""):
    """A day that is done again, and the stages it took."""
    stages = []
    made = {
        "extract": RAW,
        "validate": RAW | {"reading_events": 4990},
        "judge": {"champion_version": 1, "sentence": "Would have kept v1: v7 does not beat it."},
    }

    def call(run, stage, *given):
        name = stage.__name__
        stages.append(name)
        if name == fails_at:
            raise SourceError("There is no row for the window.", hint="look.")
        return Reference(name, "7", "", run.as_of, "f", (), made.get(name, {}))

    return repeat_day(Run(Settings(_env_file=None), "cli/backfill/1", NIGHT, "ada"), depth, call=call), stages


def test_a_day_goes_as_far_as_it_was_asked_to():
    assert repeat("data") == (PastDay(NIGHT, 5300, 10, outcome="data kept"), ["extract", "validate"])
    day, stages = repeat("features")
    assert (day.outcome, stages) == ("features kept", ["extract", "validate", "build_features"])
    day, stages = repeat("train")
    assert day == PastDay(NIGHT, 5300, 10, "v7", "v1", "Would have kept v1: v7 does not beat it.")
    assert stages == ["extract", "validate", "build_features", "train", "judge"]


def test_a_day_that_fails_says_what_it_reached_and_why_it_ended():
    assert repeat("train", "extract")[0] == PastDay(NIGHT, outcome="failed: There is no row for the window.")
    day, stages = repeat("train", "train")
    assert (day.read, day.version, stages[-1]) == (5300, "", "train")
    assert day.outcome == "failed: There is no row for the window."


def test_the_report_is_a_table_with_a_row_per_day():
    days = [PastDay(NIGHT, 5300, 10, "v7", "baselines alone", "kept"), PastDay(NIGHT + DAY, outcome="failed: why")]
    assert list(render(days)) == [
        "as of (UTC)       rows read  quarantined  trained  judged against   outcome",
        "2026-11-20 03:00      5,300           10  v7       baselines alone  kept",
        "2026-11-21 03:00                                                    failed: why",
    ]
