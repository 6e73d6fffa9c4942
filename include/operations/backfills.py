"""Backfills: what became of each of their days, from Airflow's record and from the stages in `ops.runs`.

One in Airflow is known by its number there, one of the command line by the moment at which it was typed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from include.adapters.warehouse import connect, query
from include.core.clock import parse_moment
from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.runs import Row, ask_airflow, tell_outcome
from include.pipeline.decide import OF_BACKFILL, mode_before_last

OF_COMMANDS = "cli/backfill/"
DONE, FAILED, LEFT, MISSING, CANCELLED = "success", "failed", "left", "missing", "cancelled"
GOING_ON = ("queued", "running")
LONGEST_STAGE = timedelta(hours=3)  # a training has as long in Airflow; after that its command was killed


@dataclass(frozen=True)
class Day:
    """What a backfill made of a moment; what it did not reach or was not asked for is empty.

    `state` is the state of its run, or `left` where Airflow left an earlier run as it was, `missing` without a run, or
    `cancelled` if it was cancelled before it began.
    `decision` is that of its verdict; `is_changed` says whether champion or lists were changed.
    """

    as_of: datetime
    state: str
    run_id: str = ""
    read: int | None = None
    quarantined: int | None = None
    version: str = ""
    rival: str = ""
    decision: str = ""
    is_changed: bool = False
    outcome: str = ""
    report: str = ""

    @property
    def change(self) -> str:
        """Return what the day changed or would have changed."""
        if self.is_changed:
            return f"{self.version} became champion" if self.version else "its lists went live"
        return {"promote": f"{self.version} as champion", "ask": "a question", "keep": "nothing"}.get(self.decision, "")


@dataclass(frozen=True)
class Backfill:
    """A backfill of a DAG, or of `retrain` by the command line, with its days, oldest first."""

    backfill_id: str
    dag_id: str
    actor: str
    started_at: datetime | None
    ended_at: datetime | None
    form: Mapping[str, Any] = field(default_factory=dict)
    days: Sequence[Day] = ()

    @property
    def is_of_airflow(self) -> bool:
        """Return whether it is one of Airflow's, not of the command line."""
        return self.backfill_id.isdecimal()

    @property
    def mode(self) -> str:
        """Return how far it was to go; empty for a DAG without modes."""
        return str(self.form.get("mode") or OF_BACKFILL) if self.dag_id == "retrain" else ""

    def of_state(self, *states: str) -> list[Day]:
        """Return the days in one of these states."""
        return [day for day in self.days if day.state in states]

    @property
    def mending_form(self) -> Mapping[str, Any]:
        """Return the form for its failed and missing days.

        Where it trains once, and its last day is not among them, none of them is trained on.
        """
        own = [day for day in self.days if day.state != LEFT]
        if not self.form.get("train_once") or (own and own[-1].state in (FAILED, MISSING)):
            return self.form
        rest = {name: value for name, value in self.form.items() if name not in ("train_once", "confirm")}
        return {**rest, "mode": mode_before_last(self.mode)}  # type: ignore[arg-type]


def is_last_day(settings: Settings, dag_id: str, run_id: str) -> bool:
    """Return whether no run of the same backfill in Airflow works as of a later moment."""
    with connect(settings, "airflow") as database:
        asked = {"dag_id": dag_id, "run_id": run_id}
        (is_last,) = database.execute(query("operations/is_last_day"), asked).fetchone() or (True,)
    return bool(is_last)


def find_backfill(settings: Settings, name: str, moment: datetime) -> Backfill:
    """Return the backfill of this id, or the newest one for `last`."""
    if name == "last":
        newest = ask_airflow(settings, query("operations/newest_backfill"), {})
        of_commands = _find_days_of_commands(settings, "")
        candidates = [(row["created_at"], str(row["id"])) for row in newest]
        candidates += [(row["started_at"], row["run_id"].split("/")[2]) for row in of_commands[-1:]]
        name = max(candidates, default=(None, ""))[1]
        if not name:
            raise DaybreakError(
                "There was no backfill yet.", hint="start one in Airflow, or with `bin/daybreak backfill`."
            )
    found = _find_of_airflow(settings, name, moment) if name.isdecimal() else _find_of_commands(settings, name, moment)
    if found is None:
        raise DaybreakError(
            f"There is no backfill {name}.", hint="Airflow lists them on the page of the DAG; or name it `last`."
        )
    return found


