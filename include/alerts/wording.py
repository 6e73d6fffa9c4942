"""Compose the mails about an incident, for a person woken at night, from facts alone.

Belongs here: subject, sections and sentences of a mail. Does not belong here: the meaning of a failure (`guides.py`),
whether a mail is due (`incidents.py`) and the way to on-call (`outbox.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Any, Literal

from include.alerts.guides import ANY_RUN, CAUSES, GUIDES, SWITCH, SWITCHES, Cause, Severity
from include.alerts.incidents import FailedRun, Incident, Mail, RunKind
from include.core.clock import FORMAT, in_words
from include.core.errors import Finding
from include.core.settings import Settings

SUBJECT_LENGTH = 150
TITLE_LENGTH = SUBJECT_LENGTH - len("[recovered] ")
MOST_FINDINGS = 12
PAST = " (past days)"  # ends the subject of a failure that no reader waits for


@dataclass(frozen=True)
class Alert:
    """An alert as it is stored and sent: `incident` is its key, `thread` the key of the one that it answers.

    `facts` are for programs. `only` names the recipients whom it has not reached yet; empty for all.
    """

    incident: str
    severity: Severity | Literal["digest"]
    subject: str
    body: str
    thread: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """The known facts about a failed run; after a kill there are few."""

    dag_id: str
    run_id: str
    run_type: str = ""
    as_of: datetime | None = None
    task_id: str = ""
    tries: int = 0
    kind: str = ""  # the error's class
    fact: str = ""
    hint: str = ""
    run_url: str = ""
    log_url: str = ""
    report_url: str = ""
    findings: tuple[Finding, ...] = ()  # the checks that stopped a validation
    about: str = ""  # what is broken, if not the run itself
    is_past: bool = False  # works as of a moment that a backfill or a form names
    is_of_run: bool = False  # reported by the run, whose task may have reported it before

    @property
    def run_kind(self) -> RunKind:
        """Return whom the run was for: readers (live), the person who started it, or the record of a past day."""
        return "past" if self.is_past else "by hand" if self.run_type == "manual" else "live"

    def to_run(self, moment: datetime) -> FailedRun:
        """Return the run as it joins an incident at a moment."""
        return FailedRun(self.dag_id, self.run_id, self.task_id, self.as_of, self.run_kind, moment)


@dataclass(frozen=True)
class Trouble:
    """What is known of a failure, in words that are true whenever the mail is written."""

    cause: str
    subject: str
    title: str
    what_broke: str
    done: str
    next_step: str
    links: Mapping[str, str]
    checks: str = ""
    is_live: bool = True
    pages_after: int | None = None  # failed runs in a row
    serves_readers: bool = False
    rehearsal: str = ""  # that brought it about (rehearsing.py)

    def thread(self, moment: datetime) -> str:
        """Return the key of the first mail about an incident that begins at a moment."""
        return f"{self.cause}/{self.subject}/{moment.isoformat()}"


@dataclass(frozen=True)
class LiveLists:
    """The lists that readers see now."""

    batch_id: str
    generated_at: datetime
    model_version: int | None
    readers: int
    stale_after_minutes: int
    baseline: str | None = None  # of lists without a version

    def is_stale(self, moment: datetime) -> bool:
        """Return whether the lists are older than they may be."""
        return moment - self.generated_at > timedelta(minutes=self.stale_after_minutes)


Lists = LiveLists | str | None  # None before the first publication, a sentence if unknown


def understand(settings: Settings, failure: Failure) -> Trouble:
    """Return the cause and subject of a failure, and the parts of its mail."""
    guide = GUIDES.get(failure.dag_id, ANY_RUN)
    cause = CAUSES.get(failure.kind) or Cause(guide.next_step, guide.section)
    fact = (
        summary(failure.findings)
        or failure.fact
        or "It ended without an error message: it was killed, or ran out of time or memory."
    )
    subject = (failure.about or failure.dag_id) + (PAST if failure.is_past else "")
    where = f"{failure.dag_id} failed" + (f" at {failure.task_id}" if failure.task_id else "")
    about = "" if subject == failure.dag_id else f"{subject}: "
    links = {
        "Run": failure.run_url,
        "Log": failure.log_url,
        "Data Docs" if failure.findings else "Report": failure.report_url,
        "Runbook": settings.runbook_link(cause.section),
    }
    as_of = f" (as of {failure.as_of.strftime(FORMAT)})" if failure.as_of else ""
    tries = f" Airflow tried {failure.tries} times." if failure.tries > 1 else ""
    return Trouble(
        cause=failure.kind or "killed",
        subject=subject,
        title=title_of(f"{about}{where}: {fact.removeprefix(f'{failure.about}: ')}"),
        what_broke=f"{where}, {failure.run_type} run {failure.run_id}{as_of}.\n{fact}"
        + (f"\nHint: {failure.hint}" if failure.hint else ""),
        checks="\n".join(tell_finding(finding) for finding in failure.findings[:MOST_FINDINGS])
        + (f"\n... and {more} more, in the Data Docs." if (more := len(failure.findings) - MOST_FINDINGS) > 0 else ""),
        done=(SWITCH if failure.task_id in SWITCHES else guide.done) + tries,
        next_step=cause.next_step,
        links={name: url for name, url in links.items() if url},
        is_live=failure.run_kind == "live",
        pages_after=1 if guide.serves_readers and cause.lasts else guide.pages_after,
        serves_readers=guide.serves_readers,
    )


def title_of(sentence: str) -> str:
    """Return the sentence as the title of an incident, which every subject ends with."""
    return shorten(sentence, TITLE_LENGTH, placeholder=" …")


def severity_of(trouble: Trouble, failed_runs: int, lists: Lists, moment: datetime) -> Severity:
    """Return the urgency of a failure by what readers see: a page when they are or will soon be worse off.

    `failed_runs` have failed in a row, this one included. Without lists no reader is affected.
    """
    if trouble.pages_after is None or not trouble.is_live or lists is None:
        return "ticket"
    if isinstance(lists, str) or failed_runs >= trouble.pages_after:
        return "page"
    return "page" if trouble.serves_readers and lists.is_stale(moment) else "ticket"


def compose(mail: Mail, incident: Incident, lists: Lists, moment: datetime, readers_saw: str = "") -> Alert:
    """Return the mail about an incident that is due; every mail after the first answers it."""
    trouble = Trouble(**incident.trouble)
    if mail == "recovered":
        parts = {
            "Rehearsal": f"This was the rehearsal “{trouble.rehearsal}”." if trouble.rehearsal else "",
            "What happened": _tell_end(incident),
            "How long": _tell_length(incident, incident.recovered_at or moment),
            "What readers saw": readers_saw,
            "Links": _tell_links(trouble),
        }
    else:
        parts = {
            "Rehearsal": _tell_rehearsal(trouble, incident, lists, moment) if trouble.rehearsal else "",
            "What broke": trouble.what_broke,
            "Checks that failed": trouble.checks,
            "Since": _tell_since(mail, incident, moment),
            "What readers see now": lists if isinstance(lists, str) else describe(lists, moment),
            "What was done": trouble.done,
            "Next step": trouble.next_step,
            "Links": _tell_links(trouble),
        }
    body = "\n\n".join(f"{title}\n{text}" for title, text in parts.items() if text) + "\n"
    subject = f"[{'recovered' if mail == 'recovered' else incident.severity}] {incident.title}"
    facts = incident.event(mail)
    if mail == "opened":
        return Alert(incident.thread, incident.severity, subject, body, facts=facts)
    key = f"{incident.thread}/{mail}/{incident.returns}"
    return Alert(key, incident.severity, subject, body, incident.thread, facts)


def _tell_end(incident: Incident) -> str:
    """Return which DAG's success ended it; of others that it stopped, this says nothing."""
    told = f"It has been over since {_at(incident.recovered_at)}"
    if incident.recovered_by is None:
        return f"{told}."
    others = ", ".join(sorted(incident.stopped.keys() - {incident.recovered_by}))
    more = f" It had also stopped {others}; whether that works again is not known yet." if others else ""
    return f"{told}: a run of {incident.recovered_by} succeeded.{more}"


