"""The way back: undo whatever a rehearsal did, from any state, as often as you like.

Nothing is remembered in a process: what was there before lies in the publisher's database, in the file of the rehearsal
and in the ids of its runs. So a rehearsal that was killed (kill -9) is mended by `rehearse --clean` or by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from include.adapters import mlflow_client, mlflow_registry
from include.adapters.airflow_api import ENDED, Airflow
from include.adapters.warehouse import Connection, connect, query
from include.alerts import rehearsing
from include.alerts.channels import find_channels
from include.alerts.rehearsing import PREFIX
from include.alerts.reporting import close_rehearsed
from include.core.clock import now
from include.core.contract import TABLES
from include.core.errors import AuditFailed, ServiceError
from include.core.settings import Settings
from include.lists import batch as batches
from include.operations.demo.rehearsals import breakage
from include.operations.demo.rehearsals.stage import POLL_SECONDS, Say, active_runs, requested_runs, requests_to_come

LOOP = ("retrain", "recommend", "monitor", "replay_quarantine", "rollback")
RUNS_SECONDS = 900.0


def mend(settings: Settings, newsroom: Connection, say: Say) -> None:
    """Put everything back, and forget the rehearsal last of all."""
    rehearsal = rehearsing.going_on(settings)
    breakage.resume_mailbox(settings)
    breakage.let_in(settings)
    breakage.mend_publisher(settings, newsroom)
    if rehearsal is None:
        rehearsing.end(settings)  # if it is marked all the same, the mark cannot be read
        return
    requested = _wait_for_runs(settings, rehearsal, say)
    made = {"runs": [f"%/{PREFIX}%", *requested], "since": rehearsal.begun_at}
    measured = {**made, "runs": ["monitor/%"]} if rehearsal.moves_windows else made
    with connect(settings) as warehouse:
        batches.lock(warehouse)
        maker = warehouse.execute(query("operations/lists_digest")).fetchone()
        if maker and f"/{PREFIX}" in maker[3] and rehearsal.batch_id and rehearsal.batch_id != maker[0]:
            _put_back(settings, warehouse, rehearsal.batch_id, say)
        for table in ("replays", *(table.name for table in TABLES)):
            warehouse.execute(query(f"operations/forget_{table}"), made)
        warehouse.execute(query("operations/forget_late_rows"), made)
        warehouse.execute(query("operations/forget_windows"), measured)
        versions = {version for (version,) in warehouse.execute(query("operations/rehearsed_models"), made)}
    if versions:
        _point_back(settings, versions, rehearsal.challenger)
    close_rehearsed(settings, find_channels(settings))
    rehearsing.end(settings)


def _put_back(settings: Settings, warehouse: Connection, batch_id: str, say: Say) -> None:
    try:
        batches.restore(warehouse, batch_id, settings.stale_after_minutes)
        say(f"the lists that were live before are live again: {batch_id}")
    except AuditFailed:
        say(f"the lists that were live before, {batch_id}, were removed meanwhile; newer ones stay live")


def _point_back(settings: Settings, versions: Collection[int], challenger: int | None) -> None:
    """Let MLflow's alias `challenger` name the version of before, if it names one that the rehearsal trained."""
    mlflow_client.need_server(settings)
    if mlflow_registry.read_alias(settings, "challenger") not in versions:
        return
    if challenger is None or not mlflow_registry.set_alias(settings, "challenger", challenger):
        mlflow_registry.drop_alias(settings, "challenger")


def _wait_for_runs(settings: Settings, rehearsal: rehearsing.Rehearsal, say: Say) -> list[str]:
    """Wait until no run of a rehearsal goes on, which would publish after the way back; return those it requested.

    While Airflow is down, a run may be queued that goes on later: its error is raised, and the rehearsal stays marked.
    """
    airflow, end, told = Airflow(settings), time.monotonic() + RUNS_SECONDS, False
    while going := active_runs(airflow, LOOP, PREFIX) or _find_requested(airflow, rehearsal):
        if not told:
            say(f"waiting for {', '.join(going)} to end")
        told = True
        rehearsing.renew(settings, now())
        if time.monotonic() > end:
            raise ServiceError(
                f"{', '.join(going)} has not ended after {RUNS_SECONDS:.0f} s.",
                hint="let it end, then run `bin/daybreak rehearse --clean`.",
            )
        time.sleep(POLL_SECONDS)
    requested = requested_runs(airflow, rehearsal.begun_at) if rehearsal.moves_windows else []
    return [f"{run['dag_id']}/{run['run_id']}" for run in requested]


def _find_requested(airflow: Airflow, rehearsal: rehearsing.Rehearsal) -> list[str]:
    """Return the requested runs that go on or are still to come."""
    if not rehearsal.moves_windows:
        return []
    return requests_to_come(airflow, rehearsal.begun_at) or [
        f"{run['dag_id']}/{run['run_id']}"
        for run in requested_runs(airflow, rehearsal.begun_at)
        if run["state"] not in ENDED
    ]
