"""What goes wrong in the middle of a decision: whoever goes away or comes at the same moment, there is one
champion, and the ledger, the lists and in the end MLflow's aliases agree on who it is.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from include import pipeline
from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.core.clock import now
from include.core.errors import AuditFailed, DaybreakError, ServiceError
from include.judging import champion as champions
from include.judging import holds
from include.lists import batch as batches
from include.models import registry
from include.operations import retention
from include.pipeline import deciding, going_back
from tests.contract.operations.test_retention_of_versions import train
from tests.parts import servers
from tests.worlds.evidence import DOUBTS, judge
from tests.worlds.reigns import (
    AS_OF,
    aliases,
    ask_for,
    champion_of,
    keep_verdict,
    live_model,
    publish,
    register,
)

SOUND, DOUBTFUL = judge(), judge(**DOUBTS["RT106"][1])
MOMENT = 0.3  # seconds in which who need not wait would be through


@pytest.fixture
def run(decision):
    return decision


def after(place, name, monkeypatch, then, *, before=False):
    """`then` happens as soon as (or just before) the function was called, once."""
    real = getattr(place, name)

    def called(*some, **named):
        monkeypatch.setattr(place, name, real)
        if before:
            then()
            return real(*some, **named)
        found = real(*some, **named)
        then()
        return found

    monkeypatch.setattr(place, name, called)


def still_waiting(threads):
    for thread in threads:
        thread.start()
        thread.join(MOMENT)
    return [thread.is_alive() for thread in threads]


def freeze(settings):
    moment = now()
    with connect(settings) as warehouse:
        holds.set_hold(
            warehouse, "freeze", reason="elections", actor="ben", moment=moment, until=moment + timedelta(hours=1)
        )


# somebody is away


@pytest.fixture
def leave(settings, monkeypatch):
    """A function after which nobody answers at MLflow's address, until it is called again."""
    port = settings.mlflow_port

    def away():
        found = servers.free_port() if settings.mlflow_port == port else port
        monkeypatch.setitem(settings.__dict__, "mlflow_port", found)

    return away


def test_while_mlflow_is_away_nobody_is_promoted_and_the_same_again_promotes(settings, run, two, leave, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    verdict = keep_verdict(settings, SOUND, 3, 2, 2)
    leave()
    with pytest.raises(ServiceError, match=r"MLflow at .* does not answer"):
        pipeline.promote(run, verdict)
    assert champion_of(settings).version == 2
    leave()
    assert pipeline.promote(run, verdict).facts["changed"] is True


def test_an_mlflow_that_goes_away_in_the_middle_costs_no_promotion_and_its_aliases_follow(
    settings, run, two, leave, monkeypatch
):
    after(deciding.champions, "append", monkeypatch, leave)
    facts = pipeline.promote(run, keep_verdict(settings, SOUND, 3, 2, 2)).facts
    assert (facts["changed"], champion_of(settings).version) == (True, 3)
    assert "MLflow's aliases will be set later: MLflow at http" in facts["sentence"]
    leave()
    assert aliases(settings) == {"champion": None, "previous": None}
    assert champions.follow(settings) == ""
    assert aliases(settings) == {"champion": 3, "previous": 2}


def test_a_rollback_needs_no_mlflow_while_the_files_are_here(settings, run, two, leave):
    leave()
    facts = pipeline.roll_back(run, None, "bad").facts
    assert (champion_of(settings).version, live_model(settings)) == (1, [(1,)])
    assert facts["sentence"].startswith("Rolled back from v2 to v1: bad. MLflow's aliases will be set later: ")


def test_a_database_that_breaks_off_in_the_middle_of_a_promotion_is_one_clear_error_and_no_promotion(
    settings, run, two, monkeypatch
):
    def break_off():
        ask_for(
            settings,
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'daybreak_run'"
            " and state = 'idle in transaction'",
        )

    verdict = keep_verdict(settings, SOUND, 3, 2, 2)
    after(deciding.champions, "append", monkeypatch, break_off)
    with pytest.raises(ServiceError, match=r"warehouse closed the connection of daybreak_run: .* rolled back"):
        pipeline.promote(run, verdict)
    assert champion_of(settings).version == 2
    assert pipeline.promote(run, verdict).facts["changed"] is True
    assert ask_for(settings, "select version from ops.champions order by seq") == [(1,), (2,), (3,)]


def test_a_registry_that_somebody_emptied_gives_no_number_twice(settings, run, two):
    """Else the new version would be taken for the old one with its number, whose files are still there."""
    old = train(settings, 1)
    mlflow_client.client(settings).delete_registered_model(mlflow_client.MODEL)
    new = train(settings, 2)
    assert (old.version, new.version) == (4, 5)
    with connect(settings) as warehouse:
        assert registry.find_model(warehouse, new.version).digest == new.digest
    facts = pipeline.promote(run, keep_verdict(settings, SOUND, new.version, 2, 2)).facts
    assert (facts["changed"], champion_of(settings).version) == (True, 5)
    assert aliases(settings) == {"champion": 5, "previous": None}  # of v2 MLflow knows nothing any more


# two at once


def test_a_freeze_that_comes_while_the_files_are_looked_at_is_obeyed(settings, run, two, monkeypatch):
    verdict = keep_verdict(settings, SOUND, 3, 2, 2)
    after(deciding, "_find_damage", monkeypatch, lambda: freeze(settings))
    facts = pipeline.promote(run, verdict).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 2)
    assert "Promotions are frozen until" in facts["sentence"]


