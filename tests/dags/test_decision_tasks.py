"""Tasks in which somebody decides: who is asked and when, whose answer counts, and who is told of another champion."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include import pipeline
from include.alerts import outbox
from include.core.errors import NoChampion
from include.core.references import Reference
from include.core.settings import load_settings
from tests.dags.contexts import TICK, context, event

QUESTION = {"verdict_id": "v-1", "subject": "Promote v2, or keep v1?", "body": "b"}


def reference(kind, **facts):
    return Reference(kind, f"{kind}-1", "file:///x", TICK, "f", (), facts)


def a_verdict(decision):
    facts = {"decision": decision, "sentence": "It is likely.", "challenger_version": 2}
    return reference("verdict", **facts).to_dict()


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Calls a task in a run of the given kind; what it told other DAGs is in `events`."""
    from daybreak_airflow import passing
    from daybreak_airflow.tasks import decisions

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))

    def call(task, *args, of=None):
        of = of or context("scheduled", interval_end=TICK)
        of["outlets"] = ["the asset"]
        call.events = of["outlet_events"] = defaultdict(lambda: SimpleNamespace(extra={}))
        for module in (passing, decisions):
            monkeypatch.setattr(module, "get_current_context", lambda: of)
        stand_in = SimpleNamespace(as_of=TICK, settings=load_settings(), actor=decisions.runs.actor(of))
        monkeypatch.setattr(decisions.runs, "current_run", lambda: stand_in)
        return getattr(decisions, task).function(*args)

    return call


@pytest.fixture
def pipe(monkeypatch):
    """Makes a stage of the pipeline answer; says with what it was called."""
    calls = []

    def answer(stage, result):
        monkeypatch.setattr(pipeline, stage, lambda run, *given: (calls.append(given), result)[1])
        return calls

    return answer


def test_a_verdict_that_asks_is_mailed_and_starts_the_question(run, pipe, monkeypatch):
    calls, mailed = pipe("ask", reference("verdict")), []
    monkeypatch.setattr(outbox, "deliver_pending", lambda *given: mailed.append(given))
    run("ask", a_verdict("ask"))
    assert (len(calls), len(mailed)) == (1, 1)
    assert run.events["the asset"].extra["verdict_id"] == "verdict-1"


@pytest.mark.parametrize(
    ("of", "decision", "sentence"),
    [
        (None, "promote", "The verdict is clear"),
        (None, "keep", "Nothing is promoted"),
        (context("backfill", interval_end=TICK), "ask", "Backfill: nothing is promoted"),
        (context("manual", mode="dry_run"), "ask", "Dry run: nothing is promoted"),
    ],
    ids=["clear yes", "clear no", "backfill", "dry run"],
)
def test_nobody_is_asked_what_would_change_nothing(run, pipe, of, decision, sentence):
    calls = pipe("ask", None)
    with pytest.raises(AirflowSkipException, match=sentence):
        run("ask", a_verdict(decision), of=of)
    assert calls == []
    assert not run.events


def test_a_question_waits_as_long_as_is_set_and_nobody_answering_means_keep(dags):
    approve = dags["approve"]
    asking = approve.get_task("wait_for_a_person")
    assert (asking.options, asking.defaults) == (["Promote", "Keep"], ["Keep"])
    assert list(asking.serialized_params) == ["reason"]
    assert asking.response_timeout == timedelta(hours=12)
    assert approve.dagrun_timeout > asking.response_timeout


@pytest.mark.parametrize(
    ("chosen", "by", "form", "expected"),
    [
        (["Promote"], {"id": "1", "name": "ada"}, {"reason": "reads well"}, ("promote", "ada", "reads well")),
        (["Keep"], {"id": "1", "name": "ada"}, {"reason": None}, ("keep", "ada", "")),
        (["Keep"], None, None, ("keep", "timeout", "")),
        ([], None, {}, ("keep", "timeout", "")),
    ],
    ids=["yes", "no", "timeout", "nothing chosen"],
)
def test_an_answer_is_taken_as_it_was_given_by_whom_and_why(run, pipe, chosen, by, form, expected):
    calls = pipe("answer", reference("champion", version=2, changed=True, sentence="Promoted by ada."))
    run("apply_answer", QUESTION, {"chosen_options": chosen, "responded_by_user": by, "params_input": form})
    assert calls == [("v-1", *expected)]
    assert run.events["the asset"].extra["version"] == 2


