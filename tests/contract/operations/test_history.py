"""What happened, as a person asks for it: versions, reigns, runs with their outcome, and the next runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.errors import SourceError
from include.core.references import Reference
from include.core.run import Run
from include.operations import runs
from include.pipeline import holding
from include.pipeline.run import recorded
from tests.conftest import reset_warehouse
from tests.parts import cli, servers
from tests.worlds import reigns

AS_OF = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@recorded
def judge(run, sentence):
    """A stage whose outcome is a sentence."""
    return Reference("verdict", "v", "", run.as_of, "f", (), {"sentence": sentence})


@recorded
def promote(run, sentence):
    """The stage after it."""
    return Reference("champion", "2", "", run.as_of, "f", (), {"sentence": sentence})


@recorded
def publish(run, changed):
    """A stage whose outcome is whether the lists went live."""
    return Reference("batch", "b1", "", run.as_of, "f", (), {"changed": changed})


@recorded
def extract(run):
    """A stage that fails."""
    raise SourceError("source.articles has no column title. It had one.", hint="mend the view.")


@pytest.fixture
def settings(airflow):
    """An installation whose Airflow knows three DAGs and has run nothing yet."""
    reset_warehouse(airflow)
    with connect(airflow, "airflow") as database:
        database.execute("truncate dag, dag_run cascade")
        database.execute("insert into dag_bundle (name, active) values ('dags', true) on conflict do nothing")
        for name, is_paused, next_at in [
            ("retrain", False, AS_OF + 24 * HOUR),
            ("recommend", False, AS_OF + HOUR),
            ("tune", True, AS_OF + HOUR),
            ("newsroom", False, None),
        ]:
            database.execute(
                "insert into dag (dag_id, bundle_name, is_paused, is_stale, has_task_concurrency_limits,"
                " max_active_tasks, max_consecutive_failed_dag_runs, timetable_type, partition_mapper_info,"
                " next_dagrun_create_after) values (%s, 'dags', %s, false, false, 1, 0, 'cron', '{}', %s)",
                [name, is_paused, next_at],
            )
    return airflow


@pytest.fixture
def registry(own_registry):
    """An installation without versions, reached from the command line."""
    servers.write_env_file(own_registry)
    return own_registry


def a_run(settings, dag, name, hours, *, state="success", kind="scheduled", who=None, form=None):
    """A run of Airflow that began so many hours after AS_OF; return it as the stages know it."""
    began = AS_OF + hours * HOUR
    ended = None if state in ("running", "queued") else began + timedelta(minutes=5)
    with connect(settings, "airflow") as database:
        database.execute(
            "insert into dag_run (dag_id, run_id, run_type, run_after, start_date, end_date, state,"
            " triggering_user_name, conf, log_template_id)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, (select min(id) from log_template))",
            [dag, name, kind, began, began, ended, state, who, json.dumps(form or {})],
        )
    return Run(settings, f"{dag}/{name}", AS_OF, "schedule")


def found(settings, **wish):
    return {run["run_id"]: run for run in runs.find_runs(settings, AS_OF + 10 * HOUR, **wish)}


def test_a_run_of_airflow_is_told_with_its_form_and_its_outcome(settings):
    run = a_run(settings, "retrain", "manual__1", 1, kind="manual", who="ada", form={"mode": "dry_run"})
    judge(run, "Kept v1: v2 does not beat it.")
    (told,) = found(settings).values()
    assert (told["name"], told["how"], told["state"]) == ("retrain", "manual run, dry run by ada", "success")
    assert (told["as_of"], told["started_at"]) == (AS_OF, AS_OF + HOUR)
    assert told["outcome"] == "Kept v1: v2 does not beat it."


def test_an_outcome_says_everything_once(settings):
    run = a_run(settings, "retrain", "scheduled__1", 1)
    judge(run, "Promoted v2: it is better.")
    promote(run, "Promoted v2: it is better. MLflow's aliases will be set later.")
    assert found(settings)[run.run_id]["outcome"].count("Promoted v2") == 1
    run = a_run(settings, "retrain", "scheduled__2", 2)
    judge(run, "Promoted v2: it is better.")
    promote(run, "Not promoted: another run changed the champion.")
    assert found(settings)[run.run_id]["outcome"] == (
        "Promoted v2: it is better. Not promoted: another run changed the champion."
    )


def test_a_failed_run_says_at_which_stage_and_why(settings):
    run = a_run(settings, "recommend", "scheduled__1", 1, state="failed")
    with pytest.raises(SourceError):
        extract(run)
    a_run(settings, "retrain", "scheduled__1", 2, state="failed")
    outcomes = [told["outcome"] for told in found(settings).values()]
    assert outcomes == [
        "Failed before its first stage; the log of its first task says why.",
        "Failed at extract: source.articles has no column title.",
    ]


def test_a_run_that_goes_on_says_which_stage_began_when(settings):
    run = a_run(settings, "retrain", "scheduled__1", 1, state="running")
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.runs (run_id, stage, as_of, status, started_at) values (%s, 'train', %s, 'running', %s)",
            [run.run_id, AS_OF, AS_OF + 7 * HOUR],
        )
    a_run(settings, "recommend", "scheduled__1", 2, state="queued")
    outcomes = [told["outcome"] for told in found(settings).values()]
    assert outcomes == ["Waits for its turn.", "train began 3 h ago and has not ended."]


def test_runs_are_the_latest_first_and_those_of_commands_are_among_them(settings):
    publish(a_run(settings, "recommend", "scheduled__1", 1), True)
    publish(a_run(settings, "recommend", "scheduled__2", 2), False)
    a_run(settings, "newsroom", "scheduled__1", 3)
    judge(Run(settings, "cli/retrain/now", AS_OF, "ada"), "Promoted v1.")
    told = found(settings)
    assert list(told) == ["cli/retrain/now", "recommend/scheduled__2", "recommend/scheduled__1"]
    assert [run["outcome"] for run in told.values()] == ["Promoted v1.", "b1 stays unpublished.", "b1 is live."]
    assert told["cli/retrain/now"]["how"] == "command by ada"
    assert list(found(settings, limit=2)) == list(told)[:2]
    assert list(found(settings, name="retrain")) == ["cli/retrain/now"]
    assert list(found(settings, name="newsroom")) == ["newsroom/scheduled__1"]


def test_a_dag_fails_as_long_as_its_newest_run_failed(settings):
    a_run(settings, "retrain", "scheduled__1", 1, state="failed")
    a_run(settings, "recommend", "scheduled__1", 1, state="failed")
    a_run(settings, "recommend", "scheduled__2", 2)
    a_run(settings, "retrain", "scheduled__2", 3, state="running")
    latest = runs.find_runs(settings, AS_OF + 10 * HOUR)
    assert [run["run_id"] for run in runs.find_failing(latest)] == ["retrain/scheduled__1"]


def test_the_next_runs_come_in_their_order_and_paused_dags_last(settings):
    told = runs.tell_next(runs.find_next_runs(settings), AS_OF)
    assert told == "recommend in 60 min, retrain in 24 h; paused: tune"


def test_the_command_prints_runs_and_next_runs(settings):
    publish(a_run(settings, "recommend", "scheduled__1", 1), True)
    lines = cli.say(settings, "runs").out.splitlines()
    assert lines[0] == "2026-11-20 04:00  recommend: scheduled run; as of 2026-11-20 03:00, took 5 min 0 s"
    assert lines[1].strip() == "b1 is live."
    assert lines[-1].startswith("next  ")
    assert json.loads(cli.say(settings, "runs", "--json").out)["runs"][0]["outcome"] == "b1 is live."


def test_status_tells_what_runs_what_failed_and_what_comes_next(settings):
    a_run(settings, "retrain", "scheduled__1", 1, state="failed")
    a_run(settings, "recommend", "scheduled__1", 2, state="running")
    lines = cli.say(settings, "status").out.splitlines()
    assert (
        "failed        retrain, 2026-11-20 04:00: Failed before its first stage; the log of its first task says why."
        in lines
    )
    assert "running       recommend, scheduled run: Has begun." in lines
    assert any(line.startswith("next          recommend ") for line in lines)
    status = json.loads(cli.say(settings, "status", "--json").out)
    assert [run["run_id"] for run in status["failing"]] == ["retrain/scheduled__1"]
    assert [run["run_id"] for run in status["running"]] == ["recommend/scheduled__1"]


def test_every_version_is_listed_with_its_present_state(registry):
    for version in (1, 2, 3, 4):
        reigns.register(registry, version)
    reigns.reign(registry, 1, 2, 3)
    with connect(registry) as warehouse:
        warehouse.execute("insert into ops.champions select 4, 2, 3, 'rollback', 'worse', 'ada', null, 'r', 's'")
        warehouse.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, checks, metrics, asked_at) values ('ask-4', %s, 'r', 4, 2, 4, 'ask', '[]', '{}', %s)",
            [AS_OF, AS_OF],
        )
    holding.pin(registry, "ada", 2, "audit")
    rows = json.loads(cli.say(registry, "versions", "--json").out)
    assert [(row["version"], row["state"], row["is_pinned"]) for row in rows] == [
        (4, "needs a decision", False),
        (3, "rolled back", False),
        (2, "champion", True),
        (1, "was champion", False),
    ]
    assert all(row["size_bytes"] > 0 for row in rows)
    lines = cli.say(registry, "versions", "--limit", "3").out.splitlines()
    assert lines[0].split() == ["version", "trained", "(UTC)", "model", "verdict", "now", "size"]
    assert lines[3].startswith("v2 ")
    assert "champion, pinned" in lines[3]
    assert lines[-1] == "… and 1 older; --limit 4 lists all."


def test_every_reign_is_listed_with_its_reason_and_what_readers_did(registry):
    reigns.reign(registry, 1, 2)
    with connect(registry) as warehouse:
        warehouse.execute("insert into ops.champions select 3, 1, 2, 'rollback', 'worse', 'ada', null, 'r', 's'")
        warehouse.execute(
            "insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads,"
            " read_seconds) values (now() + interval '1 h', 24, 1, 'all', 9, 200, 50, 4000)"
        )
    rows = json.loads(cli.say(registry, "champions", "--json").out)
    assert [(row["version"], row["until"] is None, row["seconds_per_article"]) for row in rows] == [
        (1, True, 20.0),
        (2, False, None),
        (1, False, None),
    ]
    lines = cli.say(registry, "champions").out.splitlines()
    assert lines[0].startswith("v1    ")
    assert lines[0].endswith("0 min, champion now; rolled back to by ada; 20.0 s per article shown")
    assert lines[1].strip() == "worse"
    assert "promoted by test" in lines[2]


def test_an_installation_without_history_says_so(registry):
    assert cli.say(registry, "versions").out == "No version is registered yet.\n"
    assert cli.say(registry, "champions").out == "No version has been promoted yet.\n"
    assert cli.say(registry, "runs", "monitor").out.startswith("No run has been recorded.\n")