def _tell_rehearsal(trouble: Trouble, incident: Incident, lists: Lists, moment: datetime) -> str:
    """Return that there is nothing to do, and how urgent the mail would have been."""
    severity = severity_of(replace(trouble, is_live=True), max(1, incident.runs), lists, moment)
    return (
        f"This is the rehearsal “{trouble.rehearsal}” on the demo; there is nothing to do. For real, this mail would "
        f"be a {severity}."
    )


def _tell_since(mail: Mail, incident: Incident, moment: datetime) -> str:
    """Return how long it has lasted, and what mails are still to come."""
    more = "Further failures of this cause are counted and send no mail."
    if mail == "returned":
        return f"It was over at {_at(incident.recovered_at)} and is back. {more}"
    if mail == "opened" and incident.runs <= 1:
        return f"{_at(incident.last_at)}. {more}"
    why = " It is a page now: readers are worse off, or will soon be." if mail == "escalated" else ""
    return f"{_tell_length(incident, moment)}{why}"


def _tell_length(incident: Incident, end: datetime) -> str:
    """Return from when until when it lasted, and which runs it stopped."""
    by_dag = ", ".join(f"{dag_id} {runs:,}" for dag_id, runs in sorted(incident.stopped.items()))
    runs = f", {incident.runs:,} failed run{'s' if incident.runs > 1 else ''} ({by_dag})" if by_dag else ""
    came_back = (
        f", came back {incident.returns:,} time{'s' if incident.returns > 1 else ''}" if incident.returns else ""
    )
    return f"{_at(incident.opened_at)} to {_at(end)}: {in_words(end - incident.opened_at)}{runs}{came_back}."


