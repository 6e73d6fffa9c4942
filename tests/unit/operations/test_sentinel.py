"""What the sentinel concludes from signs of life, from moments that can be read off the clock."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.alerts.incidents import Incident
from include.alerts.wording import LiveLists
from include.core.clock import now
from include.core.settings import Settings
from include.operations.gaps import Gap
from include.operations.launcher import files, probes
from include.operations.sentinel.signs import Signs, WaitingTasks, Watch, judge

NOW = datetime(2026, 11, 30, 14, 11, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALIVE = Signs(
    beats=dict.fromkeys(("scheduler", "dag-processor", "triggerer"), NOW - MINUTE), monitored_at=NOW - 40 * MINUTE
)
LONG = Watch(NOW - 30 * DAY, NOW - 30 * DAY)
FRESH = LiveLists("b", NOW - HOUR, 1, 3000, 150)
STALE = replace(FRESH, generated_at=NOW - 3 * HOUR)


def beats(**ages):
    return {**ALIVE.beats, **{name.replace("_", "-"): NOW - age for name, age in ages.items()}}


def gap(dag_id, first, last):
    return Gap(dag_id, "missing", first, last, 1, f"{dag_id}: 1 run did not start, as of {last:%H:%M} UTC.", "")


def incident(cause, subject, **stopped):
    return Incident(1, cause, subject, "", "ticket", {}, "", NOW - HOUR, NOW - HOUR, stopped=stopped)


def found(signs, lists=FRESH, watch=LONG, *incidents):
    return [(one.severity, one.name, one.subject) for one in judge(signs, lists, incidents, watch, NOW)]


def test_an_airflow_that_works_is_nothing_to_tell():
    assert found(ALIVE) == []
    assert found(Signs()) == [], "before the first start"


def test_a_dead_scheduler_is_a_page_alone_although_all_else_stands_still_with_it():
    dead = Signs(
        beats=beats(scheduler=10 * MINUTE, triggerer=10 * MINUTE),
        monitored_at=NOW - 3 * HOUR,
        waiting=[WaitingTasks("heavy", 1, NOW - HOUR, "recommend.score")],
        missing={"recommend": gap("recommend", NOW - HOUR, NOW - HOUR)},
    )
    assert found(dead) == [("page", "AirflowSilent", "scheduler")]
    assert found(dead, None) == [("ticket", "AirflowSilent", "scheduler")], "no reader has lists yet"
    assert found(replace(dead, beats=beats(scheduler=9 * MINUTE))) != [("page", "AirflowSilent", "scheduler")]


def test_the_other_components_are_tickets_until_lists_are_stale():
    for name in ("dag-processor", "triggerer"):
        silent = replace(ALIVE, beats={**ALIVE.beats, name: NOW - HOUR})
        assert found(silent) == [("ticket", "AirflowSilent", name)]
        assert found(silent, STALE) == [("page", "AirflowSilent", name)]


@pytest.mark.parametrize(("minutes", "is_told"), [(9, False), (10, True)])
def test_a_scheduler_that_is_being_started_is_not_dead(minutes, is_told):
    watch = Watch(NOW - minutes * MINUTE, NOW - minutes * MINUTE)
    assert bool(found(replace(ALIVE, beats=beats(scheduler=8 * HOUR)), FRESH, watch)) is is_told


def test_an_incident_stays_open_when_the_sentinel_begins_anew():
    watch, known = Watch(NOW, NOW), incident("AirflowSilent", "scheduler")
    assert found(replace(ALIVE, beats=beats(scheduler=HOUR)), FRESH, watch, known) == [
        ("page", "AirflowSilent", "scheduler")
    ]
    assert found(ALIVE, FRESH, watch, known) == []


def test_a_silent_monitor_is_a_ticket_and_sooner_a_page_when_lists_are_stale():
    silent = replace(ALIVE, monitored_at=NOW - 2 * HOUR)
    assert found(silent) == [("ticket", "MonitorSilent", "monitor")]
    late = replace(ALIVE, monitored_at=NOW - 75 * MINUTE)
    assert found(late) == []
    assert found(late, STALE) == [("page", "MonitorSilent", "monitor")]
    assert found(replace(ALIVE, monitored_at=NOW - HOUR), STALE) == [], "it says so itself"


def test_a_monitor_that_fails_has_said_so_itself_and_after_a_standstill_it_has_its_turn():
    silent = replace(ALIVE, monitored_at=NOW - 5 * HOUR)
    assert found(silent, FRESH, LONG, incident("SourceError", "source", monitor=3)) == []
    assert found(silent, FRESH, Watch(NOW - 5 * HOUR, NOW - HOUR)) == []
    both = (incident("SourceError", "source", monitor=3), incident("MonitorSilent", "monitor"))
    assert found(silent, FRESH, LONG, *both) == [("ticket", "MonitorSilent", "monitor")], "it is not over"


def test_a_paused_monitor_is_said_to_be_paused():
    (told,) = judge(replace(ALIVE, monitored_at=NOW - 2 * HOUR, is_monitor_paused=True), FRESH, (), LONG, NOW)
    assert told.fact == "No run of monitor has succeeded for 2 h. It is paused in Airflow."


def test_tasks_that_wait_are_a_ticket_and_with_stale_lists_a_page():
    waits = replace(ALIVE, waiting=[WaitingTasks("heavy", 2, NOW - 40 * MINUTE, "recommend.score")])
    assert found(waits) == [("ticket", "TasksWaiting", "heavy")]
    assert found(waits, STALE) == [("page", "TasksWaiting", "heavy")]
    assert found(waits, FRESH, Watch(NOW - 29 * MINUTE, NOW - 29 * MINUTE)) == []
    (told,) = judge(waits, FRESH, (), LONG, NOW)
    assert told.fact == "2 tasks could have started 40 min ago, recommend.score the first."


def test_a_run_that_did_not_start_is_a_ticket_if_it_was_due_while_airflow_worked():
    missing = replace(ALIVE, missing={"recommend": gap("recommend", NOW - HOUR, NOW - 11 * MINUTE)})
    assert found(missing) == [("ticket", "RunMissing", "recommend")]
    started = Watch(NOW - DAY, NOW - 10 * MINUTE)
    assert found(missing, FRESH, started) == []
    assert found(missing, FRESH, started, incident("RunMissing", "recommend")) == [
        ("ticket", "RunMissing", "recommend")
    ]


@pytest.mark.parametrize(("age", "expected"), [(DAY, [("ticket", "DagPaused", "retrain")]), (DAY - MINUTE, [])])
def test_a_paused_dag_is_a_ticket_a_day_after_the_first_run_that_it_missed(age, expected):
    paused = replace(ALIVE, missing={"retrain": gap("retrain", NOW - age, NOW - age)}, paused=frozenset({"retrain"}))
    assert found(paused) == expected


@pytest.mark.parametrize(("age", "answers"), [(MINUTE, True), (6 * MINUTE, False), (None, False)])
def test_the_launcher_sees_whether_the_sentinel_looks(tmp_path, age, answers):
    settings = Settings(home=tmp_path)
    if age is not None:
        beat = tmp_path / files.SENTINEL_BEAT
        beat.touch()
        os.utime(beat, times=2 * ((now() - age).timestamp(),))
    assert probes.sentinel(settings, now() - DAY) is answers
    assert probes.sentinel(settings, now()) is False, "an earlier process made that round"
