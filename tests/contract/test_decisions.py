"""Who becomes champion, and who goes back: questions, answers, holds and rollbacks on a real PostgreSQL and MLflow.

The ledger, the lists and the registered model are each test's own. The runs of its versions are known to no MLflow, as
after somebody emptied it: whatever is decided must be decided all the same.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from include import batch as batches
from include import champion as champions
from include import gate, holds, pipeline
from include.adapters import mlflow_registry
from include.adapters.warehouse import connect
from include.clock import now
from include.errors import ArtifactDamaged, DaybreakError
from include.record import Run
from include.settings import PROJECT
from tests import servers, worlds
from tests.reigns import ask_for, champion_of, keep_verdict, live_model, publish, register, reign
from tests.unit.test_verdict import DOUBTS, judge

AS_OF = worlds.AS_OF
SOUND, DOUBTFUL = judge(), judge(**DOUBTS["RT106"][1])


@pytest.fixture
def settings(fresh_warehouse, mlflow_server, monkeypatch):
    monkeypatch.setattr(mlflow_registry, "MODEL", f"decisions-{uuid.uuid4().hex}")
    mlflow_registry.reach.cache_clear()
    found = fresh_warehouse.model_copy(update={"mlflow_port": mlflow_server.mlflow_port})
    yield found
    mlflow_registry.reach.cache_clear()


@pytest.fixture
def run(settings):
    return Run(settings, "test/1", AS_OF, "ada")


# promoting


def test_of_two_runs_that_race_to_promote_one_wins_and_the_other_says_so(settings, run):
    for version in (1, 2, 3):
        register(settings, version)
    reign(settings, 1)
    verdicts = {version: keep_verdict(settings, SOUND, version, 1, 1) for version in (2, 3)}
    start, found = threading.Barrier(2), {}

    def race(version):
        start.wait(20)
        found[version] = pipeline.promote(replace(run, run_id=f"race/{version}"), verdicts[version]).facts

    racers = [threading.Thread(target=race, args=[version]) for version in verdicts]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    assert sorted(facts["changed"] for facts in found.values()) == [False, True]
    (winner,) = (version for version, facts in found.items() if facts["changed"])
    assert ask_for(settings, "select seq, version, from_version from ops.champions where seq > 1") == [(2, winner, 1)]
    (loser,) = set(found) - {winner}
    assert found[loser]["sentence"] == "The champion stays: another run changed it while this one judged."


def test_a_version_that_somebody_deletes_after_its_verdict_is_not_promoted(settings, run):
    register(settings, 2)
    reign(settings, 1)
    verdict = keep_verdict(settings, SOUND, 2, 1, 1)
    mlflow_registry.client(settings).delete_model_version(mlflow_registry.MODEL, "2")
    facts = pipeline.promote(run, verdict).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 1)
    assert facts["sentence"].startswith(
        "v2 is not promoted, for it cannot be used any more: Version 2 is not in MLflow"
    )


def test_a_version_whose_files_change_after_its_verdict_is_not_promoted(settings, run):
    digest = register(settings, 2)
    reign(settings, 1)
    (settings.home / "models" / digest / "version.txt").write_text("9")
    facts = pipeline.promote(run, keep_verdict(settings, SOUND, 2, 1, 1)).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 1)
    assert "cannot be used any more: The files of version 2 have digest" in facts["sentence"]


def test_a_verdict_that_asks_promotes_nobody_by_itself(settings, run):
    register(settings, 2)
    reign(settings, 1)
    facts = pipeline.promote(run, keep_verdict(settings, DOUBTFUL, 2, 1, 1)).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 1)


def test_nobody_can_answer_past_a_check_that_blocks(settings, run):
    register(settings, 2)
    reign(settings, 1)
    kept = keep_verdict(settings, judge(ours={"finite_score_share": 0.5}), 2, 1, 1)
    assert pipeline.answer(run, kept.id, "promote", "ada").facts["changed"] is False
    assert champion_of(settings).version == 1


def test_a_person_who_says_yes_makes_a_champion_and_is_remembered(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    assert pipeline.find_question(settings, None)["subject"] == "Promote v2, or keep v1?"
    assert pipeline.answer(run, asked.id, "promote", "ada", "it reads well").facts["changed"] is True
    champion = champion_of(settings)
    assert (champion.version, champion.actor, champion.why) == (2, "ada", "Promoted by ada: it reads well.")
    assert ask_for(settings, "select actor, action from ops.audit") == [("ada", "answer promote")]
    assert pipeline.find_question(settings, None) is None


def test_the_first_answer_counts_and_the_same_again_changes_nothing(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    assert pipeline.answer(run, asked.id, "keep", "ada").facts["sentence"] == "Kept by ada."
    late = pipeline.answer(run, asked.id, "promote", "ben").facts
    assert (late["changed"], late["sentence"]) == (False, "ada had answered before: keep.")
    assert champion_of(settings).version == 1


def test_a_yes_that_comes_after_another_promotion_changes_nothing(settings, run):
    for version in (2, 3):
        register(settings, version)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    pipeline.promote(run, keep_verdict(settings, SOUND, 3, 1, 1))
    assert pipeline.answer(run, asked.id, "promote", "ada").facts["changed"] is False
    assert champion_of(settings).version == 3


def test_a_question_is_one_mail_however_often_it_is_asked(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    for _ in range(2):
        pipeline.ask(run, asked)
    ((severity, subject, body),) = ask_for(settings, "select severity, subject, body from ops.alerts")
    assert (severity, subject) == ("ticket", "[ticket] v2: promote it or keep v1? A decision is wanted")
    assert DOUBTFUL.sentence in body


# holds


def test_while_frozen_nobody_is_promoted_and_the_reason_is_told(settings, run):
    register(settings, 2)
    reign(settings, 1)
    verdict = keep_verdict(settings, SOUND, 2, 1, 1)
    moment = now()
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "freeze", reason="elections", actor="ben", moment=moment,
                       until=moment + timedelta(hours=1))  # fmt: skip
    facts = pipeline.promote(run, verdict).facts
    assert facts["changed"] is False
    assert "Promotions are frozen until" in facts["sentence"]
    assert "by ben: elections." in facts["sentence"]
    with connect(settings) as warehouse:
        assert holds.find_holds(warehouse, moment + timedelta(hours=2)) == []
        assert holds.lift(warehouse, "freeze", actor="ben", moment=moment) == 1
    assert pipeline.promote(run, verdict).facts["changed"] is True


def test_a_pin_keeps_its_version_and_stands_until_it_is_lifted(settings, run):
    register(settings, 2)
    reign(settings, 1)
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "pin", version=1, reason="audit", actor="ben", moment=now())
    facts = pipeline.promote(run, keep_verdict(settings, SOUND, 2, 1, 1)).facts
    assert (facts["changed"], facts["sentence"]) == (False, "v2 is not promoted. v1 is pinned, by ben: audit.")


# going back


@pytest.fixture
def three(settings):
    """Three champions in turn; the third one's lists are live."""
    digests = {version: register(settings, version) for version in (1, 2, 3)}
    reign(settings, 1, 2, 3)
    return digests


