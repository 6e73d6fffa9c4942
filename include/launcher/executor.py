"""Airflow's LocalExecutor seen from outside: its workers, which the scheduler forks in advance, and what they do.

All workers wait for work at one pipe behind one lock. A worker that is killed while it waits takes the lock with it,
and no task ever starts again, while every health check stays green. Airflow cannot mend that, a new scheduler can.
"""

from __future__ import annotations

import psutil

from include.launcher.processes import Process

WORKERS = 6
TITLE = "airflow worker -- LocalExecutor"
IDLE = "<idle>"


def lost_a_worker(scheduler: Process) -> bool:
    """Whether fewer workers live than were forked."""
    return len(_titles(scheduler)) < WORKERS


def runs_a_task(scheduler: Process) -> bool:
    """Whether a worker is at work: then a restart would cost that work."""
    return any(IDLE not in title for title in _titles(scheduler))


def _titles(scheduler: Process) -> list[str]:
    titles = []
    try:
        children = psutil.Process(scheduler.pid).children()
    except psutil.NoSuchProcess:
        return []
    for child in children:
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                titles.append(" ".join(child.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return [title for title in titles if title.startswith(TITLE)]
