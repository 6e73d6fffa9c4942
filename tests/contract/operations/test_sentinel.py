"""The sentinel on Airflow's own tables, a real warehouse and a real mail server: one thread of mails per cause."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import psutil
import pytest

from include.adapters.warehouse import connect
from include.alerts import reporting
from include.alerts.incidents import open_incidents
from include.core.clock import now
from include.operations.launcher import files
from include.operations.sentinel.rounds import Sentinel
from tests.parts.mail_server import Mailbox
from tests.parts.servers import free_port

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
COMPONENTS = ("SchedulerJob", "DagProcessorJob", "TriggererJob")
HOURLY = {"__type": "airflow.timetables.trigger.CronTriggerTimetable", "__var": {"expression": "0 * * * *"}}


def write(settings, text, *values, role="airflow"):
    with connect(settings, role) as connection:
        connection.execute(text, values)


@pytest.fixture
def mailbox():
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture
def settings(airflow):
    """An installation whose Airflow works: every component beats, `monitor` and `recommend` ran lately."""
    for table in ("ops.alerts", "ops.incidents", "recs.live", "recs.batches"):
        write(airflow, f"delete from {table}", role="daybreak_run")
    write(airflow, "truncate dag, dag_run, task_instance, serialized_dag, dag_version, job cascade")
    write(airflow, "insert into dag_bundle (name, active) values ('dags', true) on conflict do nothing")
    for name in ("monitor", "recommend"):
        write(
            airflow,
            "insert into dag (dag_id, bundle_name, is_paused, is_stale, has_task_concurrency_limits,"
            " max_active_tasks, max_consecutive_failed_dag_runs, timetable_type, partition_mapper_info)"
            " values (%s, 'dags', false, false, false, 1, 0, 'cron', '{}')",
            name,
        )
        write(
            airflow,
            "with version as (insert into dag_version (id, version_number, dag_id, created_at, last_updated)"
            " values (gen_random_uuid(), 1, %s, now(), now()) returning id, dag_id)"
            " insert into serialized_dag (id, dag_id, data, created_at, last_updated, dag_hash, dag_version_id)"
            " select gen_random_uuid(), dag_id, %s, %s, now(), 'x', id from version",
            name, json.dumps({"dag": {"timetable": HOURLY}}), now() - 30 * DAY,
        )  # fmt: skip
    beat(airflow, timedelta())
    ran(airflow, "monitor", HOUR)
    publish(airflow)
    return airflow


def beat(settings, age, *components):
    for component in components or COMPONENTS:
        write(settings, "delete from job where job_type = %s", component)
        write(settings, "insert into job (job_type, latest_heartbeat) values (%s, %s)", component, now() - age)


def ran(settings, dag_id, age, state="success"):
    write(
        settings,
        "insert into dag_run (dag_id, run_id, run_type, run_after, data_interval_end, end_date, state, conf,"
        " log_template_id)"
        " select %s, 'r' || %s::text, 'scheduled', %s, %s, %s, %s, '{}', min(id) from log_template",
        dag_id, *4 * [now() - age], state,
    )  # fmt: skip


def publish(settings):
    write(
        settings,
        "insert into recs.batches (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status, readers)"
        " values ('b', now(), 1, 's', 'r', 10, 'audited', 3)",
        role="daybreak_run",
    )
    write(settings, "insert into recs.live (batch_id, stale_after_minutes) values ('b', 150)", role="daybreak_run")


def a_sentinel(age=2 * DAY):
    """A sentinel that has looked for a while, the last time a minute ago."""
    sentinel = Sentinel(now() - age)
    sentinel.looked_at = now() - MINUTE
    return sentinel


def incidents(settings):
    with connect(settings) as warehouse:
        return [(one.severity, one.cause, one.subject) for one in open_incidents(warehouse)]


def test_a_dead_scheduler_is_one_page_that_ends_when_it_beats_again(settings, mailbox):
    sentinel = a_sentinel()
    sentinel.look(settings, mailbox.channels, now())
    assert mailbox.subjects == []
    beat(settings, 12 * MINUTE)
    for again in (sentinel, a_sentinel(timedelta()), sentinel):
        again.look(settings, mailbox.channels, now())
        reporting.review(settings, mailbox.channels)
    assert mailbox.subjects == ["[page] Airflow's scheduler is silent."]
    beat(settings, timedelta())
    sentinel.look(settings, mailbox.channels, now())
    page, recovery = mailbox.mails
    assert recovery["Subject"].startswith("[recovered] Airflow's scheduler is silent.")
    assert recovery["References"] == page["Message-ID"]
    assert incidents(settings) == []


def test_after_a_start_or_a_sleep_of_the_machine_airflow_has_its_turn_first(settings, mailbox):
    beat(settings, 8 * HOUR)
    a_sentinel(timedelta()).look(settings, mailbox.channels, now())
    slept = Sentinel(now() - DAY)
    slept.looked_at = now() - 8 * HOUR
    slept.look(settings, mailbox.channels, now())
    assert mailbox.subjects == []


def test_a_monitor_that_says_nothing_is_a_ticket_until_it_succeeds(settings, mailbox):
    write(settings, "update dag_run set end_date = now() - interval '125 minutes'")
    sentinel = a_sentinel()
    sentinel.look(settings, mailbox.channels, now())
    reporting.review(settings, mailbox.channels)
    assert mailbox.subjects == ["[ticket] monitor is silent."]
    ran(settings, "monitor", timedelta())
    sentinel.look(settings, mailbox.channels, now())
    assert incidents(settings) == []


def test_tasks_that_no_slot_takes_are_told_by_pool(settings, mailbox):
    ran(settings, "recommend", timedelta())
    write(
        settings,
        "insert into task_instance (id, dag_id, run_id, task_id, map_index, pool, pool_slots, state, scheduled_dttm,"
        " max_tries, try_number, queue, operator, executor_config, next_kwargs, priority_weight, dag_version_id)"
        " select gen_random_uuid(), r.dag_id, run_id, 'score', -1, 'heavy', 1, 'scheduled', now() - interval '40"
        " minutes', 0, 0, 'default', 'x', '\\x00', '{}', 1, v.id from dag_run r join dag_version v using (dag_id)"
        " where r.dag_id = 'recommend'",
    )
    sentinel = a_sentinel()
    sentinel.look(settings, mailbox.channels, now())
    assert incidents(settings) == [("ticket", "TasksWaiting", "heavy")]
    write(settings, "update dag set is_paused = true where dag_id = 'recommend'")
    sentinel.look(settings, mailbox.channels, now())
    assert incidents(settings) == [], "a person paused it"
    write(settings, "update dag set is_paused = false")
    write(settings, "update task_instance set state = 'running'")
    sentinel.look(settings, mailbox.channels, now())
    assert incidents(settings) == []


def test_a_run_that_waits_for_an_earlier_one_is_not_missing(settings, mailbox):
    ran(settings, "recommend", 30 * HOUR)
    ran(settings, "recommend", 3 * HOUR, "running")
    a_sentinel().look(settings, mailbox.channels, now())
    assert incidents(settings) == []


def test_runs_that_did_not_start_are_a_ticket_and_of_a_paused_dag_after_a_day(settings, mailbox):
    ran(settings, "recommend", 30 * HOUR)
    sentinel = a_sentinel()
    sentinel.look(settings, mailbox.channels, now())
    assert incidents(settings) == [("ticket", "RunMissing", "recommend")]
    write(settings, "update dag set is_paused = true where dag_id = 'recommend'")
    sentinel.look(settings, mailbox.channels, now())
    assert ("ticket", "DagPaused", "recommend") in incidents(settings)


def test_a_warehouse_that_is_away_is_mailed_once_and_its_return_in_the_same_thread(settings, mailbox):
    away = settings.model_copy(update={"postgres_port": free_port()})
    sentinel = a_sentinel()
    for minutes in range(8):
        sentinel.look(away, mailbox.channels, now() + minutes * MINUTE)
    again = Sentinel(now())
    for minutes in range(8):
        again.look(away, mailbox.channels, now() + minutes * MINUTE)
    (page,) = mailbox.mails
    assert page["Subject"].startswith("[page] warehouse: sentinel failed: PostgreSQL at 127.0.0.1:")
    sentinel.look(settings, mailbox.channels, now())
    (_, recovery) = mailbox.mails
    assert recovery["Subject"].startswith("[recovered] warehouse: sentinel failed")
    assert recovery["References"] == page["Message-ID"]
    assert incidents(settings) == []


def test_a_mail_about_the_warehouse_that_the_server_refused_is_tried_again(settings, mailbox):
    away = settings.model_copy(update={"postgres_port": free_port()})
    sentinel = a_sentinel()
    mailbox.refuses = "warehouse"
    begun = now() - 9 * MINUTE
    for minutes in range(10):
        sentinel.look(away, mailbox.channels, begun + minutes * MINUTE)
    assert mailbox.subjects == []
    mailbox.refuses = None
    for minutes in range(10, 14):
        sentinel.look(away, mailbox.channels, begun + minutes * MINUTE)
    assert len(mailbox.subjects) == 1
    sentinel.look(settings, mailbox.channels, now())
    assert [subject.split()[0] for subject in mailbox.subjects] == ["[page]", "[recovered]"]


def test_the_process_is_small_and_ends_when_it_is_told_to(settings):
    process = subprocess.Popen(
        [sys.executable, "-m", "include.operations.sentinel"], env={**os.environ, "DAYBREAK_HOME": str(settings.home)}
    )
    try:
        end = time.monotonic() + 30
        while not (settings.home / files.SENTINEL_BEAT).exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        assert psutil.Process(process.pid).memory_info().rss < 100 * 2**20
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