def test_a_freeze_that_comes_later_waits_for_the_promotion_to_end(settings, run, two, monkeypatch):
    """So that whoever froze finds the champion that stays, not one that changes a moment later."""
    freezing, found = threading.Thread(target=freeze, args=[settings]), []
    after(deciding.champions, "append", monkeypatch, lambda: found.extend(still_waiting([freezing])), before=True)
    assert pipeline.promote(run, keep_verdict(settings, SOUND, 3, 2, 2)).facts["changed"] is True
    freezing.join(20)
    assert found == [True]
    with connect(settings) as warehouse:
        assert [hold.kind for hold in holds.find_holds(warehouse, now())] == ["freeze"]


def test_of_two_rollbacks_at_once_one_goes_back_and_the_other_says_so(settings, run, two, monkeypatch):
    register(settings, 4)
    with connect(settings) as warehouse:
        champions.append(warehouse, after_seq=2, version=4, from_version=2, why="w", actor="a", run_id="r",
                         snapshot_id="s")  # fmt: skip
    both, found, real = threading.Barrier(2), {}, going_back._find_target

    def find_target(*some):
        target = real(*some)
        both.wait(30)
        return target

    def go_back(name):
        try:
            found[name] = pipeline.roll_back(replace(run, run_id=name), None, "bad").facts["version"]
        except DaybreakError as error:
            found[name] = error.fact

    monkeypatch.setattr(going_back, "_find_target", find_target)
    racers = [threading.Thread(target=go_back, args=[name]) for name in ("one", "other")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    told = "Another run changed the champion while v2 was checked; nothing was rolled back."
    assert sorted(found.values(), key=str) == [2, told]
    assert ask_for(settings, "select version from ops.champions where action = 'rollback'") == [(2,)]
    assert live_model(settings) == [(2,)]


def test_lists_that_are_published_while_a_rollback_ends_wait_and_do_not_go_live(settings, run, two, monkeypatch):
    late, waited, live = publish(settings, 2, AS_OF + timedelta(hours=9), goes_live=False), [], []

    def switch():
        with connect(settings) as warehouse:
            live.append(batches.switch(warehouse, late, AS_OF + timedelta(hours=9), 150))

    recommending = threading.Thread(target=switch)
    after(going_back, "keep_audit", monkeypatch, lambda: waited.extend(still_waiting([recommending])))
    pipeline.roll_back(run, None, "bad")
    recommending.join(20)
    assert (waited, live) == ([True], [False])
    assert (champion_of(settings).version, live_model(settings)) == (1, [(1,)])


def test_lists_that_retention_removes_under_a_rollback_never_go_live_empty(settings, run, two, monkeypatch):
    later = AS_OF + timedelta(days=100)
    after(going_back, "_find_target", monkeypatch, lambda: retention.sweep(settings, later))
    with pytest.raises(AuditFailed, match="its rows were deleted, so it is not published"):
        pipeline.roll_back(run, None, "bad")
    assert (champion_of(settings).version, live_model(settings)) == (2, [(2,)])


def test_retention_waits_for_a_rollback_that_is_about_to_bring_old_lists_back(settings, run, two, monkeypatch):
    sweeping, waited = threading.Thread(target=retention.sweep, args=[settings, AS_OF + timedelta(days=100)]), []
    after(going_back.batches, "restore", monkeypatch, lambda: waited.extend(still_waiting([sweeping])))
    pipeline.roll_back(run, None, "bad")
    sweeping.join(60)
    assert waited == [True]
    assert live_model(settings) == [(1,)]


def test_of_a_yes_and_a_no_at_once_one_counts_and_the_ledger_agrees_with_it(settings, run, two):
    asked, both, found = keep_verdict(settings, DOUBTFUL, 3, 2, 2), threading.Barrier(2), {}

    def answer(choice, who):
        both.wait(20)
        found[choice] = pipeline.answer(replace(run, run_id=who), asked.id, choice, who).facts

    people = [threading.Thread(target=answer, args=pair) for pair in (("promote", "ada"), ("keep", "ben"))]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    ((choice, who),) = ask_for(settings, "select answer, actor from ops.answers")
    assert champion_of(settings).version == (3 if choice == "promote" else 2)
    (late,) = {"promote", "keep"} - {choice}
    assert found[late]["sentence"] == f"Already answered “{choice}” by {who}; the first answer counts."


def test_a_rollback_by_itself_is_told_even_if_the_run_dies_right_after(settings, run, two, monkeypatch):
    reasons = iter(["Readers left.", ""])
    monkeypatch.setattr(going_back, "find_fall", lambda *_: next(reasons))

    def die():
        raise KeyboardInterrupt

    after(going_back, "_reference", monkeypatch, die, before=True)
    with pytest.raises(KeyboardInterrupt):
        pipeline.guard(run)
    assert ask_for(settings, "select severity, left(subject, 22) from ops.alerts") == [
        ("ticket", "[ticket] v2 does worse")
    ]
    facts = pipeline.guard(run).facts
    assert (facts["changed"], facts["version"]) == (True, 1)
    assert facts["sentence"].startswith("Rolled back from v2 to v1: Readers left.")
    assert ask_for(settings, "select count(*) from ops.alerts") == [(1,)]
