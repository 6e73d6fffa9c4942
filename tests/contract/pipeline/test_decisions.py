"""Who becomes champion: promotions, questions, answers and holds on a real PostgreSQL and MLflow."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from include import pipeline
from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.core.clock import now
from include.judging import holds
from include.judging.verdict import judge_challenger
from include.lists import batch as batches
from include.pipeline import deciding
from tests.worlds.batches import about, lists
from tests.worlds.evidence import BASELINES, DOUBTS, GAIN, LIMITS, evidence, judge
from tests.worlds.reigns import ask_for, champion_of, keep_verdict, register, reign

SOUND, DOUBTFUL = judge(), judge(**DOUBTS["RT106"][1])


@pytest.fixture
def run(decision):
    return decision


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
    assert found[loser]["sentence"] == "Not promoted: another run changed the champion after this verdict."


def test_the_first_promotion_says_in_the_ledger_which_baseline_it_replaces(settings, run):
    register(settings, 1)
    with connect(settings) as warehouse:
        made_by = {**about("b1"), "model_version": None, "baseline": "co_reading"}
        batches.write(warehouse, lists().to_batches(), made_by)
        batches.set_status(warehouse, "b1", "audited")
        batches.restore(warehouse, "b1", 150)
    first = judge_challenger(
        LIMITS, evidence(rival=None, champion=None, slices=(), gaps=dict.fromkeys(BASELINES, GAIN))
    )
    facts = pipeline.promote(run, keep_verdict(settings, first, 1, 0)).facts
    assert facts["changed"]
    assert facts["sentence"].startswith(champion_of(settings).why)
    assert champion_of(settings).why.endswith("It replaces the baseline co_reading, which made the lists until now.")


def test_a_version_that_somebody_deletes_after_its_verdict_is_not_promoted(settings, run):
    register(settings, 2)
    reign(settings, 1)
    verdict = keep_verdict(settings, SOUND, 2, 1, 1)
    mlflow_client.client(settings).delete_model_version(mlflow_client.MODEL, "2")
    facts = pipeline.promote(run, verdict).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 1)
    assert facts["sentence"].startswith(
        "v2 is not promoted because it can no longer be used: Version 2 is no longer in MLflow"
    )


def test_a_version_whose_files_change_after_its_verdict_is_not_promoted(settings, run):
    digest = register(settings, 2)
    reign(settings, 1)
    (settings.home / "models" / digest / "version.txt").write_text("9")
    facts = pipeline.promote(run, keep_verdict(settings, SOUND, 2, 1, 1)).facts
    assert (facts["changed"], champion_of(settings).version) == (False, 1)
    assert "can no longer be used: MLflow has no files of run gone" in facts["sentence"]


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
    assert ask_for(settings, "select actor, reason from ops.answers") == [("ada", "it reads well")]
    assert pipeline.find_question(settings, None) is None


def test_the_first_answer_counts_and_the_same_again_changes_nothing(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    assert pipeline.answer(run, asked.id, "keep", "ada").facts["sentence"] == "Kept by ada."
    assert ask_for(settings, "select actor, reason from ops.answers") == [("ada", "")]
    late = pipeline.answer(run, asked.id, "promote", "ben").facts
    assert (late["changed"], late["sentence"]) == (
        False,
        "Already answered “keep” by ada; the first answer counts.",
    )
    assert champion_of(settings).version == 1


def test_a_no_with_a_reason_says_it(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    said = pipeline.answer(run, asked.id, "keep", "ada", " elections are on. ").facts["sentence"]
    assert said == "Kept by ada: elections are on."


def test_a_yes_that_comes_after_nobody_answered_in_time_changes_nothing(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked = keep_verdict(settings, DOUBTFUL, 2, 1, 1)
    pipeline.answer(run, asked.id, "keep", "timeout")
    late = pipeline.answer(run, asked.id, "promote", "ada").facts
    assert (late["changed"], champion_of(settings).version) == (False, 1)
    assert late["sentence"] == "Already answered “keep” by timeout; the first answer counts."


def test_a_yes_while_promotions_are_frozen_leaves_the_question_open(settings, run):
    register(settings, 2)
    reign(settings, 1)
    asked, moment = keep_verdict(settings, DOUBTFUL, 2, 1, 1), now()
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "freeze", reason="elections", actor="ben", moment=moment)
    assert "Promotions are frozen" in pipeline.answer(run, asked.id, "promote", "ada").facts["sentence"]
    assert pipeline.find_question(settings, asked.id)["verdict_id"] == asked.id
    assert ask_for(settings, "select * from ops.audit") == []
    with connect(settings) as warehouse:
        holds.lift(warehouse, "freeze", actor="ben", moment=moment)
    assert pipeline.answer(run, asked.id, "promote", "cem").facts["changed"] is True
    assert champion_of(settings).actor == "cem"


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
    assert (severity, subject) == ("ticket", "[ticket] v2: promote it or keep v1? A decision is needed")
    assert DOUBTFUL.sentence in body
    (doubt,) = (check.sentence for check in DOUBTFUL.checks if check.code == "RT106")
    assert f"In doubt\n- {doubt} [RT106]\n" in body
    assert f"- {doubt} [RT106]" in pipeline.find_question(settings, asked.id)["body"]


def test_a_doubt_that_was_never_asked_about_as_in_a_backfill_is_no_open_question(settings, run):
    register(settings, 2)
    reign(settings, 1)
    doubt = keep_verdict(settings, DOUBTFUL, 2, 1, 1, is_asked=False)
    assert pipeline.find_question(settings, None) is None
    assert ask_for(settings, "select why from ops.version_claims where why like 'verdict%%'") == []
    assert pipeline.ask(run, doubt).facts == doubt.facts
    assert pipeline.find_question(settings, None)["verdict_id"] == doubt.id
    assert len(ask_for(settings, "select why from ops.version_claims where why like 'verdict%%'")) == 1


def test_a_question_that_an_answer_could_not_change_is_not_asked(settings, run):
    for version in (2, 3):
        register(settings, version)
    reign(settings, 1, 3)
    doubt = keep_verdict(settings, DOUBTFUL, 2, 1, 1, is_asked=False)
    told = pipeline.ask(run, doubt).facts["not_asked"]
    assert told == "No question is asked: another run changed the champion after this verdict."
    assert ask_for(settings, "select subject from ops.alerts") == []
    assert ask_for(settings, "select asked_at from ops.verdicts") == [(None,)]


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
        assert holds.find_holds(warehouse, moment + timedelta(hours=1)) == []
        assert holds.find_holds(warehouse, moment + timedelta(hours=1, microseconds=-1))
        assert holds.lift(warehouse, "freeze", actor="ben", moment=moment) == 1
    assert pipeline.promote(run, verdict).facts["changed"] is True


def test_a_pin_keeps_its_version_and_stands_until_it_is_lifted(settings, run):
    register(settings, 2)
    reign(settings, 1)
    with connect(settings) as warehouse:
        holds.set_hold(warehouse, "pin", version=1, reason="audit", actor="ben", moment=now())
    facts = pipeline.promote(run, keep_verdict(settings, SOUND, 2, 1, 1)).facts
    assert (facts["changed"], facts["sentence"]) == (False, "v2 is not promoted. v1 is pinned, by ben: audit.")


def test_the_door_and_the_question_see_what_the_verdict_saw(settings, run):
    register(settings, 2)
    reign(settings, 1)
    for verdict in (SOUND, DOUBTFUL, judge(ours={"ndcg": 0.0})):
        name = keep_verdict(settings, verdict, 2, 1, 1).id
        with connect(settings) as warehouse:
            assert deciding.conclude_again(warehouse, name) == verdict.decision
