"""A hold and its line in the audit log, under the name of the person who asked for it, on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.errors import DaybreakError, NoChampion
from include.core.run import Run
from include.judging import holds
from include.pipeline import holding
from tests.worlds.reigns import ask_for, register, reign

HOUR = timedelta(hours=1)


def held(settings):
    with connect(settings) as warehouse:
        return [(hold.kind, hold.version, hold.actor, hold.reason) for hold in holds.find_holds(warehouse, now())]


def audited(settings):
    return ask_for(settings, "select actor, action from ops.audit order by action")


def test_a_freeze_is_in_force_and_in_the_audit_log_under_the_name_of_who_asked(settings):
    said = holding.freeze(settings, "ada", now() + HOUR, "elections")
    assert said.startswith("Promotions are frozen until ")
    assert held(settings) == [("freeze", None, "ada", "elections")]
    assert audited(settings) == [("ada", "freeze")]


@pytest.mark.parametrize(
    ("action", "kind", "told"),
    [
        ("freeze", "freeze", "Promotions are frozen until {:%Y-%m-%d %H:%M} UTC, by ada: elections."),
        ("unfreeze", None, "Promotions are allowed again."),
        ("pin", "pin", "v1 is pinned, by ada: elections."),
        ("unpin", None, "No version is pinned any more."),
    ],
)
def test_a_run_sets_or_lifts_a_hold_as_of_its_own_moment_and_says_so(settings, action, kind, told):
    register(settings, 1)
    reign(settings, 1)
    moment = now()
    if action == "unfreeze":
        holding.freeze(settings, "ben", moment + HOUR, "votes")
    if action == "unpin":
        holding.pin(settings, "ben", None, "votes")
    made = holding.hold(Run(settings, "hold/manual", moment, "ada", "elections"), action, 2, "elections")
    assert made.facts["sentence"] == told.format(moment + 2 * HOUR)
    assert [one[0] for one in held(settings)] == [kind] * bool(kind)
    assert ask_for(settings, "select actor, status from ops.runs where stage = 'hold'") == [("ada", "done")]


def test_a_freeze_that_is_over_already_is_refused_and_leaves_no_trace(settings):
    with pytest.raises(DaybreakError, match="is in the past"):
        holding.freeze(settings, "ada", now() - HOUR, "elections")
    assert (held(settings), audited(settings)) == ([], [])


def test_lifting_says_whether_there_was_anything_to_lift(settings):
    holding.freeze(settings, "ada", now() + HOUR, "elections")
    assert holding.lift(settings, "ben", "freeze", "over") == "Promotions are allowed again."
    assert holding.lift(settings, "ben", "freeze") == "Promotions were not frozen."
    assert held(settings) == []
    assert audited(settings) == [("ada", "freeze"), ("ben", "lift freeze")]


def test_lifting_what_does_not_hold_leaves_no_trace(settings):
    assert holding.lift(settings, "ben", "pin") == "No version was pinned."
    assert audited(settings) == []


def test_a_pin_without_a_version_is_of_the_champion_and_another_version_is_refused(settings):
    register(settings, 1)
    reign(settings, 1)
    assert holding.pin(settings, "ada", None, "it reads well").startswith("v1 is pinned, by ada")
    with pytest.raises(DaybreakError, match="v2 is not the champion; v1 is"):
        holding.pin(settings, "ben", 2, "newer")
    assert held(settings) == [("pin", 1, "ada", "it reads well")]
    assert audited(settings) == [("ada", "pin")]


def test_before_the_first_promotion_there_is_nothing_to_pin(settings):
    with pytest.raises(NoChampion):
        holding.pin(settings, "ada", None, "it reads well")
    assert audited(settings) == []
