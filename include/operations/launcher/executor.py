"""Watch the workers of Airflow's LocalExecutor, which the scheduler forks in advance.

All workers wait for work at one pipe behind one lock. If a worker is killed while it waits, it takes the lock with it,
and no task ever starts again while every health check stays green. Airflow forks another worker, which waits as well;
only a new scheduler repairs that.
"""

from __future__ import annotations

import psutil

from include.adapters import warehouse
from include.core.settings import Settings
from include.operations.launcher.processes import Process

WORKERS = 6
TITLE = "airflow worker -- LocalExecutor"
IDLE = "<idle>"
STUCK_SECONDS = 45.0


def workers(scheduler: Process) -> frozenset[int]:
    """Return the workers' pids. Airflow only adds workers, so a missing one was killed."""
    return frozenset(_titles(scheduler))


def runs_a_task(scheduler: Process) -> bool:
    """Return whether a worker runs a task, which a restart would lose."""
    return any(IDLE not in title for title in _titles(scheduler).values())


def is_stuck(settings: Settings, scheduler: Process) -> bool:
    """Return whether a task has been queued for long although every worker is idle."""
    if runs_a_task(scheduler):
        return False
    with warehouse.connect(settings, "airflow") as database:
        waiting = database.execute(
            "select 1 from task_instance where state = 'queued' and queued_dttm < now() - make_interval(secs => %s)",
            [STUCK_SECONDS],
        ).fetchone()
    return waiting is not None and not runs_a_task(scheduler)


def _titles(scheduler: Process) -> dict[int, str]:
    titles: dict[int, str] = {}
    try:
        children = psutil.Process(scheduler.pid).children()
    except psutil.NoSuchProcess:
        return {}
    for child in children:
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                titles[child.pid] = " ".join(child.cmdline())
        except psutil.NoSuchProcess:
            continue
    return {pid: title for pid, title in titles.items() if title.startswith(TITLE)}
