"""The latest runs of DAGs and of commands, each with its outcome in a sentence, and the next runs.

A DAG's run is Airflow's, with the stages that `ops.runs` recorded for it; a command's run is in `ops.runs` alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg.rows import dict_row

from include.adapters.warehouse import Connection, connect, query
from include.alerts.guides import GUIDES
from include.core.clock import in_words
from include.core.run import tell_origin
from include.core.settings import Settings
from include.pipeline.decide import LAST_STAGES, stops_early

Row = dict[str, Any]
MINUTE = timedelta(minutes=1)
KINDS = {"asset_triggered": "event"}  # of Airflow, where it has another word


def find_runs(settings: Settings, moment: datetime, name: str | None = None, limit: int = 10) -> list[Row]:
    """Return the latest runs, newest first: of this DAG or command, else of all but the demo's newsroom."""
    asked = {"name": name, "limit": limit}
    by_airflow = ask_airflow(settings, query("operations/airflow_runs"), asked)
    ids = [f"{row['dag_id']}/{row['run_id']}" for row in by_airflow]
    stages: dict[str, list[Row]] = defaultdict(list)
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(query("operations/stages"), {**asked, "run_ids": ids}):
            stages[row["run_id"]].append(row)
    found = [_of_airflow(row, stages[run_id], moment) for run_id, row in zip(ids, by_airflow, strict=True)]
    found += [_of_command(run_id, rows, moment) for run_id, rows in stages.items() if run_id.startswith("cli/")]
    return sorted(found, key=lambda run: run["started_at"], reverse=True)[:limit]


def find_run(settings: Settings, moment: datetime, dag_id: str, run_id: str) -> Row | None:
    """Return one run with its `stages`, of a DAG or, if `dag_id` is `cli`, of a command; None if there is none."""
    asked = {"dag_id": dag_id, "run_id": run_id}
    whole_id = f"{dag_id}/{run_id}"
    by_airflow = [] if dag_id == "cli" else ask_airflow(settings, query("operations/one_run"), asked)
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        stages = cursor.execute(query("operations/run_stages"), {"run_id": whole_id}).fetchall()
    if by_airflow:
        return {**_of_airflow(by_airflow[0], stages, moment), "stages": stages}
    return {**_of_command(whole_id, stages, moment), "stages": stages} if stages else None


def find_next_runs(settings: Settings) -> list[Row]:
    """Return each DAG with the moment of its next run, soonest first; None if it is paused or has no schedule."""
    return ask_airflow(settings, query("operations/next_runs"), {})


def find_results(settings: Settings, warehouse: Connection) -> list[Row]:
    """Return when each DAG last worked, how long that took, in which run, and when it last failed; past days aside."""
    early = [mode for mode in LAST_STAGES if stops_early(mode, settings.gate_mode)]
    with warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("operations/dag_results"), {"dags": [*GUIDES], "early": early}).fetchall()


def find_failing(runs: Sequence[Row]) -> list[Row]:
    """Return the newest ended run of each DAG that failed at its last try, of runs in order, newest first."""
    newest: dict[str, Row] = {}
    for run in runs:
        if run["ended_at"] and not run["run_id"].startswith("cli/"):
            newest.setdefault(run["name"], run)
    return [run for run in newest.values() if run["state"] == "failed"]


def tell_next(rows: Sequence[Row], moment: datetime) -> str:
    """Return when each DAG runs next, soonest first."""
    coming = [f"{row['name']} {tell_coming(row['next_at'] - moment)}" for row in rows if row["next_at"]]
    paused = [row["name"] for row in rows if row["is_paused"]]
    return "; ".join(filter(None, (", ".join(coming), f"paused: {', '.join(paused)}" if paused else "")))


def tell_coming(wait: timedelta) -> str:
    """Return how soon a run comes."""
    return f"in {in_words(wait)}" if wait >= MINUTE else "now"


def ask_airflow(settings: Settings, statement: LiteralString, values: Mapping[str, Any]) -> list[Row]:
    """Return rows of Airflow's database; none before Airflow was set up."""
    with connect(settings, "airflow") as database, database.cursor(row_factory=dict_row) as cursor:
        if database.execute("select to_regclass('dag_run') is not null").fetchone() != (True,):
            return []
        return cursor.execute(statement, values).fetchall()


def _of_airflow(row: Row, stages: Sequence[Row], moment: datetime) -> Row:
    mode = (row["conf"] or {}).get("mode") or ""
    first: Row = stages[0] if stages else {"as_of": row["as_of"], "mode": mode, "reason": ""}
    return {
        "run_id": f"{row['dag_id']}/{row['run_id']}",
        "name": row["dag_id"],
        "how": tell_origin(KINDS.get(row["run_type"]) or row["run_type"], first["mode"] or mode, row["who"] or ""),
        **{name: first[name] for name in ("as_of", "reason")},
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "state": row["state"],
        "outcome": tell_outcome(row["state"], stages, moment),
    }


def _of_command(run_id: str, stages: Sequence[Row], moment: datetime) -> Row:
    states = {row["status"] for row in stages}
    state = "failed" if "failed" in states else "running" if "running" in states else "success"
    return {
        "run_id": run_id,
        "name": run_id.split("/")[1],
        "how": tell_origin(stages[0]["kind"] or "command", stages[0]["mode"], stages[0]["actor"]),
        **{name: stages[0][name] for name in ("as_of", "reason", "started_at")},
        "ended_at": None if state == "running" else max(row["finished_at"] for row in stages),
        "state": state,
        "outcome": tell_outcome(state, stages, moment),
    }


def tell_outcome(state: str, stages: Sequence[Row], moment: datetime) -> str:
    """Return the run's outcome in a sentence."""
    running = [row for row in stages if row["status"] == "running"]
    failed = [row for row in stages if row["status"] == "failed"]
    if state == "queued":
        return "Waits for its turn."
    if state == "running":
        if not running:
            return f"Goes on after {stages[-1]['stage']}." if stages else "Has begun."
        stage, age = running[-1]["stage"], moment - running[-1]["started_at"]
        return f"{stage} began {in_words(age)} ago and has not ended." if age >= MINUTE else f"{stage} has just begun."
    if state == "failed":
        if failed:
            return f"Failed at {failed[-1]['stage']}: {_first_sentence(failed[-1]['error'])}"
        return (
            f"Failed after {stages[-1]['stage']}."
            if stages
            else "Failed before its first stage; the log of its first task says why."
        )
    told = [sentence for row in stages if row["stage"] != "shadow" and (sentence := _tell_stage(row))]
    told = told or [_tell_stage(row) for row in stages if row["stage"] == "shadow"]
    if not told and (skipped := [row["error"] for row in stages if row["status"] == "skipped"]):
        return _first_sentence(skipped[-1])
    if not told and stages and (last := LAST_STAGES.get(stages[0]["mode"])):
        return last[1]
    new = [one for number, one in enumerate(told) if not any(later.startswith(one) for later in told[number + 1 :])]
    return " ".join(new) or "Nothing was to be done."


def _tell_stage(row: Row) -> str:
    facts = row["facts"]
    if row["stage"] == "publish":
        return f"{row['id']} is live." if facts.get("changed") else f"{row['id']} stays unpublished."
    if row["stage"] == "replay":
        return f"{facts['came_back']:,} rows came back, {facts['still_broken']:,} still break a rule."
    return str(facts.get("sentence") or "")


def _first_sentence(error: str | None) -> str:
    text = " ".join((error or "").partition(" Hint: ")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", text)[0]
