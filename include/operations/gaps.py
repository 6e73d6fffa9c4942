"""Gaps: scheduled moments without a run that succeeded, and a model that late data has outdated.

Belongs here: finding them, and filing Airflow's backfills that close them. A moment is not a gap while its run goes on,
nor if any run as of it succeeded, whoever started it, unless that run was to train nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal, cast

from croniter import croniter
from psycopg.rows import dict_row

from include.adapters.airflow_api import Airflow
from include.adapters.warehouse import connect, query
from include.core.clock import compact, parse_moment
from include.core.errors import DaybreakError
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.pipeline.run import recorded

DAYS = 14
LOOP = ("retrain", "recommend", "monitor")
GRACE = timedelta(minutes=10)  # the scheduler may be that late before a run counts as missing
FINE, GOING_ON, FAILED, MISSING = "success", "running", "failed", "missing"
ACTIVE = 1  # of a backfill's runs at once: days in order, beside the loop's own tasks

Kind = Literal["missing", "failed", "outdated"]
State = tuple[datetime, str]


@dataclass(frozen=True)
class Gap:
    """Moments of one DAG in a row that need a run, from the first to the last, and the command that closes the gap."""

    dag_id: str
    kind: Kind
    first: datetime
    last: datetime
    count: int
    sentence: str
    command: str


def find_gaps(settings: Settings, moment: datetime, days: int) -> list[Gap]:
    """Return the gaps of the last days, by DAG and time; none before Airflow has run the loop."""
    since = moment - timedelta(days=days)
    found: list[Gap] = []
    with connect(settings, "airflow") as database, database.cursor(row_factory=dict_row) as cursor:
        if database.execute("select to_regclass('serialized_dag') is not null").fetchone() == (True,):
            asked = {"names": list(LOOP), "since": since}
            runs = cursor.execute(query("operations/moments"), asked).fetchall()
            for one in find_schedules(settings):
                if one["cron"] and one["since"]:
                    expected = list_moments(one["cron"], max(since, one["since"]), moment - GRACE)
                    of_dag = [run for run in runs if run["dag_id"] == one["dag_id"]]
                    states = [(_moment_of(run), run["state"]) for run in of_dag if run["fills_gap"]]
                    found += [_explain(gap, of_dag) for gap in compare(one["dag_id"], expected, states)]
    return [*found, *_find_outdated(settings)]


def find_schedules(settings: Settings) -> list[dict[str, Any]]:
    """Return each DAG of the loop with its schedule in Airflow, and since when it has run on it."""
    with connect(settings, "airflow") as database, database.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("operations/schedules"), {"names": list(LOOP)}).fetchall()


def _moment_of(run: Mapping[str, Any]) -> datetime:
    """Return what the run works as of; a form with an unusable moment was refused and counts as the run's own."""
    try:
        return parse_moment(run["asked"]) if run["asked"] else run["moment"]
    except DaybreakError:
        return cast("datetime", run["moment"])


def _explain(gap: Gap, runs: Sequence[Mapping[str, Any]]) -> Gap:
    """Return the gap with its cause, if an earlier run went on over its first moment: a DAG runs one at a time."""
    if gap.kind != "missing":
        return gap
    for run in runs:
        is_over = run["ended_at"] is None or run["ended_at"] > gap.first
        if run["is_scheduled"] and run["started_at"] and run["started_at"] < gap.first and is_over:
            until = f"until {run['ended_at']:%Y-%m-%d %H:%M}" if run["ended_at"] else "until now"
            why = f"because the run as of {_moment_of(run):%Y-%m-%d %H:%M} went on {until} UTC"
            return replace(gap, sentence=f"{gap.sentence.rstrip('.')}, {why}.")
    return gap


def list_moments(cron: str, since: datetime, until: datetime) -> list[datetime]:
    """Return the moments of a schedule from `since` to `until`."""
    following = croniter(cron, since - timedelta(seconds=1))
    found = []
    while (moment := following.get_next(datetime)) <= until:
        found.append(moment)
    return found


def compare(dag_id: str, expected: Sequence[datetime], runs: Sequence[State]) -> list[Gap]:
    """Return the expected moments that no run has done or is doing, those in a row as one gap."""
    states: dict[datetime, set[str]] = {}
    for moment, state in runs:
        states.setdefault(moment, set()).add(state)
    judged = [(moment, _judge(states.get(moment, set()))) for moment in expected]
    return [_make(dag_id, kind, [moment for moment, _ in row]) for kind, row in _rows(judged)]


def _judge(states: set[str]) -> str:
    """Return what is known of a moment, given the states of its runs."""
    if FINE in states:
        return FINE
    if states - {FAILED}:
        return GOING_ON
    return FAILED if states else MISSING


def _rows(judged: Sequence[State]) -> Iterator[tuple[Kind, list[State]]]:
    for state, row in groupby(judged, key=lambda one: one[1]):
        if state == MISSING:
            yield "missing", list(row)
        elif state == FAILED:
            yield "failed", list(row)


def _make(dag_id: str, kind: Kind, moments: Sequence[datetime]) -> Gap:
    first, last, count = moments[0], moments[-1], len(moments)
    runs = write_count(count, "run")
    when = f"{first:%Y-%m-%d %H:%M}" + ("" if count == 1 else f" to {last:%Y-%m-%d %H:%M}")
    what = "did not start" if kind == "missing" else "failed"
    return Gap(
        dag_id, kind, first, last, count, f"{dag_id}: {runs} {what}, as of {when} UTC.",
        f"bin/daybreak gaps --fix {dag_id}",
    )  # fmt: skip


def _find_outdated(settings: Settings) -> list[Gap]:
    """Return a gap if so much came late for the newest version that it should be trained again."""
    with connect(settings) as warehouse:
        found = warehouse.execute(query("operations/outdated")).fetchone()
    if found is None:
        return []
    version, as_of, sentence = found
    reason = f"late data for v{version}"
    return [Gap("retrain", "outdated", as_of, as_of, 1, sentence, f'bin/daybreak retrain --reason "{reason}"')]


def tell_gaps(gaps: Sequence[Gap], days: int) -> str:
    """Return the gaps as sentences."""
    if not gaps:
        return f"No gaps in the last {days} days: every scheduled run of {', '.join(LOOP)} succeeded or goes on."
    return " ".join(gap.sentence for gap in gaps)


@recorded
def look_for_gaps(run: Run) -> Reference:
    """Find the gaps of the last days, for the log of `maintain`."""
    gaps = find_gaps(run.settings, run.as_of, DAYS)
    facts = {"gaps": [asdict(gap) for gap in gaps], "sentence": tell_gaps(gaps, DAYS)}
    return Reference("gaps", compact(run.as_of), "", run.as_of, digest_of(facts), (), facts)


def file_backfill(settings: Settings, dag_id: str, moments: Sequence[datetime], form: Mapping[str, Any]) -> int:
    """File one backfill in Airflow, over missing and failed runs from the first to the last moment; return its id."""
    wish = {
        "dag_id": dag_id,
        "from_date": min(moments).isoformat(),
        "to_date": max(moments).isoformat(),
        "reprocess_behavior": "failed",
        "max_active_runs": ACTIVE,
        "dag_run_conf": dict(form),
    }
    return int(Airflow(settings).post("backfills", wish)["id"])
