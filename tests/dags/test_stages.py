"""What a stage does for Airflow: it goes on, skips with a sentence, or tells other DAGs, each only when it should."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include import pipeline
from include.core.errors import AuditFailed, TooEarly, ValidationBlocked
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import load_settings
from tests.dags.contexts import TICK, context, event


def reference(kind, **facts):
    return Reference(kind, f"{kind}-1", "file:///x", TICK, "f", (), facts)


def enter(monkeypatch, context_of_run, run):
    """Every module of tasks takes this for the run it is in."""
    from daybreak_airflow import passing
    from daybreak_airflow.tasks import replays, stages

    for module in (passing, replays, stages):
        monkeypatch.setattr(module, "get_current_context", lambda: context_of_run)
        monkeypatch.setattr(module, "current_run", lambda: run)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Calls a stage in a run of the given kind; the run's events are in its context."""
    from daybreak_airflow.tasks import replays, stages

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))

    def call(stage, *args, of=None):
        of = of or context("scheduled", interval_end=TICK)
        of["outlets"] = ["the asset"]
        of["outlet_events"] = defaultdict(lambda: SimpleNamespace(extra={}))
        enter(monkeypatch, of, Run(load_settings(), "run-1", TICK, "tests"))
        call.events = of["outlet_events"]
        call.ti = of["ti"]
        return getattr(replays if hasattr(replays, stage) else stages, stage).function(*args)

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
        (None, a_verdict("keep"), r"Nothing is promoted\. NDCG 0\.12 against 0\.11\."),
        (None, a_verdict("ask"), r"Nothing is promoted until a person decides\."),
        (context("manual", mode="dry_run"), a_verdict(), "Dry run: nothing is promoted"),
        (a_backfill(), a_verdict(), "Backfill: nothing is promoted"),
        (a_backfill(mode="enforce"), a_verdict(), "Backfill: nothing is promoted"),
        (a_backfill(confirm="publish"), a_verdict(), "Dry run"),
    ],
    ids=["keep", "ask", "dry run", "backfill", "backfill unconfirmed", "backfill in no mode that promotes"],
)
def test_whoever_is_not_to_be_promoted_never_reaches_the_ledger(run, pipe, of, verdict, sentence):
    calls = pipe("promote", AssertionError("must not be called"))
    with pytest.raises(AirflowSkipException, match=sentence):
        run("promote", verdict, of=of)
    assert calls == []
    assert not run.events


def test_a_backfill_that_asks_for_it_promotes(run, pipe):
    pipe("promote", reference("champion", version=7, changed=True))
    assert run("promote", a_verdict(), of=a_backfill(confirm="publish", mode="enforce"))


def test_a_past_window_delivers_no_alerts(run, monkeypatch):
    from include.alerts import reporting

    monkeypatch.setattr(reporting, "review", lambda *_: pytest.fail("must not be called"))
    with pytest.raises(AirflowSkipException, match="Backfill: alerts are about the present"):
        run("deliver_alerts", of=a_backfill())


@pytest.mark.parametrize(
    ("mode", "skipped", "sentence"),
    [
        ("data", "build_features", "Data only: no features are built and nothing is trained."),
        ("features", "train", "Data and features only: nothing is trained."),
        ("off", "judge", "The gate is off: the version is registered, but not judged or promoted."),
    ],
)
def test_what_lies_beyond_the_mode_is_skipped_with_a_sentence(run, pipe, mode, skipped, sentence):
    calls = pipe(skipped, AssertionError("must not be called"))
    made = reference("made").to_dict()
    given = {"build_features": (made, "training"), "train": (made,), "judge": (made, made)}[skipped]
    for of in (a_backfill(mode=mode), context("manual", mode=mode)):
        with pytest.raises(AirflowSkipException, match=sentence):
            run(skipped, *given, of=of)
    assert calls == []


@pytest.mark.parametrize(
    ("is_last", "mode", "so"),
    [(True, None, "dry_run"), (False, None, "features"), (False, "enforce", "features"), (False, "data", "data")],
)
def test_a_backfill_that_trains_once_trains_on_its_last_day_only(monkeypatch, tmp_path, is_last, mode, so):
    from daybreak_airflow.runs import mode as mode_of
    from include.operations import backfills

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    monkeypatch.setattr(backfills, "is_last_day", lambda settings, dag_id, run_id: is_last)
    assert mode_of(a_backfill(mode=mode, train_once=True)) == so
    assert mode_of(a_backfill(mode=mode)) == (mode or "dry_run")


