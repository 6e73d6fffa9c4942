"""Signs of life in Airflow's database, and the conditions that follow where they are missing.

Belongs here: reading the signs, and judging them as functions of signs and moments. Does not belong here: the rounds
and what they remember (`rounds.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from include.adapters.warehouse import connect, query
from include.alerts.conditions import Condition
from include.alerts.incidents import Incident
from include.alerts.wording import LiveLists
from include.core.clock import FORMAT, in_words
from include.core.numbers import write_count
from include.core.settings import Settings
from include.operations.gaps import DAYS, GRACE, Gap, find_gaps, find_schedules, list_moments

SCHEDULER = "scheduler"
COMPONENTS_SILENT = "AirflowSilent"
COMPONENTS = {  # Airflow's name -> the service's, and what stands still without it
    "SchedulerJob": (SCHEDULER, "no run starts"),
    "DagProcessorJob": ("dag-processor", "changes of DAGs are not read"),
    "TriggererJob": ("triggerer", "runs that wait for data do not go on"),
}
SILENT_AFTER = timedelta(minutes=10)  # twice what the launcher needs to restart a service that does not answer
MONITOR_SILENT_AFTER = timedelta(hours=2)
MONITOR_LATE_AFTER = timedelta(minutes=75)  # one hourly run is missing
TASKS_WAIT = timedelta(minutes=30)
PAUSED_FOR = timedelta(days=1)
KEPT = "Readers keep the last good lists."


@dataclass(frozen=True)
class WaitingTasks:
    """Tasks of a pool that are ready to start while none of the pool runs."""

    pool: str
    count: int
    since: datetime
    longest: str


@dataclass(frozen=True)
class Signs:
    """What Airflow's database shows at a moment; `missing` are runs up to the newest moment, by idle DAG."""

    beats: Mapping[str, datetime] = field(default_factory=dict)
    monitored_at: datetime | None = None
    is_monitor_paused: bool = False
    waiting: Sequence[WaitingTasks] = ()
    missing: Mapping[str, Gap] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()

    def is_silent(self, component: str, moment: datetime) -> bool:
        """Return whether a component that once had a heartbeat has none."""
        return component in self.beats and moment - self.beats[component] >= SILENT_AFTER


@dataclass(frozen=True)
class Watch:
    """Since when the sentinel looks without a break, and since when Airflow has worked meanwhile.

    What was due before has its turn first: a component that is being started is not dead.
    """

    begun_at: datetime
    working_since: datetime


def read_signs(settings: Settings, moment: datetime) -> Signs:
    """Return the signs; none before Airflow has created its tables."""
    with connect(settings, "airflow") as database:
        if database.execute("select to_regclass('serialized_dag') is not null").fetchone() != (True,):
            return Signs()
        beats = dict(database.execute(query("operations/sentinel/heartbeats")).fetchall())
        monitored = database.execute(query("operations/sentinel/monitored")).fetchone() or (None, False)
        before = {"before": moment - TASKS_WAIT}
        waiting = database.execute(query("operations/sentinel/waiting_tasks"), before).fetchall()
        paused = {dag_id for (dag_id,) in database.execute(query("operations/sentinel/paused"))}
        busy = {dag_id for (dag_id,) in database.execute(query("operations/sentinel/busy"))}
    return Signs(
        beats={COMPONENTS[job][0]: at for job, at in beats.items() if job in COMPONENTS},
        monitored_at=monitored[0],
        is_monitor_paused=monitored[1],
        waiting=[WaitingTasks(*row) for row in waiting],
        missing={name: gap for name, gap in _find_missing(settings, moment).items() if name not in busy},
        paused=frozenset(paused),
    )


def _find_missing(settings: Settings, moment: datetime) -> dict[str, Gap]:
    """Return the missing runs of each DAG up to its newest scheduled moment; `monitor` is judged by its successes."""
    crons = {one["dag_id"]: one["cron"] for one in find_schedules(settings)}
    return {
        gap.dag_id: gap
        for gap in find_gaps(settings, moment, DAYS)
        if gap.kind == "missing" and gap.dag_id != "monitor"
        and list_moments(crons[gap.dag_id], gap.last, moment - GRACE) == [gap.last]
    }  # fmt: skip


