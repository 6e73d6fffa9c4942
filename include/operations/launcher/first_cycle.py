"""Run the first cycle through Airflow's own scheduler: retrain, recommend, monitor.

It runs once, while there is no live list; afterwards the schedules take over. When a task fails, everything keeps
running for inspection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, LiteralString

from include.adapters import warehouse
from include.adapters.airflow_api import Airflow
from include.core.errors import ServiceError
from include.core.settings import Settings

Say = Callable[[str], None]
Json = dict[str, Any]

FIRST = ("newsroom", "maintain", "retrain")
THEN = ("recommend", "monitor")
PARSE_SECONDS = 120.0
APPEAR_SECONDS = 20.0
SHOWN_LOG_LINES = 12
EXPLAINED_STATES = ("failed", "up_for_retry", "skipped")
SHOWN_STATES = ("running", "success", "upstream_failed", *EXPLAINED_STATES)


def run_first_cycle(settings: Settings, say: Say) -> None:
    """Run until every active reader has a live list; return at once if lists are live."""
    if has_lists(settings):
        return
    airflow = Airflow(settings)
    _wait_until_parsed(airflow, say)
    was_paused = {dag_id: airflow.unpause(dag_id) for dag_id in FIRST}
    if not has_champion(settings):
        _run(airflow, "retrain", say, expected=was_paused["retrain"])
    if not has_champion(settings):
        say("retrain promoted no model; the best baseline makes the lists")
    for dag_id in THEN:
        _run(airflow, dag_id, say, expected=airflow.unpause(dag_id))
        if dag_id == "recommend" and not has_lists(settings):
            raise ServiceError("recommend succeeded, but no lists were published.", hint="see its log in Airflow.")


def has_champion(settings: Settings) -> bool:
    """Return whether a model has ever been promoted."""
    return _any(settings, "select exists (select from ops.champions)")


def has_lists(settings: Settings) -> bool:
    """Return whether lists are live."""
    return _any(settings, "select exists (select from recs.live)")


def _any(settings: Settings, statement: LiteralString) -> bool:
    with warehouse.connect(settings) as connection:
        row = connection.execute(statement).fetchone()
        return bool(row and row[0])


def _wait_until_parsed(airflow: Airflow, say: Say) -> None:
    end = time.monotonic() + PARSE_SECONDS
    missing = [*FIRST, *THEN]
    while missing := [dag_id for dag_id in missing if not airflow.knows(dag_id)]:
        errors = airflow.import_errors()
        if errors:
            raise ServiceError(f"A DAG file cannot be imported: {errors[0]}.", hint="correct it and run this again.")
        if time.monotonic() > end:
            raise ServiceError(
                f"Airflow has not found {', '.join(missing)} after {PARSE_SECONDS:.0f} s.",
                hint="see `bin/daybreak logs dag-processor`.",
            )
        time.sleep(0.5)
    say("DAGs parsed")


def _run(airflow: Airflow, dag_id: str, say: Say, *, expected: bool) -> None:
    """Wait for the run that unpausing started; start one if none is `expected` or none appeared."""
    run_id = _current_run(airflow, dag_id, APPEAR_SECONDS if expected else 0)
    say(f"{dag_id}: run {run_id}")
    run = airflow.wait_for_run(dag_id, run_id, Reporter(airflow, say))
    if run["state"] == "success":
        say(f"{dag_id}: done in {_seconds(run):.0f} s")
        return
    failed = [task for task in airflow.task_instances(dag_id, run_id) if task["state"] == "failed"]
    if not failed:
        raise ServiceError(f"Run {run_id} of {dag_id} failed.", hint=f"look at {airflow.link(dag_id, run_id)}.")
    task = failed[0]
    raise ServiceError(
        f"{dag_id}: task {_name(task)} failed.",
        hint=f"everything keeps running; look at {airflow.link(dag_id, run_id, task['task_id'])}.",
    )


def _current_run(airflow: Airflow, dag_id: str, patience_seconds: float) -> str:
    end = time.monotonic() + patience_seconds
    while True:
        going = [run for run in airflow.runs(dag_id) if run["state"] in ("queued", "running")]
        if going:
            return str(going[0]["dag_run_id"])
        if time.monotonic() >= end:
            return airflow.trigger(dag_id)
        time.sleep(0.5)


class Reporter:
    """Prints a line when a task starts and one when it ends, with the reason for a failure."""

    def __init__(self, airflow: Airflow, say: Say) -> None:
        self.airflow, self.say = airflow, say
        self.said: set[tuple[str, int, str, int]] = set()

    def __call__(self, tasks: list[Json]) -> None:
        """Print the changes since the last call."""
        for task in sorted(tasks, key=lambda task: str(task["end_date"] or task["start_date"] or "")):
            state, attempt = str(task["state"]), int(task["try_number"] or 0)
            key = (str(task["task_id"]), int(task["map_index"]), state, attempt)
            if key in self.said or state not in SHOWN_STATES:
                continue
            self.said.add(key)
            name = f"{task['dag_id']}: {_name(task)}"
            if state == "running":
                self.say(f"{name} ...")
            elif state == "success":
                self.say(f"{name} done in {_seconds(task):.1f} s")
            else:
                self.say(f"{name} {state.replace('_', ' ')}")
            if state in EXPLAINED_STATES:
                for line in _reasons(self.airflow.log(task)):
                    self.say(f"    {line}")


def _name(task: Json) -> str:
    if task["map_index"] == -1:
        return str(task["task_id"])
    return f"{task['task_id']} [{task.get('rendered_map_index') or task['map_index']}]"


def _seconds(thing: Json) -> float:
    if thing.get("duration") is not None:
        return float(thing["duration"])
    if not thing.get("start_date") or not thing.get("end_date"):
        return 0.0
    return (datetime.fromisoformat(thing["end_date"]) - datetime.fromisoformat(thing["start_date"])).total_seconds()


def _reasons(log: list[Json]) -> list[str]:
    """Return the reason why a task failed or was skipped: its errors, else the skip's reason, else the last lines."""
    lines = [f"{error.get('exc_type')}: {error.get('exc_value')}" for entry in log for error in _errors(entry)]
    lines = lines or [str(entry["reason"]) for entry in log if entry.get("reason")]
    lines = lines or [str(entry.get("event", "")) for entry in log if entry.get("level") in ("error", "critical")]
    lines = lines or [str(entry.get("event", "")) for entry in log]
    return [part for line in lines for part in line.splitlines()][-SHOWN_LOG_LINES:]


def _errors(entry: Json) -> list[Json]:
    return list(entry.get("error_detail") or [])