@pytest.mark.parametrize(
    ("extras", "so"),
    [
        ([{"mode": "dry_run"}], "dry_run"),
        ([{"reason": "drift"}, {"mode": "dry_run"}], "dry_run"),
        ([{"mode": "enforce"}], "off"),
        ([{"reason": "drift"}], "off"),
    ],
    ids=["rehearsed", "one of two is rehearsed", "more than the setting", "nothing said"],
)
def test_an_event_may_ask_for_a_dry_run_and_for_nothing_else(monkeypatch, extras, so):
    from daybreak_airflow.runs import mode as mode_of

    monkeypatch.setenv("DAYBREAK_GATE_MODE", "off")
    assert mode_of(context("asset_triggered", events=[event(extra) for extra in extras])) == so


def test_a_race_that_was_lost_tells_nobody_of_a_new_champion(run, pipe):
    pipe("promote", reference("champion", version=6, changed=False, sentence="Another run changed it."))
    with pytest.raises(AirflowSkipException, match="Another run changed it"):
        run("promote", a_verdict())
    assert not run.events


def test_a_published_batch_is_told(run, pipe):
    pipe("publish", reference("batch", changed=True))
    run("publish", reference("batch").to_dict())
    assert run.events["the asset"].extra == {"batch_id": "batch-1", "as_of": TICK.isoformat()}


def test_older_lists_never_replace_newer_ones_and_emit_no_event(run, pipe):
    pipe("publish", reference("batch", changed=False))
    with pytest.raises(AirflowSkipException, match="newer lists are live"):
        run("publish", reference("batch").to_dict())
    assert not run.events


def test_a_backfill_publishes_nothing(run, pipe):
    calls = pipe("publish", AssertionError("must not be called"))
    with pytest.raises(AirflowSkipException, match="stays unpublished"):
        run("publish", reference("batch").to_dict(), of=a_backfill())
    assert calls == []


@pytest.mark.parametrize(
    ("stage", "args"),
    [
        ("extract", ["training"]),
        ("build_features", [reference("clean_snapshot").to_dict(), "training"]),
        ("watch", []),
    ],
)
def test_too_little_reading_in_the_first_days_skips_the_run_with_the_sentence(run, pipe, stage, args):
    pipe(stage, TooEarly("Nothing has been read yet.", hint="each run looks again."))
    with pytest.raises(AirflowSkipException, match=r"Nothing has been read yet\. Hint: each run looks again\."):
        run(stage, *args)


def test_lists_by_a_baseline_say_so_in_the_log(run, pipe, caplog):
    pipe("score", reference("lists", sentence="Lists by the baseline most_read."))
    with caplog.at_level("INFO", logger="daybreak_airflow.passing"):
        assert run("score", reference("features").to_dict())["kind"] == "lists"
    assert "Lists by the baseline most_read." in caplog.text


def test_drift_asks_for_a_retrain_with_its_reason_and_its_moment(run):
    health = reference("health", retrain_reason="interests drifted in 2 of 3 windows").to_dict()
    assert run("request_retrain", health) == "interests drifted in 2 of 3 windows"
    assert run.events["the asset"].extra == {
        "reason": "interests drifted in 2 of 3 windows",
        "as_of": TICK.isoformat(),
    }


def test_a_rehearsed_window_asks_for_a_dry_run(run):
    health = reference("health", retrain_reason="Rehearsal: Drift", retrain_mode="dry_run").to_dict()
    run("request_retrain", health)
    assert run.events["the asset"].extra["mode"] == "dry_run"


