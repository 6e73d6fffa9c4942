"""A backtest that goes a day further: a step is found again unless something that it can see has changed."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include.core.contract import MOMENT
from include.core.settings import Settings
from include.judging.backtest.walking import Walk
from tests.contract.judging.test_backtest import DAY, HOUR, a_plan, rows_of
from tests.worlds import sessions, tiny

DAYS = 4
END = sessions.end_of(DAYS)
MIDNIGHT = END.replace(hour=0, minute=0, second=0, microsecond=0)
MODELS = ("factors", "most_read_last_hour")


@pytest.fixture(scope="module")
def log():
    return sessions.session_log(DAYS, 7000, 450)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("again")


def until(world, end):
    """What a snapshot that ends then holds of the world."""
    times = {"subscribers": "signed_up_at", "articles": "published_at", "reading_events": "occurred_at"}
    return {name: rows.filter(pc.field(times[name]) < pa.scalar(end, MOMENT)) for name, rows in world.items()}


def walk(home, world, mode, end):
    settings = Settings(home=home, lookback_days=2, train_days=1, min_free_mb=0)
    start = MIDNIGHT - 3 * HOUR
    plan = a_plan(mode, start=start, end=end, models=MODELS, sample=50, train_sample=100)
    said = []
    found = Walk(settings, plan, tiny.store(settings, until(world, end), end, DAYS), said.append).results()
    steps = [line for line in said if line.startswith("step")]
    return found, [line.split()[1] for line in steps], [line for line in said if "fitted" in line]


@pytest.fixture(scope="module")
def first(log, home):
    """Both modes, to midnight."""
    return {mode: walk(home, log, mode, MIDNIGHT)[0] for mode in ("lists", "next-read")}


def test_a_step_more_is_all_that_is_worked_out(log, home, first):
    again, steps, fits = walk(home, log, "lists", MIDNIGHT + HOUR)
    assert (steps, fits) == (["4"], [])
    assert rows_of(again[:6]) == rows_of(first["lists"])


def test_a_session_that_goes_on_after_midnight_is_asked_anew_and_the_result_is_right(log, home, first, tmp_path):
    again, steps, fits = walk(home, log, "next-read", MIDNIGHT + HOUR)
    assert (steps, fits) == (["3", "4"], [])
    assert rows_of(again) == rows_of(walk(tmp_path, log, "next-read", MIDNIGHT + HOUR)[0])


def changed_at(log, moment, known):
    row = {"event_id": 8_000_000, "reader_id": 3, "article_id": 5, "kind": "click", "occurred_at": moment}
    return tiny.changed(log, "reading_events", [{**row, "ingested_at": known}])


@pytest.mark.parametrize("mode", ["lists", "next-read"])
@pytest.mark.parametrize("late", [timedelta(), 30 * HOUR], ids=["in time", "late"])
def test_when_a_day_that_a_step_sees_changes_the_step_and_the_fit_are_worked_out_anew(log, home, first, mode, late):
    moment = MIDNIGHT - DAY - 5 * HOUR
    _, steps, fits = walk(home, changed_at(log, moment, moment + late), mode, MIDNIGHT)
    assert (steps, len(fits)) == (["1", "2", "3"], 1)


def test_a_day_that_no_step_sees_does_not_matter(log, home, first):
    moment = MIDNIGHT + 5 * HOUR
    _, steps, fits = walk(home, changed_at(log, moment, moment), "lists", MIDNIGHT)
    assert (steps, fits) == ([], [])
    _, steps, _ = walk(home, changed_at(log, moment, moment), "lists", MIDNIGHT + 6 * HOUR)
    assert steps == ["4", "5", "6", "7", "8", "9"]


def test_a_reader_whose_row_changes_makes_the_steps_anew_and_one_who_comes_later_does_not(log, home, first):
    someone = {"reader_id": 900_000, "signed_up_at": MIDNIGHT + HOUR / 2}
    later = tiny.changed(log, "subscribers", [someone])
    assert walk(home, later, "lists", MIDNIGHT + HOUR)[1] == ["4"]
    before = tiny.changed(log, "subscribers", [{**someone, "signed_up_at": MIDNIGHT - DAY}])
    assert walk(home, before, "lists", MIDNIGHT)[1] == ["1", "2", "3"]
