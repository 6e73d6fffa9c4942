"""The edges that must never go missing, each with its reason, and the assets through which DAGs meet."""

from __future__ import annotations

import pytest

from tests.dags.test_integrity import BY_EVENT, BY_HAND

VITAL = [
    ("retrain", "wait_for_data", "extract", "nothing is trained on half a day"),
    ("retrain", "validate", "build_features", "no feature is made of rows nobody checked"),
    ("retrain", "judge", "promote", "nothing is promoted that was not judged"),
    ("retrain", "train", "judge", "the verdict is on this run's challenger"),
    ("replay_quarantine", "replay", "announce", "nobody is told of a version that is not there"),
    ("replay_quarantine", "train_on", "build_features", "a replay trains when the form says so, not else"),
    ("recommend", "validate", "build_features", "no list is made of rows nobody checked"),
    ("recommend", "audit", "publish", "readers see no batch that was not audited"),
    ("recommend", "write_batch", "audit", "the audit reads what was written, not what was meant"),
    ("retrain", "judge", "ask", "a person is asked about a verdict that was made"),
    ("approve", "wait_for_a_person", "apply_answer", "nothing is promoted before somebody answered"),
    ("monitor", "watch", "guard", "the champion is measured before it is replaced"),
    ("monitor", "watch", "request_retrain", "a retrain is asked for with a measured reason"),
]


@pytest.mark.parametrize(("dag_id", "before", "after", "why"), VITAL)
def test_vital_edge(dags, dag_id, before, after, why):
    assert before in dags[dag_id].get_task(after).get_flat_relative_ids(upstream=True), why


@pytest.mark.parametrize(("dag_id", "before", "after", "why"), VITAL)
def test_a_vital_step_runs_only_when_all_before_it_succeeded(dags, dag_id, before, after, why):
    assert dags[dag_id].get_task(after).trigger_rule == "all_success", why


def test_alerts_go_out_whatever_the_rest_of_the_run_does(dags):
    for dag_id in ("monitor", "maintain"):
        assert not dags[dag_id].get_task("deliver_alerts").upstream_task_ids


def test_a_replay_promotes_and_publishes_nothing(dags):
    assert not {"promote", "publish"} & {task.task_id for task in dags["replay_quarantine"].tasks}


def test_each_asset_is_changed_by_the_tasks_that_make_it(dags):
    changed = {
        (outlet.name, dag_id, task.task_id)
        for dag_id, dag in dags.items()
        for task in dag.tasks
        for outlet in task.outlets
    }
    assert changed == {
        ("snapshot", "retrain", "extract"),
        ("snapshot", "recommend", "extract"),
        ("snapshot", "tune", "extract"),
        ("features", "retrain", "build_features"),
        ("features", "recommend", "build_features"),
        ("features", "tune", "build_features"),
        ("features", "replay_quarantine", "build_features"),
        ("model", "retrain", "train"),
        ("model", "replay_quarantine", "train"),
        ("clean_snapshot", "retrain", "validate"),
        ("clean_snapshot", "replay_quarantine", "announce"),
        ("champion", "retrain", "promote"),
        ("champion", "approve", "apply_answer"),
        ("champion", "rollback", "roll_back"),
        ("champion", "monitor", "guard"),
        ("question", "retrain", "ask"),
        ("published_lists", "recommend", "publish"),
        ("drift", "monitor", "request_retrain"),
        ("takedown", "takedown", "take_down"),
    }


def test_only_these_assets_start_a_dag(dags):
    from tests.dags.test_golden import consumed

    assert {dag_id: consumed(dag.timetable) for dag_id, dag in dags.items() if consumed(dag.timetable)} == {
        "retrain": ["drift", "landed"],
        "recommend": ["champion", "takedown"],
        "approve": ["question"],
    }


def test_the_assets_are_one_picture_from_snapshot_to_lists(dags):
    """Airflow's graph follows a task from what it takes to what it makes, whatever DAG it is in."""
    follows = {}
    for task in [task for dag in dags.values() for task in dag.tasks]:
        for inlet in task.inlets:
            follows.setdefault(inlet.name, set()).update(outlet.name for outlet in task.outlets)
    reached, last = set(), {"snapshot"}
    while last:
        reached |= last
        last = {after for asset in last for after in follows.get(asset, ())} - reached
    assert reached == {asset.name for dag in dags.values() for task in dag.tasks for asset in task.outlets}


@pytest.mark.parametrize(("dag_id", "clock"), [("retrain", "0 3 * * *"), ("recommend", "0 * * * *")])
def test_a_dag_starts_by_the_clock_and_by_any_of_its_events(dags, dag_id, clock):
    from airflow.sdk import Asset
    from airflow.sdk.definitions.asset import AssetAny

    timetable = dags[dag_id].timetable
    assert isinstance(timetable.asset_condition, Asset | AssetAny)
    assert timetable.timetable.expression == clock


def test_the_scheduler_can_backfill_what_runs_by_clock_or_event(dags):
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in [dag for dag_id, dag in dags.items() if dag_id not in BY_HAND | BY_EVENT]:
        stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
        assert stored.timetable.periodic, dag.dag_id
