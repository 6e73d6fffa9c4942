"""Every DAG is complete: who owns it, when it runs, how it fails, who is told, what to read."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from include.core import errors

DAGS = Path(__file__).resolve().parents[2] / "dags"
EXPECTED = {
    "retrain",
    "recommend",
    "monitor",
    "maintain",
    "newsroom",
    "rehearse",
    "replay_quarantine",
    "approve",
    "rollback",
    "hold",
    "takedown",
    "tune",
}
BY_HAND = {"rehearse", "replay_quarantine", "rollback", "hold", "takedown"}
BY_EVENT = {"approve"}
WAITS_FOR_A_PERSON = {"approve"}
HEADINGS = ["## What it does", "## Reads and writes", "## If it fails", "## Re-running"]


def test_the_dags_are_exactly_these(dags):
    assert set(dags) == EXPECTED


def test_a_file_is_named_after_its_only_dag():
    assert {file.stem for file in DAGS.glob("*.py")} == EXPECTED


def test_every_dag_has_a_guide_for_its_failure_and_every_guide_a_dag(dags):
    from include.alerts.guides import GUIDES, SENTINEL

    assert set(GUIDES) == {*dags, SENTINEL}


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
class TestEveryDag:
    def test_has_an_owner_and_tags(self, dags, dag_id):
        assert dags[dag_id].owner == "daybreak"
        assert "daybreak" in dags[dag_id].tags
        assert len(dags[dag_id].tags) > 1

    def test_starts_on_a_fixed_day_with_a_timezone(self, dags, dag_id):
        from daybreak_airflow.defaults import FIRST_DAY

        assert dags[dag_id].start_date == FIRST_DAY
        assert dags[dag_id].start_date.utcoffset() == timedelta(0)

    def test_says_that_it_does_not_catch_up(self, dags, dag_id):
        from daybreak_airflow.defaults import DEFAULTS

        assert DEFAULTS["catchup"] is False
        assert dags[dag_id].catchup is False

    def test_says_in_one_line_when_it_runs(self, dags, dag_id):
        """Airflow shows the name of an asset in place of the schedule of a DAG that also has a clock."""
        from tests.dags.test_golden import consumed

        timetable = dags[dag_id].timetable
        said = dags[dag_id].description
        clock = getattr(getattr(timetable, "timetable", timetable), "expression", "")
        minute, hour, *_ = [*clock.split(), "", ""]
        assert all(asset in said for asset in consumed(timetable))
        assert not hour.isdecimal() or f"{int(hour):02}:{int(minute):02} UTC" in said
        assert ("By hand" in said) == (dag_id in BY_HAND)
        assert len(said) <= 120

    def test_never_runs_beside_itself_nor_for_ever(self, dags, dag_id):
        assert dags[dag_id].max_active_runs == 1
        assert dags[dag_id].dagrun_timeout <= timedelta(hours=13 if dag_id in WAITS_FOR_A_PERSON else 6)

    def test_runs_on_a_clock_unless_a_person_starts_it(self, dags, dag_id):
        assert dags[dag_id].timetable.can_be_scheduled is (dag_id not in BY_HAND)

    def test_tells_oncall_of_a_failed_run_and_of_every_failed_task(self, dags, dag_id):
        from daybreak_airflow.oncall import AllClear, Oncall

        dag = dags[dag_id]
        assert isinstance(dag.on_failure_callback, Oncall)
        assert isinstance(dag.on_success_callback, AllClear)
        for task in dag.tasks:
            assert [type(callback) for callback in task.on_failure_callback] == [Oncall], task.task_id

    def test_every_task_retries_with_patience_and_has_a_time_limit(self, dags, dag_id):
        from daybreak_airflow.defaults import PATIENCE

        for task in dags[dag_id].tasks:
            assert task.retries >= 1, task.task_id
            assert task.retry_policy is PATIENCE, task.task_id
            assert timedelta(0) < task.execution_timeout < dags[dag_id].dagrun_timeout or task.task_id == "play"

    def test_shows_its_runbook_under_four_headings(self, dags, dag_id):
        lines = dags[dag_id].doc_md.splitlines()
        assert [line for line in lines if line.startswith("#")] == HEADINGS
        assert all(len(part.split()) >= 8 for part in dags[dag_id].doc_md.split("## ")[1:])

    def test_reads_like_a_table_of_contents(self, dag_id):
        text = (DAGS / f"{dag_id}.py").read_text()
        (body,) = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
        assert len(text.splitlines()) <= 100
        assert body.end_lineno - body.lineno <= 25
        assert not [node for node in ast.walk(body) if isinstance(node, ast.If | ast.For | ast.While | ast.Try)]

    def test_its_tasks_are_named_after_their_functions(self, dags, dag_id):
        from daybreak_airflow.tasks import decisions, rehearsals, replays, stages, tunings

        for task in dags[dag_id].tasks:
            modules = (stages, replays, decisions, tunings, rehearsals)
            (written,) = (getattr(m, task.task_id) for m in modules if hasattr(m, task.task_id))
            assert callable(written), task.task_id
            assert task.task_id == getattr(task, "python_callable", written).__name__


@pytest.mark.parametrize(
    ("error", "action"),
    [
        ("ServiceError", "retry"),
        ("ValidationBlocked", "fail"),
        ("SourceError", "fail"),
        ("AuditFailed", "fail"),
        ("SettingsError", "fail"),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(error, action):
    from daybreak_airflow.defaults import PATIENCE

    happened = getattr(errors, error)("It happened.", hint="look.")
    assert PATIENCE.evaluate(happened, try_number=1, max_tries=2).action.value == action


def test_an_unknown_error_is_tried_as_often_as_the_task_says():
    from daybreak_airflow.defaults import PATIENCE

    assert PATIENCE.evaluate(OSError("broken pipe"), try_number=1, max_tries=2).action.value == "default"