def test_a_rollback_brings_model_and_lists_back_in_one_action(settings, run, three):
    facts = pipeline.roll_back(run, None, "its lists are old").facts
    champion = champion_of(settings)
    assert (champion.version, champion.from_version, champion.action, champion.actor) == (2, 3, "rollback", "ada")
    assert champion.why == "Rolled back from v3 to v2: its lists are old."
    assert champion.snapshot_id == "snapshot of 2"
    assert live_model(settings) == [(2,)]
    assert facts["batch_id"] == "batch_of_2_01"
    assert ask_for(settings, "select actor, action, detail ->> 'to' from ops.audit") == [("ada", "rollback", "2")]


def test_the_same_rollback_run_again_changes_nothing_more(settings, run, three):
    pipeline.roll_back(run, None, "its lists are old")
    pipeline.roll_back(run, None, "its lists are old")
    assert ask_for(settings, "select count(*) from ops.champions where action = 'rollback'") == [(1,)]


def test_another_rollback_goes_back_once_more_and_never_to_what_was_left(settings, run, three):
    pipeline.roll_back(run, None, "bad")
    pipeline.roll_back(replace(run, run_id="test/2"), None, "bad too")
    assert (champion_of(settings).version, live_model(settings)) == (1, [(1,)])
    with pytest.raises(DaybreakError, match="There is no sound version to go back to from v1"):
        pipeline.roll_back(replace(run, run_id="test/3"), None, "and this one")


def test_a_version_whose_files_changed_is_passed_over(settings, run, three):
    (settings.home / "models" / three[2] / "version.txt").write_text("9")
    assert pipeline.roll_back(run, None, "bad").facts["version"] == 1
    assert "Passed over: v2: The files of version 2 have digest" in champion_of(settings).why


def test_a_version_that_is_named_and_damaged_changes_nothing(settings, run, three):
    (settings.home / "models" / three[1] / "version.txt").write_text("9")
    with pytest.raises(ArtifactDamaged):
        pipeline.roll_back(run, 1, "bad")
    assert (champion_of(settings).version, live_model(settings)) == (3, [(3,)])


def test_lists_of_the_champion_before_that_come_late_do_not_go_live(settings, run, three):
    late = publish(settings, 3, AS_OF + timedelta(hours=9), goes_live=False)
    pipeline.roll_back(run, None, "bad")
    with connect(settings) as warehouse:
        assert batches.switch(warehouse, late, AS_OF + timedelta(hours=9), 150) is False
    assert live_model(settings) == [(2,)]


