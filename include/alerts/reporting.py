"""Turn events into incidents: a run failed, a run succeeded, time passed and a condition holds.

Each event is one transaction under one lock: the incident, the run that joins it and the mail that is due are written
together or not at all, and two processes that report the same cause open one incident. When the warehouse cannot be
written, the failure is mailed at once and kept as a file (`waiting_room.py`). Does not belong here: what a failure
means (`wording.py`) and which mail is due (`incidents.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from include.adapters.warehouse import Connection, connect, query
from include.alerts import rehearsing, waiting_room
from include.alerts.conditions import Condition, find_conditions
from include.alerts.guides import CONDITIONS, SERVING, Severity
from include.alerts.incidents import (
    FailedRun,
    Incident,
    Success,
    add_incident,
    due_mail,
    fail,
    find_incident,
    open_incidents,
    save,
    settle,
    succeed,
)
from include.alerts.outbox import Channels, deliver_pending, keep_alert, printable, raise_alert
from include.alerts.wording import (
    Failure,
    LiveLists,
    Trouble,
    compose,
    severity_of,
    tell_what_readers_saw,
    understand,
)
from include.core.clock import now
from include.core.locks import LockKey
from include.core.settings import Settings

Find = Callable[[Settings, Connection, LiveLists | None, datetime], Iterator[Condition]]

log = logging.getLogger(__name__)


def report(settings: Settings, failure: Failure, channels: Channels) -> bool:
    """Let a failure open or join its incident, and mail what is due; return whether it was new."""
    run = failure.to_run(now())
    trouble = rehearsing.mark(settings, printable(settings, understand(settings, failure)), run.failed_at)
    try:
        bring_home(settings)
        with changing(settings) as warehouse:
            is_news = not (failure.is_of_run and _is_known(settings, warehouse, run))
            if is_news:
                take_failure(settings, warehouse, trouble, run)
    except Exception as error:  # no error of the warehouse may lose the alert
        log.warning("The alert is mailed without the warehouse: %s", error)
        return waiting_room.report(settings, trouble, run, channels)
    deliver_pending(settings, channels)
    return is_news


def report_success(settings: Settings, success: Success, channels: Channels) -> None:
    """Close the incidents that this success ends, and mail that they are over."""
    bring_home(settings)
    moment = now()
    if not success.is_past:
        with connect(settings) as warehouse:
            if not success.ended_early:
                warehouse.execute(query("alerts/works_again"), vars(success) | {"moment": moment})
            if not _ended_by(warehouse, success):
                return
    with changing(settings) as warehouse:
        ended = _ended_by(warehouse, success)
        if success.is_past:
            warehouse.execute(query("alerts/past_day_works"), vars(success))
        for incident in open_incidents(warehouse):
            if incident.incident_id in ended:
                keep(settings, warehouse, incident, succeed(incident, success.dag_id, SERVING, moment), moment)
    deliver_pending(settings, channels)


def refuse(settings: Settings, dag_id: str, run_id: str) -> None:
    """Note that a run was refused for its form, so that its own report of the failure is no news."""
    with connect(settings) as warehouse:
        warehouse.execute(query("alerts/refuse_run"), {"dag_id": dag_id, "run_id": run_id, "moment": now()})


def review(
    settings: Settings, channels: Channels, find: Find = find_conditions, looked_for: Collection[str] = CONDITIONS
) -> tuple[int, int | None]:
    """Let time pass for the open incidents and mail what waits; return how many were mailed and how many still wait.

    `find` yields the conditions that hold. An incident about one in `looked_for` that it does not yield is over.
    """
    try:
        bring_home(settings)
        moment = now()
        with connect(settings) as warehouse:
            lists = live_lists(warehouse)
            conditions = list(find(settings, warehouse, lists, moment))
        is_stale = lists is not None and lists.is_stale(moment)
        # whoever looks may end it, and a failure that explains stale lists does not make them fresh
        lasting = {("ListsStale", "lists")} if is_stale else set()
        take_conditions(settings, conditions, {*looked_for, "ListsStale"}, lasting)
        with changing(settings) as warehouse:
            for incident in open_incidents(warehouse):
                worse = is_stale and bool(SERVING & incident.stopped.keys())
                after = settle(incident, moment, quiet_time(settings), readers_are_worse_off=worse)
                keep(settings, warehouse, incident, after, moment)
    finally:
        delivered = deliver_pending(settings, channels)
    return delivered


def close_rehearsed(settings: Settings, channels: Channels) -> None:
    """Close the open incidents that rehearsals brought about, and mail that they are over."""
    with changing(settings) as warehouse:
        moment = now()
        for incident in open_incidents(warehouse):
            if incident.subject.startswith(rehearsing.SUBJECT):
                over = replace(incident, recovered_at=moment, closed_at=moment)
                keep(settings, warehouse, incident, over, moment)
    deliver_pending(settings, channels)


def take_conditions(
    settings: Settings,
    conditions: Collection[Condition],
    looked_for: Collection[str],
    lasting: Collection[tuple[str, str]] = (),
) -> None:
    """Let the conditions that hold open their incidents, or keep them open, and end the others that were looked for.

    What is `lasting` (name, subject) opens nothing, but has not ended either.
    """
    moment = now()
    holding = set(lasting)
    with changing(settings) as warehouse:
        for condition in conditions:
            taken = take_condition(settings, warehouse, condition, moment)
            # a rehearsal's own incident does not end the real one of the same cause
            holding |= {(taken.cause, taken.subject), (condition.name, condition.subject)}
        for incident in open_incidents(warehouse):
            is_over = incident.cause in looked_for and (incident.cause, incident.subject) not in holding
            if is_over and not incident.is_quiet:
                keep(settings, warehouse, incident, succeed(incident, "", SERVING, moment), moment)


@contextmanager
def changing(settings: Settings) -> Iterator[Connection]:
    """Yield a transaction in which no other process changes an incident."""
    with connect(settings) as warehouse:
        warehouse.execute(query("alerts/lock_incidents"), [LockKey.INCIDENTS])
        yield warehouse


def take_failure(settings: Settings, warehouse: Connection, trouble: Trouble, run: FailedRun, thread: str = "") -> None:
    """Let a failed run open or join its incident, in the caller's transaction; `thread` is that of an earlier mail."""
    moment = run.failed_at
    before = find_incident(warehouse, trouble.cause, trouble.subject, moment - quiet_time(settings))
    incident = before or add_incident(warehouse, asdict(trouble), moment, thread or trouble.thread(moment))
    row = vars(run) | {"incident_id": incident.incident_id}
    warehouse.execute(query("alerts/join"), row)
    (failed_runs,) = warehouse.execute(query("alerts/failed_in_a_row"), row).fetchone() or (1,)
    (stopped,) = warehouse.execute(query("alerts/stopped"), [incident.incident_id]).fetchone() or ({},)
    after = fail(incident, severity_of(trouble, failed_runs, live_lists(warehouse), moment), moment)
    is_newer = trouble.is_live or not incident.trouble["is_live"]
    known = asdict(trouble) if is_newer else incident.trouble
    keep(settings, warehouse, before, replace(after, stopped=stopped, trouble=known), moment)


