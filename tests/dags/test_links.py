"""Buttons on a task's page lead to what the task made, also after it failed."""

from __future__ import annotations

import pytest

from tests.dags.contexts import Ti

EXPECTED = {
    ("replay_quarantine", "replay"): ["Validation report"],
    ("replay_quarantine", "train"): ["MLflow run", "Model card"],
    ("replay_quarantine", "judge"): ["Verdict", "Model card"],
    ("tune", "validate"): ["Validation report"],
    ("retrain", "validate"): ["Validation report"],
    ("retrain", "train"): ["MLflow run", "Model card"],
    ("retrain", "judge"): ["Verdict", "Model card"],
    ("recommend", "validate"): ["Validation report"],
    ("recommend", "audit"): ["Lists report"],
    ("retrain", "shadow"): ["Lists report"],
    ("monitor", "watch"): ["Drift report"],
    ("maintain", "clean_up"): ["Retention report"],
}


@pytest.fixture(autouse=True)
def addresses(monkeypatch, tmp_path):
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    monkeypatch.setenv("DAYBREAK_PUBLIC_URL", "https://news.example.org/airflow/")
    monkeypatch.setenv("DAYBREAK_MLFLOW_PUBLIC_URL", "https://mlflow.example.org/")


def test_the_tasks_with_buttons_are_exactly_these(dags):
    found = {
        (dag_id, task.task_id): [link.name for link in task.operator_extra_links]
        for dag_id, dag in dags.items()
        for task in dag.tasks
        if task.operator_extra_links
    }
    assert found == EXPECTED


def test_the_api_server_finds_the_buttons_in_the_stored_dag(dags):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag_id, task_id in EXPECTED:
        stored = DagSerialization.from_dict(DagSerialization.to_dict(dags[dag_id])).get_task(task_id)
        assert sorted(stored.extra_links) == sorted(EXPECTED[dag_id, task_id])
        assert stored.operator_name == "@task"


def test_each_button_keeps_its_address_under_its_own_key(dags):
    keys = {link.xcom_key for dag in dags.values() for task in dag.tasks for link in task.operator_extra_links}
    assert len(keys) == 7


def address(link, **xcoms):
    import daybreak_airflow.ui.links as links

    return getattr(links, link)().get_link(None, ti_key=Ti(**xcoms))


@pytest.mark.parametrize("link", ["ValidationReportLink", "VerdictLink", "ListsReportLink", "DriftReportLink"])
def test_a_report_is_where_the_plugin_serves_it(link):
    url = address(link, return_value={"facts": {"report": "verdicts/a b.html"}})
    assert url == "https://news.example.org/airflow/daybreak/reports/verdicts/a%20b.html"


def test_a_card_is_found_beside_the_report_of_the_same_task():
    facts = {"report": "verdicts/x.html", "card": "cards/v3.html"}
    url = address("ModelCardLink", return_value={"facts": facts})
    assert url == "https://news.example.org/airflow/daybreak/reports/cards/v3.html"


def test_a_failed_stage_has_a_button_too():
    url = address("ValidationReportLink", report="validation/x/index.html")
    assert url == "https://news.example.org/airflow/daybreak/reports/validation/x/index.html"


def test_the_mlflow_run_is_where_people_reach_mlflow():
    url = address("MlflowRunLink", return_value={"facts": {"mlflow_run_id": "abc", "mlflow_experiment_id": 3}})
    assert url == "https://mlflow.example.org/#/experiments/3/runs/abc"


@pytest.mark.parametrize("link", ["VerdictLink", "ModelCardLink", "DriftReportLink", "MlflowRunLink"])
@pytest.mark.parametrize(
    "xcoms", [{}, {"return_value": {"facts": None}}, {"return_value": {"facts": {"report": None}}}]
)
def test_nothing_made_is_no_button(link, xcoms):
    assert address(link, **xcoms) == ""