def _tell_links(trouble: Trouble) -> str:
    return "\n".join(f"{name}: {url}" for name, url in trouble.links.items())


def _at(moment: datetime | None) -> str:
    return moment.strftime(FORMAT) if moment else ""


def tell_what_readers_saw(oldest: timedelta | None, stale_after_minutes: int) -> str:
    """Return how old readers' lists became while an incident lasted."""
    if oldest is None:
        return "No lists were live yet."
    stale = ", STALE" if oldest > timedelta(minutes=stale_after_minutes) else ""
    return f"Lists up to {in_words(oldest)} old{stale}; they count as stale after {stale_after_minutes} min."


def summary(findings: tuple[Finding, ...]) -> str:
    """Return the checks that stopped a run in one line: the first with its table, and the count of the others."""
    if not findings:
        return ""
    first, more = findings[0], len(findings) - 1
    others = f" ({more} more check{'s' if more > 1 else ''} failed)" if more else ""
    return f"{first.table}: {first.sentence} [{first.code}]{others}"


def tell_finding(finding: Finding) -> str:
    """Return a check that stopped a run: its table, the sentence with the numbers, up to three keys, its code."""
    keys = ", ".join(key or "(without key)" for key in finding.examples)
    example = f" For example {keys}." if keys else ""
    return f"- {finding.table}: {finding.sentence}{example} [{finding.code}]"


def describe(lists: LiveLists | None, moment: datetime) -> str:
    """Return a sentence on what readers see: the time, maker and age of the lists."""
    if lists is None:
        return "No lists: none have been published yet."
    age = moment - lists.generated_at
    maker = f"baseline {lists.baseline}" if lists.baseline else f"champion v{lists.model_version}"
    told = (
        f"Lists of {lists.generated_at.strftime(FORMAT)}, {maker}, {in_words(age)} old"
        f"{', STALE' if lists.is_stale(moment) else ''}, for {lists.readers:,} readers (batch {lists.batch_id})."
    )
    return f"{told} No model has been promoted yet." if lists.baseline else told