def test_an_answer_that_changes_nothing_tells_nobody_of_a_champion(run, pipe):
    pipe("answer", reference("champion", version=1, changed=False, sentence="Kept by ada."))
    with pytest.raises(AirflowSkipException, match=r"Kept by ada\."):
        run("apply_answer", QUESTION, {"chosen_options": ["Keep"], "responded_by_user": {"name": "ada"}})
    assert not run.events


def test_the_question_is_the_one_that_the_event_names(run, monkeypatch):
    asked = []
    monkeypatch.setattr(pipeline, "find_question", lambda settings, name: (asked.append(name), QUESTION)[1])
    of = context("asset_triggered", events=[event({"verdict_id": "v-0"}), event({"verdict_id": "v-1"})])
    assert run("prepare_question", of=of) == QUESTION
    assert asked == ["v-1"]


def test_without_a_question_there_is_nothing_to_wait_for(run, monkeypatch):
    monkeypatch.setattr(pipeline, "find_question", lambda *_: None)
    with pytest.raises(AirflowSkipException, match="There is nothing to decide"):
        run("prepare_question")


def test_a_rollback_takes_the_version_and_the_reason_of_the_form(run, pipe):
    calls = pipe("roll_back", reference("champion", version=1, changed=True, sentence="Rolled back."))
    run("roll_back", of=context("manual", to=1, why="its lists are old"))
    assert calls == [(1, "its lists are old")]
    assert run.events["the asset"].extra == {"version": 1, "reason": "Rolled back."}


def test_a_hold_takes_action_hours_and_reason_of_the_form(run, pipe):
    calls = pipe("hold", reference("hold", sentence="Promotions are frozen."))
    told = run("hold", of=context("manual", user="ada", action="freeze", hours=2, why="elections"))
    assert (told, calls) == ("Promotions are frozen.", [("freeze", 2, "elections")])


def test_a_takedown_starts_new_lists_and_one_that_changes_nothing_does_not(run, pipe):
    form = context("manual", user="ada", article_id=7, lift=False, why="retracted")
    calls = pipe("take_down", reference("takedown", changed=True, sentence="Article 7 is out of 2 lists."))
    assert (run("take_down", of=form), calls) == ("Article 7 is out of 2 lists.", [(7, "retracted", False)])
    assert run.events["the asset"].extra == {"reason": "Article 7 is out of 2 lists."}
    pipe("take_down", reference("takedown", changed=False, sentence="Article 7 was taken down already."))
    with pytest.raises(AirflowSkipException, match="already"):
        run("take_down", of=form)


def test_before_the_first_promotion_there_is_nothing_to_roll_back_from_which_is_no_failure(run, monkeypatch):
    def refuse(_):
        raise NoChampion("No model has been promoted.", hint="run `retrain`.")

    monkeypatch.setattr(pipeline, "guard", refuse)
    with pytest.raises(AirflowSkipException, match="No model has been promoted"):
        run("guard", {})


def test_a_past_window_rolls_nobody_back(run, pipe):
    calls = pipe("guard", reference("guard", version=1, changed=True, sentence="Rolled back."))
    with pytest.raises(AirflowSkipException, match="Backfill"):
        run("guard", {}, of=context("backfill", interval_end=TICK))
    assert calls == []


@pytest.mark.parametrize("mode", ["enforce", None])
def test_only_a_dry_run_makes_a_shadow_batch(run, pipe, mode):
    calls = pipe("shadow", reference("shadow", sentence="Beside the live ones."))
    with pytest.raises(AirflowSkipException, match="Not a dry run"):
        run("shadow", a_verdict("promote"), of=context("manual", mode=mode))
    assert calls == []
    run("shadow", a_verdict("promote"), of=context("manual", mode="dry_run"))
    assert calls == [(2,)]