def test_a_shadow_batch_never_goes_live_not_even_by_a_rollback(settings, run, three):
    publish(settings, 2, AS_OF + timedelta(hours=9), status="shadow", goes_live=False)
    assert pipeline.roll_back(run, None, "bad").facts["batch_id"] == "batch_of_2_01"


def test_a_pin_stands_against_a_rollback_too(settings, run, three):
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "pin", version=3, reason="audit", actor="ben", moment=now())
    with pytest.raises(DaybreakError, match=r"v3 is pinned, by ben: audit\. Hint: `bin/daybreak unpin` first"):
        pipeline.roll_back(run, None, "bad")


# For each line it reads it forks a process that goes back and is killed at a moment: what all need is imported once.
KILLER = """
import os, signal, sys
from include import pipeline, rollback
from include.record import Run
from include.settings import load_settings
from include.clock import parse_moment
places = {"lists": (rollback.batches, "restore"), "audit": (rollback, "keep_audit"),
          "aliases": (rollback.champions, "repair_aliases")}
for line in sys.stdin:
    os.environ["DAYBREAK_HOME"], moment, as_of = line.split()
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    setattr(*places[moment], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    pipeline.roll_back(Run(load_settings(), "test/killed", parse_moment(as_of), "ada"), None, "bad")
    os._exit(0)
"""


@pytest.fixture(scope="module")
def killer():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", KILLER], cwd=PROJECT, **pipes) as process:
        yield process
        process.stdin.close()


@pytest.mark.parametrize(("moment", "version"), [("lists", 3), ("audit", 3), ("aliases", 2)])
def test_a_rollback_that_is_killed_happened_whole_or_not_at_all(settings, run, three, killer, moment, version):
    servers.write_env_file(settings)
    print(settings.home, moment, AS_OF.isoformat(), file=killer.stdin, flush=True)
    assert int(killer.stdout.readline()) == -signal.SIGKILL
    assert (champion_of(settings).version, live_model(settings)) == (version, [(version,)])
    pipeline.roll_back(replace(run, run_id="test/killed"), None, "bad")
    assert (champion_of(settings).version, live_model(settings)) == (2, [(2,)])


# readers decide


def measured(settings, version, hours, shown, seconds):
    with connect(settings) as warehouse:
        since = champions.find_champion(warehouse).at
        warehouse.execute(
            "insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads,"
            " read_seconds) values (%s, 24, %s, 'all', 100, %s, 10, %s)",
            [since + timedelta(hours=hours), version, shown, seconds],
        )
    return since


@pytest.mark.parametrize(
    ("shown", "seconds", "hours", "version"),
    [(5000, 5000 * 2.9, 6, 2), (5000, 5000 * 3.1, 6, 3), (4999, 5000 * 1.0, 6, 3), (5000, 5000 * 1.0, 5, 3)],
    ids=["clearly less", "within the limit", "few shown", "too soon"],
)
def test_a_champion_that_readers_leave_goes(settings, run, three, shown, seconds, hours, version):
    since = measured(settings, 3, hours, shown, seconds)
    measured(settings, 2, -1, 6000, 6000 * 4.0)
    watching = replace(run, as_of=since + timedelta(hours=24))
    facts = pipeline.guard(watching).facts
    assert (facts["changed"], champion_of(settings).version) == (version == 2, version)
    if version == 2:
        assert "Readers spent 2.9 s per article shown by v3 (5,000 shown) and 4.0 s by v2" in facts["sentence"]
        assert live_model(settings) == [(2,)]
        assert ask_for(settings, "select left(subject, 22) from ops.alerts") == [("[ticket] v3 does worse",)]
        with connect(settings) as warehouse:
            assert [hold.kind for hold in holds.find_holds(warehouse, now())] == ["freeze"]
        again = pipeline.guard(replace(watching, run_id="test/2")).facts
        assert again["changed"] is False


def test_what_is_frozen_is_not_rolled_back_by_itself_but_told(settings, run, three):
    since = measured(settings, 3, 6, 5000, 5000.0)
    measured(settings, 2, -1, 6000, 24000.0)
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "freeze", reason="elections", actor="ben", moment=now(), until=None)
    facts = pipeline.guard(replace(run, as_of=since + timedelta(hours=24))).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 3)
    assert "Nothing is rolled back: Promotions are frozen, by ben: elections." in facts["sentence"]


def test_the_door_and_the_question_see_what_the_verdict_saw(settings, run):
    register(settings, 2)
    reign(settings, 1)
    for verdict in (SOUND, DOUBTFUL, judge(ours={"ndcg": 0.0})):
        name = keep_verdict(settings, verdict, 2, 1, 1).id
        with connect(settings) as warehouse:
            assert gate.conclude_again(warehouse, name) == verdict.decision