def take_condition(settings: Settings, warehouse: Connection, condition: Condition, moment: datetime) -> Incident:
    """Let a condition that holds open its incident, or keep it open, in the caller's transaction; return that."""
    trouble = rehearsing.mark(settings, printable(settings, condition.to_trouble(settings)), moment)
    before = find_incident(warehouse, trouble.cause, trouble.subject, moment - quiet_time(settings))
    incident = before or add_incident(warehouse, asdict(trouble), moment, trouble.thread(moment))
    severity: Severity = "ticket" if trouble.rehearsal else condition.severity
    after = replace(fail(incident, severity, moment), trouble=asdict(trouble))
    keep(settings, warehouse, before, after, moment)
    return after


def keep(settings: Settings, warehouse: Connection, before: Incident | None, after: Incident, moment: datetime) -> None:
    """Save what became of an incident, and the mail that is due, in the caller's transaction."""
    mail = due_mail(before, after, moment)
    if mail:
        touches_lists = bool(after.stopped) or after.severity == "page"
        saw = _tell_what_readers_saw(settings, warehouse, after) if mail == "recovered" and touches_lists else ""
        keep_alert(settings, warehouse, compose(mail, after, live_lists(warehouse), moment, saw))
        after = replace(after, mailed=after.severity)
    save(warehouse, after)


def live_lists(warehouse: Connection) -> LiveLists | None:
    """Return the lists that readers see now; None before the first publication."""
    row = warehouse.execute(query("alerts/readers_now")).fetchone()
    return LiveLists(*row) if row else None


def bring_home(settings: Settings) -> None:
    """Move failures that were kept as files into the warehouse, and their mails into the outbox."""
    for kept in waiting_room.kept(settings):
        with changing(settings) as warehouse:
            is_taken = warehouse.execute(query("alerts/taken"), vars(kept.run)).fetchone() is not None
            if not is_taken:  # else a process died before it removed the file
                if kept.alert:
                    keep_alert(
                        settings,
                        warehouse,
                        kept.alert,
                        raised_at=kept.run.failed_at,
                        sent=kept.sent,
                        refused=kept.refused,
                    )
                thread = kept.alert.thread or kept.alert.incident if kept.alert else ""
                take_failure(settings, warehouse, kept.trouble, kept.run, thread)
        kept.forget()
    for former in waiting_room.kept_before(settings):
        sent = {"mail": former.sent_at} if former.sent_at else None
        raise_alert(settings, former.alert, raised_at=former.raised_at, sent=sent)
        former.file.unlink(missing_ok=True)


def quiet_time(settings: Settings) -> timedelta:
    """Return how long an incident that came back must be quiet to be over."""
    return timedelta(minutes=settings.incident_quiet_minutes)


def _is_known(settings: Settings, warehouse: Connection, run: FailedRun) -> bool:
    """Return whether the task of a run reported its failure before, or the run was refused for its form."""
    values = {"dag_id": run.dag_id, "run_id": run.run_id, "closed_since": run.failed_at - quiet_time(settings)}
    return warehouse.execute(query("alerts/known_run"), values).fetchone() is not None


def _ended_by(warehouse: Connection, success: Success) -> set[int]:
    """Return the incidents that a success ends; that of a rehearsal's run ends none but those of rehearsals."""
    subjects = f"{rehearsing.SUBJECT if success.run_id.startswith(rehearsing.PREFIX) else ''}%"
    rows = warehouse.execute(query("alerts/ended_by"), vars(success) | {"subjects": subjects})
    return {incident_id for (incident_id,) in rows}


def _tell_what_readers_saw(settings: Settings, warehouse: Connection, incident: Incident) -> str:
    values = {"since": incident.opened_at, "until": incident.recovered_at}
    (oldest,) = warehouse.execute(query("alerts/oldest_lists"), values).fetchone() or (None,)
    return tell_what_readers_saw(oldest, settings.stale_after_minutes)