@pytest.mark.parametrize(
    ("reason", "of", "sentence"),
    [(None, None, "No retrain is needed"), ("drift", a_backfill(), "does not request a retrain")],
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


def a_version(**facts):
    return reference("clean_snapshot", replayed_from="raw-1", **facts).to_dict()


def test_a_new_version_is_told_and_one_that_was_there_already_is_not(run):
    assert run("announce", a_version(changed=True)) == "clean_snapshot-1"
    assert run.events["the asset"].extra == {
        "snapshot_id": "clean_snapshot-1",
        "as_of": TICK.isoformat(),
        "replayed_from": "raw-1",
    }
    with pytest.raises(AirflowSkipException, match="holds them already"):
        run("announce", a_version(changed=False))
    assert not run.events


def test_a_replay_trains_only_when_the_form_says_so(run):
    assert run("train_on", a_version(), of=context("manual", retrain=True))["id"] == "clean_snapshot-1"
    with pytest.raises(AirflowSkipException, match="not ask for a retrain"):
        run("train_on", a_version(), of=context("manual", retrain=False))


def test_what_a_replay_trains_is_as_of_its_snapshot_whenever_it_was_started(run, pipe, monkeypatch):
    from datetime import timedelta

    from daybreak_airflow.tasks import stages
    from include.core.run import Run

    seen = []
    monkeypatch.setattr(pipeline, "build_features", lambda run, *_: seen.append(run.as_of) or reference("features"))
    late = Run(None, "replay_quarantine/1", TICK + timedelta(days=3), "somebody")
    enter(monkeypatch, context("manual"), late)
    stages.build_features.function(a_version(), "training")
    assert seen == [TICK]


@pytest.fixture
def replayed(monkeypatch):
    """What was asked of the replay, which here makes a version or says what it would make."""
    from daybreak_airflow.tasks import replays
    from include.core.run import Run
    from include.pipeline import replaying

    asked = {}
    facts = {"came_back": 3, "mended": 2, "added": 0, "still_broken": 1, "quarantined": 1, "changed": True}

    def note(name, answer):
        def stand_in(run, raw, wish, **_):
            asked[name] = (run.as_of, wish)
            return answer

        return stand_in

    monkeypatch.setattr(replaying, "newest_snapshot", lambda settings, wish: wish.snapshot or "newest")
    monkeypatch.setattr(replaying, "find_raw", lambda settings, name: SimpleNamespace(id=name, as_of=TICK))
    monkeypatch.setattr(replaying, "try_again", note("try", SimpleNamespace(facts=lambda: facts)))
    monkeypatch.setattr(
        replaying, "replay", note("replay", reference("clean_snapshot", replayed_from="raw-1", **facts))
    )

    def start(**form):
        enter(monkeypatch, context("manual", **form), Run(None, "replay_quarantine/1", TICK, "somebody"))
        return replays.replay.function()

    start.asked = asked
    return start


def test_a_replay_tries_what_the_form_names_as_of_the_snapshots_moment(replayed):
    from include.validation.quarantine.rows import Wish

    version = replayed(snapshot="raw-7", table="", code="ART103", dry_run=False)
    assert version["facts"]["came_back"] == 3
    assert replayed.asked == {"replay": (TICK, Wish("raw-7", None, "ART103"))}


def test_a_dry_replay_says_what_would_come_back_and_makes_nothing(replayed):
    with pytest.raises(AirflowSkipException, match="3 rows would come back"):
        replayed(dry_run=True)
    assert list(replayed.asked) == ["try"]


def test_a_replay_with_nothing_to_try_is_green_and_says_so(replayed, monkeypatch):
    from include.pipeline import replaying

    def nothing(settings, wish):
        raise replaying.NothingWaits("No row waits in quarantine.", hint="look.")

    monkeypatch.setattr(replaying, "newest_snapshot", nothing)
    with pytest.raises(AirflowSkipException, match="No row waits"):
        replayed()
    assert replayed.asked == {}


@pytest.mark.parametrize(
    ("kind", "setting", "sentence"),
    [("scheduled", "false", "The digest is switched off"), ("manual", "true", "mailed by the scheduled run")],
)
def test_a_digest_that_is_switched_off_or_started_by_a_person_is_not_mailed(monkeypatch, kind, setting, sentence):
    from daybreak_airflow.tasks import stages

    monkeypatch.setenv("DAYBREAK_MAIL_DIGEST", setting)
    enter(monkeypatch, context(kind), Run(load_settings(), "run-1", TICK, "tests", kind=kind))
    with pytest.raises(AirflowSkipException, match=sentence):
        stages.mail_digest.function()
