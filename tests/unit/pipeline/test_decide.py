"""What follows a verdict: one rule for Airflow and the command line."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import product
from types import SimpleNamespace

import pytest

from include import pipeline
from include.core.errors import FormRefused
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.pipeline import orders
from include.pipeline.decide import REACHES, decide, refuse_unconfirmed
from tests.worlds.tiny import AS_OF

DECISIONS = ("promote", "ask", "keep")


@pytest.mark.parametrize(("decision", "step"), [("promote", "promote"), ("ask", "ask"), ("keep", "nothing")])
def test_a_run_that_enforces_does_what_the_verdict_says(decision, step):
    assert decide("enforce", decision, is_backfill=False).step == step


@pytest.mark.parametrize(("mode", "decision"), list(product(("enforce", "dry_run", "off"), DECISIONS)))
def test_a_backfill_changes_no_champion_and_asks_no_question(mode, decision):
    assert decide(mode, decision, is_backfill=True).step == "nothing"


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_dry_run_only_shows_a_shadow_batch(decision):
    assert decide("dry_run", decision, is_backfill=False).step == "shadow"


@pytest.mark.parametrize(
    ("mode", "decision", "is_backfill"), list(product(("enforce", "dry_run", "off"), DECISIONS, (True, False)))
)
def test_whatever_is_not_promoted_has_a_reason(mode, decision, is_backfill):
    following = decide(mode, decision, is_backfill=is_backfill)
    assert bool(following.reason) == (following.step != "promote")


@pytest.fixture
def called(monkeypatch):
    """Runs an order with stages that only note that they were called; `decision` is what the verdict says."""
    stages = []
    monkeypatch.setattr(orders, "newest_features", lambda settings: True)

    def order(name, *inputs, decision="promote", changed=True, not_asked="", **settings):
        def call(run, stage, *given):
            stages.append(stage.__name__)
            facts = {"decision": decision, "sentence": "It says why.", "rival": "Against v1.", "changed": changed}
            facts |= {"not_asked": not_asked}
            return Reference(stage.__name__, "1", "", AS_OF, "f", (), facts)

        run = Run(Settings(_env_file=None, **settings), "test", AS_OF, "somebody")
        return SimpleNamespace(result=getattr(orders, name)(run, *inputs, call=call), stages=stages)

    return order


PREPARE = ["extract", "validate", "build_features"]


@pytest.mark.parametrize(
    ("mode", "decision", "then"),
    [
        ("enforce", "promote", ["judge", "promote"]),
        ("enforce", "keep", ["judge"]),
        ("enforce", "ask", ["judge", "ask"]),
        ("dry_run", "promote", ["judge", "shadow"]),
        ("off", "promote", []),
    ],
)
def test_a_retrain_from_the_command_line_takes_one_step_after_its_verdict(called, mode, decision, then):
    done = called("retrain", decision=decision, gate_mode=mode)
    assert done.stages == [*PREPARE, "train", *then]


@pytest.mark.parametrize(
    ("mode", "stages", "told"),
    [
        ("data", PREPARE[:2], "Data only: no features are built and nothing is trained."),
        ("features", PREPARE, "Data and features only: nothing is trained."),
        ("off", [*PREPARE, "train"], "v1: The gate is off: the version is registered, but not judged or promoted."),
    ],
)
def test_a_mode_says_how_far_a_retrain_goes_and_why_it_ends_there(called, mode, stages, told):
    done = called("retrain", None, None, mode)
    assert (done.stages, done.result) == (stages, [told])


@pytest.mark.parametrize("decision", DECISIONS)
def test_no_mode_that_ends_before_the_verdict_takes_a_step_after_it(decision):
    for mode in ("data", "features", "off"):
        assert decide(mode, decision, is_backfill=False).step == "nothing"
        assert mode in REACHES


@pytest.mark.parametrize("mode", [*REACHES, None])
def test_a_backfill_promotes_only_when_its_mode_and_a_word_say_so(mode):
    for word in (None, "", "yes", "publish"):
        is_agreed = (mode == "enforce") == (word == "publish") and word != "yes"
        with nullcontext() if is_agreed else pytest.raises(FormRefused):
            refuse_unconfirmed(mode, word)


def test_a_promotion_that_is_refused_is_told_instead_of_one(called):
    assert called("retrain", changed=False).result == ["It says why."]
    assert called("retrain").result == ["It says why.", "Against v1."]


def test_a_question_is_told_with_the_way_to_answer_it_and_one_that_would_be_idle_is_not_asked(called):
    asked = called("retrain", decision="ask").result[-1]
    assert asked == "Answer with `bin/daybreak approve 1`, or add --keep to keep the champion."
    assert called("retrain", decision="ask", not_asked="Nobody is asked.").result[-1] == "Nobody is asked."


def test_every_stage_of_the_contents_page_is_there():
    for name, module in pipeline.STAGES.items():
        stage = getattr(pipeline, name)
        assert (stage.__name__, stage.__module__) == (name, f"include.pipeline.{module}")