def judge(
    signs: Signs, lists: LiveLists | None, incidents: Sequence[Incident], watch: Watch, moment: datetime
) -> Iterator[Condition]:
    """Yield the conditions that hold; while the scheduler is silent, none that follow from it.

    One that has an open incident holds until the sign of life is there; a new one must have lasted while we looked.
    """
    known = {(incident.cause, incident.subject) for incident in incidents}
    is_stale = lists is not None and lists.is_stale(moment)
    yield from _judge_components(signs, lists, known, watch, moment)
    if signs.is_silent(SCHEDULER, moment):
        return
    if ("MonitorSilent", "monitor") in known or not any("monitor" in incident.stopped for incident in incidents):
        yield from _judge_monitor(signs, known, watch, moment, is_stale=is_stale)
    for tasks in signs.waiting:
        if ("TasksWaiting", tasks.pool) in known or moment - watch.working_since >= TASKS_WAIT:
            yield _tell_waiting(tasks, moment, is_stale=is_stale)
    for dag_id, gap in signs.missing.items():
        if dag_id in signs.paused and moment - gap.first >= PAUSED_FOR:
            fact = f"No run has started since one was due at {gap.first.strftime(FORMAT)}."
            done = "It stays paused until a person unpauses it."
            yield Condition("DagPaused", dag_id, f"{dag_id} is paused in Airflow.", fact, done)
        if ("RunMissing", dag_id) in known or (dag_id not in signs.paused and gap.last >= watch.working_since):
            yield Condition("RunMissing", dag_id, f"A scheduled run of {dag_id} did not start.", gap.sentence, KEPT)


def _judge_components(
    signs: Signs, lists: LiveLists | None, known: set[tuple[str, str]], watch: Watch, moment: datetime
) -> Iterator[Condition]:
    """Yield a silent scheduler, a page while there are readers; the other components only while it works."""
    for name, effect in COMPONENTS.values():
        if not signs.is_silent(name, moment):
            continue
        beat = signs.beats[name]
        has_lasted = moment - max(beat, watch.begun_at) >= SILENT_AFTER
        is_first = name == SCHEDULER or not signs.is_silent(SCHEDULER, moment)
        if (COMPONENTS_SILENT, name) in known or (has_lasted and is_first):
            is_page = lists is not None and (name == SCHEDULER or lists.is_stale(moment))
            title = f"Airflow's {name} is silent."
            fact = f"The {name} has had no heartbeat for {in_words(moment - beat)}, so {effect}."
            done = f"{KEPT} A service that dies or hangs is restarted; this one has not come back."
            yield Condition(COMPONENTS_SILENT, name, title, fact, done, "page" if is_page else "ticket")


def _judge_monitor(
    signs: Signs, known: set[tuple[str, str]], watch: Watch, moment: datetime, *, is_stale: bool
) -> Iterator[Condition]:
    """Yield a `monitor` without a success, sooner while lists are stale, because it would have to say so."""
    if signs.monitored_at is None:
        return
    is_known = ("MonitorSilent", "monitor") in known
    patience = MONITOR_LATE_AFTER if is_stale or is_known else MONITOR_SILENT_AFTER
    since = signs.monitored_at if is_known else max(signs.monitored_at, watch.working_since)
    if moment - since < patience:
        return
    why = " It is paused in Airflow." if signs.is_monitor_paused else ""
    lists = " Readers' lists are stale." if is_stale else ""
    fact = f"No run of monitor has succeeded for {in_words(moment - signs.monitored_at)}.{why}{lists}"
    done = "Champion and lists stay as they are."
    yield Condition("MonitorSilent", "monitor", "monitor is silent.", fact, done, "page" if is_stale else "ticket")


def _tell_waiting(tasks: WaitingTasks, moment: datetime, *, is_stale: bool) -> Condition:
    count = write_count(tasks.count, "task")
    fact = f"{count} could have started {in_words(moment - tasks.since)} ago, {tasks.longest} the first."
    title = f"Tasks in the pool {tasks.pool} do not start."
    return Condition("TasksWaiting", tasks.pool, title, fact, KEPT, "page" if is_stale else "ticket")
