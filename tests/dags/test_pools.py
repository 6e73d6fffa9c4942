"""Heavy tasks of all DAGs share one pool, in which training and scoring fit beside each other and no more than that."""

from __future__ import annotations

import pytest

from include.adapters.warehouse import connect
from include.operations.launcher import pools

HEAVY = {
    "retrain": {"extract", "validate", "build_features", "train", "judge", "shadow"},
    "recommend": {"extract", "validate", "build_features", "score", "write_batch", "audit"},
    "replay_quarantine": {"replay", "build_features", "train", "judge"},
    "tune": {"extract", "validate", "build_features", "tune"},
    "monitor": {"watch"},
}
TRAINING = ("retrain", "replay_quarantine", "tune")


def test_the_tasks_that_name_the_pool_are_exactly_these(dags):
    found = {
        dag_id: {task.task_id for task in dag.tasks if task.pool == pools.HEAVY}
        for dag_id, dag in dags.items()
        if any(task.pool == pools.HEAVY for task in dag.tasks)
    }
    assert found == HEAVY


def slots(dags, dag_id):
    (found,) = {task.pool_slots for task in dags[dag_id].tasks if task.pool == pools.HEAVY}
    return found


def test_one_training_and_the_hourly_lists_fit_and_a_second_training_waits(dags):
    for one in TRAINING:
        for lists in ("recommend", "monitor"):
            assert slots(dags, one) + slots(dags, lists) <= pools.SLOTS
        for other in TRAINING:
            assert slots(dags, one) + slots(dags, other) > pools.SLOTS


def test_lists_go_before_the_look_at_them_before_training_before_the_search(dags):
    for task in [task for dag in dags.values() for task in dag.tasks]:
        assert task.weight_rule == "absolute", task.task_id
    order = [
        min(task.priority_weight for task in dags[dag_id].tasks)
        for dag_id in ("recommend", "monitor", "retrain", "tune")
    ]
    assert order == sorted(set(order), reverse=True)


@pytest.fixture
def airflow_database(server):
    """The tables of Airflow that hold pools, in the database of an installation."""
    from airflow.models.pool import Pool
    from airflow.models.team import Team
    from sqlalchemy import create_engine

    from include.adapters.warehouse import uri

    engine = create_engine(uri(server, "airflow", "postgresql+psycopg2"))
    tables = [Team.__table__, Pool.__table__]
    Pool.metadata.create_all(engine, tables=tables)
    yield server
    Pool.metadata.drop_all(engine, tables=tables)
    engine.dispose()


def stored(settings):
    with connect(settings, "airflow") as database:
        return database.execute("select pool, slots, include_deferred from slot_pool").fetchall()


def test_a_missing_pool_is_made_and_the_slots_that_a_person_gave_it_stay(airflow_database):
    pools.create(airflow_database)
    assert stored(airflow_database) == [("heavy", 3, False)]
    with connect(airflow_database, "airflow") as database:
        database.execute("update slot_pool set slots = 5")
    pools.create(airflow_database)
    assert stored(airflow_database) == [("heavy", 5, False)]
    with connect(airflow_database, "airflow") as database:
        database.execute("delete from slot_pool")
    pools.create(airflow_database)
    assert stored(airflow_database) == [("heavy", 3, False)]


def test_whoever_keeps_the_scheduler_makes_the_pool_again(airflow_database):
    from include.operations.launcher.services import SERVICES

    (scheduler,) = (service for service in SERVICES if service.name == "scheduler")
    scheduler.look_after(airflow_database)
    assert [name for name, *_ in stored(airflow_database)] == ["heavy"]


def test_a_database_that_is_away_is_looked_after_another_time(server):
    from include.operations.launcher.services import SERVICES
    from tests.parts import servers

    (scheduler,) = (service for service in SERVICES if service.name == "scheduler")
    scheduler.look_after(server.model_copy(update={"postgres_port": servers.free_port()}))
