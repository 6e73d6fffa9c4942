"""Too little reading is calm in the first days and an error later, on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.errors import NoChampion, SourceError, TooEarly
from include.core.run import Run
from include.judging import champion as champions
from include.pipeline import preparing
from tests.worlds import tiny

BEFORE_ALL_READING = tiny.START - timedelta(days=30)


def a_run(settings, as_of=tiny.AS_OF):
    return Run(settings, "run/1", as_of, "tests")


def recorded(settings):
    with connect(settings) as warehouse:
        return warehouse.execute("select stage, status from ops.runs").fetchall()


def test_an_empty_window_is_too_early_while_nothing_was_ever_read(publisher):
    with pytest.raises(
        TooEarly, match=r"^Nothing has been read from this publisher yet\. source\.reading_events has no"
    ):
        pipeline.extract(a_run(publisher, BEFORE_ALL_READING), 2)
    assert recorded(publisher) == [("extract", "skipped")]


def test_an_empty_window_is_an_error_once_there_was_reading(publisher):
    pipeline.extract(a_run(publisher), 2)
    with pytest.raises(SourceError, match=r"^source\.reading_events has no row for the window"):
        pipeline.extract(a_run(publisher, BEFORE_ALL_READING), 2)
    assert recorded(publisher) == [("extract", "failed")]


def test_without_a_champion_to_guard_the_stage_is_skipped(publisher):
    with pytest.raises(NoChampion):
        pipeline.guard(a_run(publisher))
    assert recorded(publisher) == [("guard", "skipped")]


def test_missing_views_are_an_error_from_the_first_moment_on(fresh_warehouse):
    with pytest.raises(SourceError, match=r"view source\.subscribers is missing"):
        pipeline.extract(a_run(fresh_warehouse), 2)


@pytest.fixture
def an_hour(publisher):
    """The reference of a snapshot with the last hours of reading only."""
    with connect(publisher, "newsroom") as newsroom:
        newsroom.execute(
            "delete from newsroom.reading_events where occurred_at < %s", [tiny.AS_OF - timedelta(hours=5)]
        )
    return pipeline.extract(a_run(publisher), 5)


def test_a_training_without_an_example_before_the_hold_out_is_too_early_until_there_is_a_champion(publisher, an_hour):
    with pytest.raises(TooEarly, match=r"needs reading from more than 27 h before: 24 h are held out for judging"):
        preparing.build_features(a_run(publisher), an_hour, "training")
    with connect(publisher) as warehouse:
        entry = {"from_version": None, "why": "w", "actor": "a", "run_id": "r", "snapshot_id": "s"}
        champions.append(warehouse, after_seq=0, version=1, **entry)
    assert preparing.build_features(a_run(publisher), an_hour, "training").kind == "features"


def test_lists_need_no_more_than_an_hour(publisher, an_hour):
    assert preparing.build_features(a_run(publisher), an_hour, "scoring").kind == "features"
