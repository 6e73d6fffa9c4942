"""Gaps as `bin/daybreak gaps` and `status` list them, from Airflow's own tables and the record of late rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.operations.gaps import find_gaps
from include.operations.status import gather, render_status
from tests.conftest import reset_warehouse
from tests.parts import cli

NOW = datetime(2026, 11, 20, 5, 30, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)  # when the DAGs were first known
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NIGHTLY = {
    "__type": "airflow.timetables.assets.AssetOrTimeSchedule",
    "__var": {"timetable": {"__var": {"expression": "0 3 * * *", "timezone": "UTC", "interval": 86400.0}}},
}
HOURLY = {"__type": "airflow.timetables.trigger.CronTriggerTimetable", "__var": {"expression": "30 * * * *"}}
SCHEDULES = {"retrain": NIGHTLY, "monitor": HOURLY}


@pytest.fixture
def settings(airflow):
    """An installation whose Airflow knows two DAGs and has run nothing yet."""
    reset_warehouse(airflow)
    with connect(airflow, "airflow") as database:
        database.execute("truncate dag, dag_run, serialized_dag, dag_version cascade")
        database.execute("insert into dag_bundle (name, active) values ('dags', true) on conflict do nothing")
        for name, timetable in SCHEDULES.items():
            database.execute(
                "insert into dag (dag_id, bundle_name, is_paused, is_stale, has_task_concurrency_limits,"
                " max_active_tasks, max_consecutive_failed_dag_runs, timetable_type, partition_mapper_info)"
                " values (%s, 'dags', false, false, false, 1, 0, 'cron', '{}')",
                [name],
            )
            database.execute(
                "with version as (insert into dag_version (id, version_number, dag_id, created_at, last_updated)"
                " values (gen_random_uuid(), 1, %(name)s, %(since)s, now()) returning id)"
                " insert into serialized_dag (id, dag_id, data, created_at, last_updated, dag_hash, dag_version_id)"
                " select gen_random_uuid(), %(name)s, %(data)s, %(since)s, now(), 'x', id from version",
                {"name": name, "data": json.dumps({"dag": {"timetable": timetable}}), "since": SINCE},
            )
    return airflow


def ran(settings, name, moment, state="success", kind="scheduled", **form):
    with connect(settings, "airflow") as database:
        database.execute(
            "insert into dag_run (dag_id, run_id, run_type, run_after, data_interval_end, state, conf,"
            " log_template_id) values (%s, %s, %s, %s, %s, %s, %s, (select min(id) from log_template))",
            [
                name,
                f"{kind}-{moment.isoformat()}-{state}",
                kind,
                NOW if form else moment,
                None if form else moment,
                state,
                json.dumps(form),
            ],
        )


def told(settings, days=14):
    return [gap.sentence for gap in find_gaps(settings, NOW, days)]


def test_nothing_is_missing_before_the_first_run(settings):
    assert told(settings) == []


def test_runs_that_did_not_start_or_failed_are_gaps_from_the_first_run_on(settings):
    ran(settings, "retrain", NIGHT - 5 * DAY)
    ran(settings, "retrain", NIGHT - 3 * DAY, "failed")
    ran(settings, "retrain", NIGHT)
    ran(settings, "monitor", NOW - 4 * HOUR)
    assert told(settings) == [
        "monitor: 3 runs did not start, as of 2026-11-20 02:30 to 2026-11-20 04:30 UTC.",
        "retrain: 1 run did not start, as of 2026-11-16 03:00 UTC.",
        "retrain: 1 run failed, as of 2026-11-17 03:00 UTC.",
        "retrain: 2 runs did not start, as of 2026-11-18 03:00 to 2026-11-19 03:00 UTC.",
    ]
    assert [line for line in told(settings, 2) if line.startswith("retrain")] == [
        "retrain: 1 run did not start, as of 2026-11-19 03:00 UTC."
    ]


def test_a_run_that_overran_its_interval_is_named_as_what_ate_the_next_ones(settings):
    ran(settings, "monitor", NOW - 4 * HOUR)
    ran(settings, "monitor", NOW - HOUR)
    with connect(settings, "airflow") as database:
        database.execute("update dag_run set start_date = run_after, end_date = run_after + interval '170 minutes'")
    assert told(settings) == [
        "monitor: 2 runs did not start, as of 2026-11-20 02:30 to 2026-11-20 03:30 UTC, because the run as of "
        "2026-11-20 01:30 went on until 2026-11-20 04:20 UTC."
    ]


def test_a_run_by_hand_as_of_the_moment_closes_its_gap_and_a_refused_form_does_no_harm(settings):
    ran(settings, "retrain", NIGHT - 2 * DAY)
    ran(settings, "retrain", NIGHT)
    assert told(settings) == ["retrain: 1 run did not start, as of 2026-11-19 03:00 UTC."]
    ran(settings, "retrain", NOW, "failed", "manual", as_of="tomorrow")
    assert told(settings) == ["retrain: 1 run did not start, as of 2026-11-19 03:00 UTC."]
    ran(settings, "retrain", NIGHT - DAY, "success", "manual", as_of=(NIGHT - DAY).isoformat())
    assert told(settings) == []


def test_a_run_by_hand_that_was_to_train_nothing_closes_no_gap(settings):
    for moment in (NIGHT - 2 * DAY, NIGHT):
        ran(settings, "retrain", moment)
    ran(settings, "retrain", NIGHT - DAY, "success", "manual", as_of=(NIGHT - DAY).isoformat(), mode="features")
    assert told(settings) == ["retrain: 1 run did not start, as of 2026-11-19 03:00 UTC."]


def test_a_version_for_which_much_came_late_is_outdated_until_a_newer_one_is_trained(settings):
    def learn(version):
        with connect(settings) as warehouse:
            warehouse.execute(
                "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of,"
                " run_id, mlflow_run_id) values (%s, 'd', 'm', 'f', 'f', 's', %s, 'r', 'r')",
                [version, NIGHT],
            )

    learn(1)
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.snapshots (snapshot_id, as_of, window_start, source) values ('s', %s, %s, '{}')",
            [NIGHT, NIGHT - 14 * DAY],
        )
        warehouse.execute(
            "insert into ops.late_rows (snapshot_id, model_version, as_of, before_count, late_count, corrected_count,"
            " gone_count, share, limit_share, is_retrain_due, sentence)"
            " values ('s', 1, %s, 100, 20, 0, 0, 0.2, 0.05, true, 'For days v1 learnt from, 20 events came late.')",
            [NIGHT],
        )
    (gap,) = find_gaps(settings, NOW, 14)
    assert (gap.kind, gap.sentence) == ("outdated", "For days v1 learnt from, 20 events came late.")
    assert gap.command == 'bin/daybreak retrain --reason "late data for v1"'
    learn(2)
    assert find_gaps(settings, NOW, 14) == []


def test_the_command_and_status_list_gaps(settings):
    assert cli.say(settings, "gaps").out.startswith("No gaps in the last 14 days: every scheduled run of retrain, ")
    now = datetime.now(UTC)
    night = now.replace(hour=3, minute=0, second=0, microsecond=0)
    ran(settings, "retrain", night - 4 * DAY)
    ran(settings, "retrain", night - 2 * DAY)
    ran(settings, "retrain", night - DAY)
    ran(settings, "retrain", night)
    lines = cli.say(settings, "gaps").out.splitlines()
    missing = f"{night - 3 * DAY:%Y-%m-%d %H:%M}"
    assert lines == [f"retrain: 1 run did not start, as of {missing} UTC.", "  bin/daybreak gaps --fix retrain"]
    assert json.loads(cli.say(settings, "gaps", "--json").out)[0]["count"] == 1
    found = gather(settings, {})
    assert "gaps          retrain 1 missing, failed or outdated: `bin/daybreak gaps`" in render_status(found, now)


def test_there_is_nothing_to_fix_without_a_gap(settings):
    answer = cli.say(settings, "gaps", "--fix", "monitor")
    assert answer.code
    assert answer.err == ("daybreak: monitor has no gaps in the last 14 days. Hint: `bin/daybreak gaps` lists all.\n")