def _find_of_airflow(settings: Settings, name: str, moment: datetime) -> Backfill | None:
    rows = ask_airflow(settings, query("operations/backfill"), {"id": int(name)})
    if not rows:
        return None
    (row,) = rows
    runs = ask_airflow(settings, query("operations/backfill_days"), {"id": int(name)})
    stages = _find_stages(settings, [f"{row['dag_id']}/{run['run_id']}" for run in runs if run["run_id"]])
    days = [_describe_run(row["dag_id"], run, stages, moment) for run in runs]
    return Backfill(
        name, row["dag_id"], row["actor"] or "", row["created_at"], row["completed_at"], row["form"] or {}, days
    )


def _find_of_commands(settings: Settings, name: str, moment: datetime) -> Backfill | None:
    rows = _find_days_of_commands(settings, name)
    if not rows:
        return None
    stages, first = _find_stages(settings, [row["run_id"] for row in rows]), rows[0]
    begun = {row["as_of"]: _describe_command(row, stages[row["run_id"]], moment) for row in rows}
    goes_on = any(day.state == "running" for day in begun.values())
    state, told = ("queued", "Waits for its turn.") if goes_on else (MISSING, "It was not begun.")
    asked = list_days(parse_moment(first["form"]["from"]), parse_moment(first["form"]["to"]))
    days = [begun.get(as_of) or Day(as_of, state, outcome=told) for as_of in asked]
    ended_at = None if goes_on else max((row["ended_at"] for row in rows if row["ended_at"]), default=None)
    return Backfill(name, "retrain", first["actor"], first["started_at"], ended_at, first["form"], days)


def list_days(start: datetime, end: datetime) -> list[datetime]:
    """Return the moments from start to end, a day apart."""
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def _describe_command(row: Row, stages: Sequence[Row], moment: datetime) -> Day:
    """Return what became of a day on the command line."""
    states, last = {stage["status"] for stage in stages}, stages[-1]
    if FAILED not in states and "running" in states and moment - last["started_at"] > LONGEST_STAGE:
        return replace(
            _describe(row["as_of"], FAILED, row["run_id"], stages, moment),
            outcome=f"The command was ended during {last['stage']}.",
        )
    state = FAILED if FAILED in states else "running" if "running" in states else DONE
    return _describe(row["as_of"], state, row["run_id"], stages, moment)


def _find_days_of_commands(settings: Settings, name: str) -> list[Row]:
    """Return the days of a backfill of the command line, or of all without a name, in the order they began."""
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        asked = {"prefix": f"{OF_COMMANDS}{name}{'/' if name else ''}"}
        return cursor.execute(query("operations/backfill_commands"), asked).fetchall()


def _find_stages(settings: Settings, run_ids: Sequence[str]) -> Mapping[str, list[Row]]:
    stages: dict[str, list[Row]] = defaultdict(list)
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        asked = {"run_ids": list(run_ids), "name": None, "limit": 0}
        for row in cursor.execute(query("operations/stages"), asked):
            stages[row["run_id"]].append(row)
    return stages


def _describe_run(dag_id: str, run: Row, stages: Mapping[str, list[Row]], moment: datetime) -> Day:
    """Return what became of a day in Airflow."""
    if run["run_id"] is None:
        return Day(run["as_of"], MISSING, outcome="There is no run: it was deleted.")
    run_id = f"{dag_id}/{run['run_id']}"
    if run["left_as"] and run["state"] == DONE:
        why = "was going on, and has succeeded" if run["left_as"] == "in flight" else "had succeeded"
        return Day(run["as_of"], LEFT, run_id, outcome=f"Left as it was: an earlier run of this moment {why}.")
    if run["state"] == CANCELLED:
        return Day(run["as_of"], CANCELLED, run_id, outcome="Cancelled before it began.")
    return _describe(run["as_of"], run["state"], run_id, stages[run_id], moment)


def _describe(as_of: datetime, state: str, run_id: str, stages: Sequence[Row], moment: datetime) -> Day:
    # Loads pyarrow, which the sentinel does not need to see that a backfill has ended.
    from include.core.contract import TABLES

    by_name = {row["stage"].split("/")[0]: row for row in stages if row["status"] == "done"}
    facts = {name: row["facts"] for name, row in by_name.items()}
    verdict = facts.get("judge", {})
    against = verdict.get("champion_version")
    return Day(
        as_of,
        state,
        run_id,
        read=sum(facts["extract"][table.name] for table in TABLES) if "extract" in facts else None,
        quarantined=facts["validate"]["quarantined"] if "validate" in facts else None,
        version=f"v{by_name['train']['id']}" if "train" in by_name else "",
        rival=("baselines alone" if against is None else f"v{against}") if verdict else "",
        decision=verdict.get("decision", ""),
        is_changed=any(facts.get(name, {}).get("changed") for name in ("promote", "publish")),
        outcome=tell_outcome(state, stages, moment),
        report=verdict.get("report", ""),
    )
