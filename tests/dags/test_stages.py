"""What a stage does for Airflow: it goes on, skips with a sentence, or tells other DAGs, each only when it should."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include import pipeline
from include.errors import AuditFailed, NoChampion, ValidationBlocked
from include.references import Reference
from tests.dags.contexts import TICK, context


def reference(kind, **facts):
    return Reference(kind, f"{kind}-1", "file:///x", TICK, "f", (), facts)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Calls a stage in a run of the given kind; the run's events are in its context."""
    from daybreak_airflow import stages

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))

    def call(stage, *args, of=None):
        of = of or context("scheduled", interval_end=TICK)
        of["outlets"] = ["the asset"]
        of["outlet_events"] = defaultdict(lambda: SimpleNamespace(extra={}))
        monkeypatch.setattr(stages, "get_current_context", lambda: of)
        monkeypatch.setattr(stages, "current_run", lambda: SimpleNamespace(as_of=TICK))
        call.events = of["outlet_events"]
        call.ti = of["ti"]
        return getattr(stages, stage).function(*args)

    return call


@pytest.fixture
def pipe(monkeypatch):
    """Makes a stage of the pipeline answer, or fail; says how often it was called."""
    calls = []

    def answer(stage, result):
        def stand_in(*args, **kwargs):
            calls.append(stage)
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(pipeline, stage, stand_in)
        return calls

    return answer


def a_verdict(decision="promote"):
    return reference("verdict", decision=decision, sentence="NDCG 0.12 against 0.11.").to_dict()


def a_backfill(**params):
    return context("backfill", interval_end=TICK, **params)


def test_a_better_challenger_is_promoted_and_recommend_is_told(run, pipe):
    pipe("promote", reference("champion", version=7, changed=True))
    run("promote", a_verdict())
    assert run.events["the asset"].extra["version"] == "champion-1"
    assert "as_of" not in run.events["the asset"].extra, "lists after a promotion are of today, not of the training day"


@pytest.mark.parametrize(
    ("of", "verdict", "sentence"),
    [
        (None, a_verdict("keep"), r"The champion stays \(keep\)\. NDCG 0\.12 against 0\.11\."),
        (None, a_verdict("ask"), r"The champion stays \(ask\)\."),
        (context("manual", mode="dry_run"), a_verdict(), "Dry run: nothing is promoted"),
        (a_backfill(), a_verdict(), "Backfill: nothing is promoted"),
        (a_backfill(publish_backfill=False), a_verdict(), "Backfill: nothing is promoted"),
        (a_backfill(publish_backfill=True, mode="dry_run"), a_verdict(), "Dry run"),
    ],
    ids=["keep", "ask", "dry run", "backfill", "backfill that says no", "backfill that asks, dry"],
)
def test_whoever_is_not_to_be_promoted_never_reaches_the_ledger(run, pipe, of, verdict, sentence):
    calls = pipe("promote", AssertionError("must not be called"))
    with pytest.raises(AirflowSkipException, match=sentence):
        run("promote", verdict, of=of)
    assert calls == []
    assert not run.events


def test_a_backfill_that_asks_for_it_promotes(run, pipe):
    pipe("promote", reference("champion", version=7, changed=True))
    assert run("promote", a_verdict(), of=a_backfill(publish_backfill=True, mode="enforce"))


def test_a_race_that_was_lost_tells_nobody_of_a_new_champion(run, pipe):
    pipe("promote", reference("champion", version=6, changed=False))
    with pytest.raises(AirflowSkipException, match="another run changed it"):
        run("promote", a_verdict())
    assert not run.events


def test_a_published_batch_is_told(run, pipe):
    pipe("publish", reference("batch", changed=True))
    run("publish", reference("batch").to_dict())
    assert run.events["the asset"].extra == {"batch_id": "batch-1", "as_of": TICK.isoformat()}


def test_older_lists_never_replace_newer_ones_and_tell_nobody(run, pipe):
    pipe("publish", reference("batch", changed=False))
    with pytest.raises(AirflowSkipException, match="newer lists are live already"):
        run("publish", reference("batch").to_dict())
    assert not run.events


def test_a_backfill_publishes_nothing(run, pipe):
    calls = pipe("publish", AssertionError("must not be called"))
    with pytest.raises(AirflowSkipException, match="stays unpublished"):
        run("publish", reference("batch").to_dict(), of=a_backfill())
    assert calls == []


@pytest.mark.parametrize(("stage", "args"), [("score", [reference("features").to_dict()]), ("watch", [])])
def test_before_the_first_promotion_there_is_nothing_to_do_which_is_no_failure(run, pipe, stage, args):
    pipe(stage, NoChampion("No model has been promoted.", hint="run `retrain`."))
    with pytest.raises(AirflowSkipException, match="No model has been promoted"):
        run(stage, *args)


def test_drift_asks_for_a_retrain_with_its_reason_and_its_moment(run):
    health = reference("health", retrain_reason="interests drifted in 2 of 3 windows").to_dict()
    assert run("request_retrain", health) == "interests drifted in 2 of 3 windows"
    assert run.events["the asset"].extra == {
        "reason": "interests drifted in 2 of 3 windows",
        "as_of": TICK.isoformat(),
    }


@pytest.mark.parametrize(
    ("reason", "of", "sentence"),
    [(None, None, "No retrain is needed"), ("drift", a_backfill(), "asks nobody to retrain today")],
    ids=["no drift", "backfill"],
)
def test_no_retrain_is_asked_for_without_need_or_for_the_past(run, reason, of, sentence):
    with pytest.raises(AirflowSkipException, match=sentence):
        run("request_retrain", reference("health", retrain_reason=reason).to_dict(), of=of)
    assert not run.events


@pytest.mark.parametrize(("stage", "error"), [("validate", ValidationBlocked), ("audit", AuditFailed)])
def test_a_failed_check_stays_a_failure_and_leaves_its_report_for_the_button(run, pipe, stage, error):
    failed = error("12 % of rows are bad.", hint="look.")
    failed.report = "validation/x/index.html"
    pipe(stage, failed)
    with pytest.raises(error):
        run(stage, reference("snapshot").to_dict())
    assert run.ti.xcom_pull(key="report") == "validation/x/index.html"
    assert not run.events


def test_what_travels_between_tasks_is_a_reference_and_small(run, pipe):
    pipe("validate", reference("snapshot", rows=4000))
    passed = run("validate", reference("snapshot").to_dict())
    assert Reference.from_dict(passed) == reference("snapshot", rows=4000)
    assert run.events["the asset"].extra == {"snapshot_id": "snapshot-1", "as_of": TICK.isoformat()}
