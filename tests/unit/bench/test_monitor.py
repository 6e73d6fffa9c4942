"""A small demo newsroom, played: nothing is called while nothing changes, and each loud change is found by its name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench.monitor import LOUD, STARTED, TRAINED_DAYS, make_loud, play, watch
from include.core.settings import Settings
from include.monitoring.sentences import tell

SETTINGS = Settings(drift_min_rows=400)
DAYS, HALF_A_DAY = 6, timedelta(hours=12)
SINCE = STARTED + timedelta(days=TRAINED_DAYS + 1)
SMALL = {"readers": 1200, "articles_per_day": 600, "days": TRAINED_DAYS + DAYS}


@pytest.fixture(scope="module")
def quiet():
    return play(7, **SMALL)


def watched(tables):
    return list(watch(SETTINGS, tables, DAYS, HALF_A_DAY))


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_world_in_which_nothing_changes_is_never_called(seed, quiet):
    windows = watched(quiet if seed == 7 else play(seed, **SMALL))
    assert len(windows) == 12
    assert min(window.reads for window in windows) > 400
    assert [window.end for window in windows if window.moved] == []


@pytest.mark.parametrize(
    ("name", "column", "told", "within"),
    [
        ("a publisher goes dark", "news.publisher", "Morning Courier among new articles has gone dark: ", 3),
        ("a tenfold publisher", "news.publisher", "Morning Courier among new articles has ", 3),
        (
            "dwell in milliseconds",
            "reads.long_dwell_seconds",
            "seconds that one read in ten exceeds look like milliseconds: ",
            3,
        ),
        ("a fifth turns to sport in ten days", "news.category", "category sport among new articles", 10),
        ("an election night", "reads.category", "category politics among reads has ", 4),
    ],
)
def test_a_loud_change_is_found_within_three_windows_of_being_large_and_named(quiet, name, column, told, within):
    assert name in LOUD
    windows = [window for window in watched(make_loud(quiet, name, SINCE)) if window.end > SINCE]
    called = [number for number, window in enumerate(windows, 1) if window.moved]
    assert called[0] <= within
    first = {one.column: one for one in windows[called[0] - 1].moved}
    assert told in tell(first[column])
    assert sum(bool(window.answer.reason) for window in windows) <= (name != "dwell in milliseconds")
