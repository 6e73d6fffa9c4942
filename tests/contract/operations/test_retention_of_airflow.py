"""Airflow's own rows go when they are old, by Airflow's own command on its own tables, and never from under a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.core.run import Run
from include.operations.retention.airflow import clean_airflow

AS_OF = datetime(2026, 11, 20, 5, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def settings(airflow):
    with connect(airflow, "airflow") as database:
        database.execute("truncate dag, dag_run, task_instance, asset_event, asset cascade")
        database.execute("insert into dag_bundle (name, active) values ('dags', true) on conflict do nothing")
    return airflow


def a_run(settings, name, age, *, state="success", dag="retrain", tasks=()):
    """A run that began `age` days ago, with tasks that began as many days ago as they say."""
    with connect(settings, "airflow") as database:
        database.execute(
            "insert into dag (dag_id, bundle_name, is_paused, is_stale, has_task_concurrency_limits,"
            " max_active_tasks, max_consecutive_failed_dag_runs, timetable_type, partition_mapper_info)"
            " values (%s, 'dags', false, false, false, 1, 0, 'cron', '{}')"
            " on conflict do nothing",
            [dag],
        )
        [[run_id]] = database.execute(
            "insert into dag_run (dag_id, run_id, run_type, run_after, start_date, state, log_template_id)"
            " values (%s, %s, 'scheduled', %s, %s, %s, (select min(id) from log_template)) returning id",
            [dag, name, AS_OF - age * DAY, AS_OF - age * DAY, state],
        ).fetchall()
        for number, task_age in enumerate(tasks):
            database.execute(
                "insert into task_instance (id, dag_id, run_id, task_id, map_index, start_date, pool,"
                " pool_slots, try_number) values (gen_random_uuid(), %s, %s, %s, -1, %s, 'default_pool', 1, 1)",
                [dag, name, f"task_{number}", AS_OF - task_age * DAY],
            )
    return run_id


def left(settings):
    with connect(settings, "airflow") as database:
        return [name for (name,) in database.execute("select run_id from dag_run order by run_id")]


def clean(settings, **options):
    return clean_airflow(Run(settings, "maintain/1", AS_OF, "schedule"), **options).facts


def test_old_runs_go_with_their_tasks_and_young_ones_stay(settings):
    a_run(settings, "old", 91, tasks=[91])
    a_run(settings, "young", 89, tasks=[89])
    facts = clean(settings)
    assert left(settings) == ["young"]
    assert facts["rows"]["dag_run"] == 1
    assert "removed dag_run 1" in facts["sentence"]


def test_a_dry_run_counts_and_removes_nothing(settings):
    a_run(settings, "old", 91)
    a_run(settings, "young", 1)
    facts = clean(settings, dry_run=True)
    assert facts["rows"] == {"dag_run": 1}
    assert "would remove dag_run 1" in facts["sentence"]
    assert left(settings) == ["old", "young"]


def test_the_newest_run_of_a_dag_stays_however_old_so_that_no_day_is_run_again(settings):
    a_run(settings, "older", 200)
    a_run(settings, "newest", 100)
    clean(settings)
    assert left(settings) == ["newest"]


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_run_that_goes_on_keeps_its_old_tasks_and_whatever_is_as_young(settings, state):
    """It was cleared today, so Airflow's command would remove the tasks that it does not run again."""
    a_run(settings, "cleared", 0, state=state, tasks=[120, 0])
    a_run(settings, "as young", 119)
    a_run(settings, "older", 121)
    clean(settings)
    assert left(settings) == ["as young", "cleared"]
    with connect(settings, "airflow") as database:
        assert database.execute("select count(*) from task_instance").fetchone() == (2,)


def test_the_event_that_started_a_run_stays_until_the_run_ends(settings):
    run = a_run(settings, "asks a person", 10, state="running", dag="approve")
    with connect(settings, "airflow") as database:
        [[asset]] = database.execute(
            'insert into asset (name, uri, "group", extra, created_at, updated_at)'
            " values ('q', 'x-q', '', '{}', %s, %s) returning id",
            [AS_OF, AS_OF],
        ).fetchall()
        [[event]] = database.execute(
            "insert into asset_event (asset_id, extra, timestamp, source_map_index)"
            " values (%s, '{}', %s, -1) returning id",
            [asset, AS_OF - 100 * DAY],
        ).fetchall()
        database.execute("insert into dagrun_asset_event (dag_run_id, event_id) values (%s, %s)", [run, event])
    clean(settings)
    with connect(settings, "airflow") as database:
        assert database.execute("select count(*) from asset_event").fetchone() == (1,)
        database.execute("update dag_run set state = 'success'")
    clean(settings)
    with connect(settings, "airflow") as database:
        assert database.execute("select count(*) from asset_event").fetchone() == (0,)


def test_a_second_try_finds_nothing_left(settings):
    a_run(settings, "old", 91)
    a_run(settings, "young", 1)
    clean(settings)
    assert clean(settings)["sentence"].endswith("it removed nothing.")


def test_less_than_a_month_cannot_be_set():
    from pydantic import ValidationError

    from include.core.settings import Settings

    with pytest.raises(ValidationError):
        Settings(_env_file=None, keep_airflow_days=29)
