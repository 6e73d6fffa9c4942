"""Rehearsals as data, and what one says of itself."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from include.alerts.guides import CAUSES, CONDITIONS, WATCHED
from include.core.clock import now
from include.core.errors import FormRefused
from include.operations.demo.newsroom import tables
from include.operations.demo.newsroom.world import to_us
from include.operations.demo.rehearsals import rehearse
from include.operations.demo.rehearsals.descriptions import REHEARSALS
from include.operations.demo.rehearsals.fingerprint import Fact, compare
from include.operations.demo.rehearsals.plays import PLAYS
from include.operations.demo.rehearsals.rehearse import Outcome
from include.operations.demo.rehearsals.stage import Stage
from tests.parts import cli

BEFORE = {"champion": Fact("v1", "retrain/scheduled__1"), "open incidents": Fact("#1, #2"), "reading": Fact("7 rows")}


def after(**changes):
    return BEFORE | {name.replace("_", " "): fact for name, fact in changes.items()}


def outcome(changed, failure=""):
    return Outcome("crash", "crash", 125, ["a run"], compare(BEFORE, changed), failure)


def test_every_rehearsal_has_a_course():
    assert list(PLAYS) == list(REHEARSALS)


def test_the_causes_of_a_rehearsal_are_those_that_mails_know():
    known = {"killed", *CAUSES, *CONDITIONS, *WATCHED}
    assert {cause for one in REHEARSALS.values() for cause, _ in one.causes} <= known


def test_all_as_before_is_said_line_by_line():
    told = outcome(after()).tell()
    assert told.startswith("Rehearsal “crash” passed in 2 min 5 s.")
    assert "Seen\n  a run\n" in told
    assert told.endswith(
        "As before\n  champion        same   v1\n  open incidents  same   #1, #2\n  reading         same   7 rows"
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"champion": Fact("v2", "retrain/scheduled__2")}, "made meanwhile by retrain/scheduled__2"),
        ({"open_incidents": Fact("#2")}, "ended meanwhile"),
        ({"open_incidents": Fact("none")}, "ended meanwhile"),
    ],
)
def test_what_time_moved_is_said_with_its_reason_and_does_not_count(changes, why):
    moved = outcome(after(**changes))
    assert moved.passed
    assert why in moved.tell()


@pytest.mark.parametrize(
    "changes",
    [
        {"champion": Fact("v2", "retrain/rehearsal__worse-model__1")},
        {"open_incidents": Fact("#1, #2, #3")},
        {"open_incidents": Fact("#3")},
        {"reading": Fact("6 rows")},
    ],
)
def test_anything_else_that_differs_fails(changes):
    changed = outcome(after(**changes))
    assert not changed.passed
    assert "NOT as before" in changed.tell()
    assert "OTHER" in changed.tell()


def test_what_was_not_seen_fails_although_all_is_as_before():
    failed = outcome(after(), "There was no mail.")
    assert not failed.passed
    assert failed.tell().startswith("Rehearsal “crash” FAILED in 2 min 5 s.\nThere was no mail.")


def test_one_that_cannot_begin_or_be_mended_has_failed_and_the_others_are_played(serverless, monkeypatch):
    def play(settings, name, say):
        if name == "outage":
            raise FormRefused("recommend is paused.", hint="unpause it.")
        return Outcome(name, name, 60, ["a run"], compare(BEFORE, after()), "")

    monkeypatch.setattr(rehearse, "rehearse", play)
    told = cli.say(serverless, "rehearse", "--all")
    assert told.code == 1
    assert "1 of 10 rehearsals failed: outage." in told.err
    assert "FAILED in 0.0 s.\nrecommend is paused. Hint: unpause it.\n\nRehearsal “crash” passed" in told.out


class Newsroom:
    """The publisher, as far as a rehearsal breaks it."""

    def execute(self, statement):
        raise AssertionError(statement)


def test_data_that_is_older_than_a_training_may_wait_is_refused_before_anything_breaks(serverless, monkeypatch):
    state = SimpleNamespace(played_until_us=to_us(now() - timedelta(minutes=240)))
    monkeypatch.setattr(tables, "load_state", lambda newsroom: state)
    stage = Stage(serverless, None, Newsroom(), "late-data", "late data", now(), lambda line: None)
    with pytest.raises(FormRefused, match=r"240 minutes old, and a training waits 240 at most\..*play the newsroom"):
        PLAYS["late-data"](stage)


class Schedule:
    """Airflow, as far as it says when a DAG runs next."""

    def __init__(self, minutes, is_paused=False):
        self.answer = {
            "dag_id": "recommend",
            "is_paused": is_paused,
            "next_dagrun_run_after": minutes and (now() + timedelta(minutes=minutes)).isoformat(),
        }

    def get(self, path):
        return {**self.answer, "dag_id": path.removeprefix("dags/")}


def test_every_dag_that_the_clock_starts_in_the_loop_goes_first():
    assert rehearse._due(Schedule(2)) == [f"the scheduled run of {one}" for one in ("recommend", "retrain", "monitor")]


@pytest.mark.parametrize(("schedule", "waits"), [((2,), True), ((5,), False), ((2, True), False), ((None,), False)])
def test_a_scheduled_run_that_is_due_soon_goes_first(schedule, waits):
    assert bool(rehearse._due(Schedule(*schedule))) is waits


def test_without_a_name_the_rehearsals_are_listed(serverless):
    told = cli.say(serverless, "rehearse").out
    assert [line.split()[0] for line in told.splitlines() if not line.startswith(" ")] == list(REHEARSALS)


@pytest.mark.parametrize("words", [["crash", "--all"], ["crash", "--clean"], ["--all", "--clean"]])
def test_only_one_thing_is_asked_at_a_time(serverless, words):
    assert "three different things" in cli.say(serverless, "rehearse", *words).err


def test_the_demo_is_not_played_into_the_future(serverless):
    told = cli.say(serverless, "newsroom", "play", "--until", "2999-01-01").err
    assert "2999-01-01 00:00 UTC is in the future" in told
