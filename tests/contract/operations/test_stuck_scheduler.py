"""A scheduler whose workers wait for ever behind a lost lock is told by its tasks, on the table that Airflow keeps."""

from __future__ import annotations

import os
import subprocess

import pytest

from include.adapters.warehouse import connect
from include.core.errors import ServiceError
from include.operations.launcher import executor
from include.operations.launcher.processes import identify
from include.operations.launcher.services import SERVICES
from tests.parts import servers


@pytest.fixture(scope="module")
def settings(server):
    with connect(server, "airflow") as database:
        database.execute("create table task_instance (state text, queued_dttm timestamptz)")
    yield server
    with connect(server, "airflow") as database:
        database.execute("drop table task_instance")


@pytest.fixture
def task(settings):
    """A function that makes the one task of the table: its state, and how many seconds ago it was queued."""

    def put(state, seconds):
        with connect(settings, "airflow") as database:
            database.execute("delete from task_instance")
            database.execute(
                "insert into task_instance values (%s, now() - make_interval(secs => %s))", [state, seconds]
            )

    return put


@pytest.fixture
def scheduler():
    """This process stands for the scheduler: what it starts are its workers."""
    return identify(os.getpid())


@pytest.fixture
def worker():
    """A function that starts a child with the title of a worker; ended afterwards."""
    children = []

    def start(title):
        children.append(subprocess.Popen([title, "60"], executable="/bin/sleep"))
        return children[-1].pid

    yield start
    for child in children:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("state", "seconds", "is_stuck"), [("queued", 60, True), ("queued", 20, False), ("running", 60, False)]
)
def test_a_task_that_was_handed_over_long_ago_while_nobody_works_is_a_stuck_scheduler(
    settings, scheduler, task, state, seconds, is_stuck
):
    task(state, seconds)
    assert executor.is_stuck(settings, scheduler) is is_stuck


def test_while_a_worker_works_tasks_may_wait(settings, scheduler, task, worker):
    task("queued", 60)
    worker(f"{executor.TITLE}: {executor.IDLE}")
    assert executor.is_stuck(settings, scheduler) is True
    busy = worker(f"{executor.TITLE}: retrain.train")
    assert busy in executor.workers(scheduler)
    assert executor.is_stuck(settings, scheduler) is False


def test_without_a_database_nobody_can_tell_and_the_scheduler_is_left_alone(settings, scheduler):
    away = settings.model_copy(update={"postgres_port": servers.free_port()})
    (service,) = (one for one in SERVICES if one.name == "scheduler")
    with pytest.raises(ServiceError):
        service.stuck(away, scheduler)
    assert service.holds_up_work(away, scheduler) is False
