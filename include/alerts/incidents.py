"""Incidents: what is broken now, since when, what it stopped, and which mail is due.

Belongs here: the record of an incident, and the decisions about it as functions of (incident, event). Does not belong
here: reading events and sending mails (`reporting.py`), the words of a mail (`wording.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg.rows import class_row

from include.adapters.warehouse import Connection, query
from include.alerts.guides import Severity
from include.core.clock import FORMAT, in_words
from include.core.errors import DaybreakError

Mail = Literal["opened", "escalated", "returned", "recovered"]
FORGOTTEN_AFTER = timedelta(days=1)  # a failure of a past day or of a form may never be run again


RunKind = Literal["live", "by hand", "past"]  # for readers, for the person who started it, of a past day


@dataclass(frozen=True)
class FailedRun:
    """A run that failed, as a row of `ops.incident_runs`."""

    dag_id: str
    run_id: str
    task_id: str
    as_of: datetime | None
    kind: RunKind
    failed_at: datetime


@dataclass(frozen=True)
class Success:
    """A run that succeeded; `is_past` if it worked as of a moment that a backfill or a form named.

    If its mode `ended_early`, it may not have reached what failed in other runs, and speaks for its own failure only.
    """

    dag_id: str
    run_id: str
    as_of: datetime | None
    is_past: bool
    ended_early: bool = False


@dataclass(frozen=True)
class Incident:
    """An incident as it is stored in `ops.incidents`, with the mute on its cause and subject."""

    incident_id: int
    cause: str
    subject: str
    title: str
    severity: Severity
    trouble: Mapping[str, Any]
    thread: str
    opened_at: datetime
    last_at: datetime
    recovered_at: datetime | None = None
    closed_at: datetime | None = None
    returns: int = 0
    mailed: Severity | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    muted_until: datetime | None = None
    muted_by: str | None = None
    mute_reason: str | None = None
    recovered_by: str | None = None  # the DAG whose success ended it; None if a condition ended
    stopped: Mapping[str, int] = field(default_factory=dict)  # DAG -> failed runs

    @property
    def runs(self) -> int:
        """Return how many runs it stopped."""
        return sum(self.stopped.values())

    @property
    def is_quiet(self) -> bool:
        """Return whether what failed has succeeded since."""
        return self.recovered_at is not None and self.recovered_at >= self.last_at

    def is_silenced(self, moment: datetime) -> bool:
        """Return whether a person wants no mail about it now."""
        return self.acknowledged_at is not None or (self.muted_until is not None and self.muted_until > moment)

    def tell(self, moment: datetime) -> str:
        """Describe the incident in one line: urgency, title, age, runs, and who looks after it."""
        runs = f", {self.runs} failed run{'s' if self.runs > 1 else ''}" if self.runs else ""
        state = f"Closed {self.closed_at.strftime(FORMAT)} after" if self.closed_at else "Open for"
        length = in_words((self.closed_at or moment) - self.opened_at)
        line = f"#{self.incident_id} [{self.severity}] {self.title} {state} {length}{runs}."
        if self.is_quiet and not self.closed_at:
            line += " It works at present."
        if self.acknowledged_at:
            line += f" Acknowledged by {self.acknowledged_by}."
        if self.muted_until and self.muted_until > moment:
            line += f" Muted until {self.muted_until.strftime(FORMAT)} by {self.muted_by}: {self.mute_reason}"
        return line

    def facts(self) -> dict[str, Any]:
        """Return what programs are told of it."""
        left_out = ("trouble", "thread", "mailed", "recovered_by")
        found = {name: value for name, value in vars(self).items() if name not in left_out}
        return {**found, "runs": self.runs, "is_quiet": self.is_quiet, "links": self.trouble["links"]}

    def event(self, mail: Mail) -> dict[str, Any]:
        """Return what other programs are told of it with a mail."""
        moments = {name: getattr(self, name) for name in ("opened_at", "last_at", "recovered_at")}
        return {
            "event": mail,
            **{name: getattr(self, name) for name in ("cause", "subject", "title", "severity", "returns")},
            **{name: moment and moment.isoformat() for name, moment in moments.items()},
            "stopped": dict(self.stopped),
            "links": self.trouble["links"],
        }


def open_incidents(warehouse: Connection) -> list[Incident]:
    """Return the open incidents, pages first, then the oldest."""
    return recent_incidents(warehouse, None)


def recent_incidents(warehouse: Connection, closed_since: datetime | None) -> list[Incident]:
    """Return the open incidents and those closed since a moment; the open ones first, then the newest closed."""
    with warehouse.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(query("alerts/incidents"), {"closed_since": closed_since}).fetchall()


def find_incident(warehouse: Connection, cause: str, subject: str, closed_since: datetime) -> Incident | None:
    """Return the incident of this cause and subject that is open, or else the last one closed since a moment."""
    found = recent_incidents(warehouse, closed_since)
    return next((one for one in found if (one.cause, one.subject) == (cause, subject)), None)


def add_incident(warehouse: Connection, trouble: Mapping[str, Any], moment: datetime, thread: str) -> Incident:
    """Add an incident that begins now and return it."""
    about = {name: trouble[name] for name in ("cause", "subject", "title")}
    values = {**about, "trouble": json.dumps(trouble), "thread": thread, "moment": moment}
    warehouse.execute(query("alerts/add_incident"), values)
    found = find_incident(warehouse, about["cause"], about["subject"], moment)
    if found is None:
        raise LookupError(thread)
    return found


def save(warehouse: Connection, incident: Incident) -> None:
    """Write the present state of an incident."""
    warehouse.execute(query("alerts/save_incident"), vars(incident) | {"trouble": json.dumps(incident.trouble)})


def acknowledge(warehouse: Connection, incident_id: int, actor: str, moment: datetime) -> Incident:
    """Say that a person looks after an open incident, so that no further mail is sent about it."""
    taken = replace(_need_open(warehouse, incident_id), acknowledged_at=moment, acknowledged_by=actor)
    save(warehouse, taken)
    return taken


def mute(
    warehouse: Connection, incident_id: int, until: datetime, reason: str, actor: str, moment: datetime
) -> Incident:
    """Send no mail about the cause and subject of an open incident until a moment; it replaces an earlier mute."""
    muted = replace(
        _need_open(warehouse, incident_id), muted_until=until, muted_by=actor, mute_reason=reason.rstrip(".") + "."
    )
    warehouse.execute(query("alerts/mute"), vars(muted) | {"muted_at": moment})
    return muted


def _need_open(warehouse: Connection, incident_id: int) -> Incident:
    found = open_incidents(warehouse)
    for incident in found:
        if incident.incident_id == incident_id:
            return incident
    known = ", ".join(str(one.incident_id) for one in found)
    raise DaybreakError(
        f"There is no open incident {incident_id}.", hint=f"choose one of {known}." if known else "none is open."
    )


def fail(incident: Incident, severity: Severity, moment: datetime) -> Incident:
    """Return the incident after one more failure; a closed one opens again and forgets who acknowledged it."""
    worst: Severity = "page" if "page" in (incident.severity, severity) else "ticket"
    if incident.closed_at is None:
        return replace(incident, severity=worst, last_at=moment)
    return replace(
        incident,
        severity=severity,
        last_at=moment,
        closed_at=None,
        returns=incident.returns + 1,
        acknowledged_at=None,
        acknowledged_by=None,
    )


def succeed(incident: Incident, dag_id: str, serving: frozenset[str], moment: datetime) -> Incident:
    """Return the incident after the success of a DAG that it had stopped.

    It closes, unless it also stopped a DAG that serves readers and this is another one. An incident that came back once
    stays open until it has been quiet for a while (`settle`), so that one that comes and goes does not mail each time.
    """
    if serving & incident.stopped.keys() and dag_id not in serving:
        return incident
    if not incident.is_quiet:
        incident = replace(incident, recovered_at=moment, recovered_by=dag_id or None)
    return replace(incident, closed_at=None if incident.returns else moment)


def settle(incident: Incident, moment: datetime, quiet: timedelta, *, readers_are_worse_off: bool) -> Incident:
    """Return the incident after a while: over when quiet for long enough, a page when readers are worse off by now."""
    if incident.is_quiet and moment - (incident.recovered_at or moment) >= quiet:
        return replace(incident, closed_at=moment)
    if not incident.trouble["is_live"] and moment - incident.last_at >= FORGOTTEN_AFTER:
        return replace(incident, closed_at=moment)
    if readers_are_worse_off and incident.trouble["is_live"] and not incident.is_quiet:
        return replace(incident, severity="page")
    return incident


def due_mail(before: Incident | None, after: Incident, moment: datetime) -> Mail | None:
    """Return the mail that a change calls for: none for a failure that joins, and none that a person silenced."""
    if after.is_silenced(moment):
        return None
    if after.closed_at is not None:
        was_told = before is not None and before.closed_at is None and after.mailed is not None
        return "recovered" if was_told and after.is_quiet else None
    if after.mailed is None:
        return "opened"
    if before is not None and before.closed_at is not None:
        return "returned"
    return "escalated" if (after.severity, after.mailed) == ("page", "ticket") else None
