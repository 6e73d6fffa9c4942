"""Compose the mail about a failed run, for a person woken at night, from facts alone.

Belongs here: subject, sections and sentences of a mail. Does not belong here: the meaning of a failure (`guides.py`)
and the way to on-call (`outbox.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten

from include.alerts.guides import ANY_RUN, CAUSES, GUIDES, SWITCH, SWITCHES, Severity
from include.core.clock import FORMAT, in_words
from include.core.errors import Finding

SUBJECT_LENGTH = 150
MOST_FINDINGS = 12
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True)
class Alert:
    """An incident, as it is stored and mailed."""

    incident: str
    severity: Severity
    subject: str
    body: str


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


@dataclass(frozen=True)
class LiveLists:
    """The lists that readers see now."""

    batch_id: str
    generated_at: datetime
    model_version: int | None
    readers: int
    stale_after_minutes: int
    baseline: str | None = None  # of lists without a version


def compose(failure: Failure, lists: LiveLists | str | None, moment: datetime) -> Alert:
    """Return the alert about a failed run; `lists` are the live lists, None without any, a sentence if unknown."""
    guide = GUIDES.get(failure.dag_id, ANY_RUN)
    cause = CAUSES.get(failure.kind, guide)
    is_urgent = lists is not None and failure.run_type != "backfill"  # without lists no reader is affected
    severity: Severity = guide.severity if is_urgent else "ticket"
    fact = (
        summary(failure.findings)
        or failure.fact
        or "It ended without an error message: it was killed, or ran out of time or memory."
    )
    where = f"{failure.dag_id} failed" + (f" at {failure.task_id}" if failure.task_id else "")
    subject = shorten(f"[{severity}] {where}: {fact}", SUBJECT_LENGTH, placeholder=" …")
    links = {
        "Run": failure.run_url,
        "Log": failure.log_url,
        "Data Docs" if failure.findings else "Report": failure.report_url,
        "Runbook": f"{RUNBOOK}#{cause.section}",
    }
    done = SWITCH if failure.task_id in SWITCHES else guide.done
    as_of = f" (as of {failure.as_of.strftime(FORMAT)})" if failure.as_of else ""
    tries = f" Airflow tried {failure.tries} times." if failure.tries > 1 else ""
    parts = {
        "What broke": f"{where}, {failure.run_type} run {failure.run_id}{as_of}.\n{fact}"
        + (f"\nHint: {failure.hint}" if failure.hint else ""),
        "Checks that failed": "\n".join(tell_finding(finding) for finding in failure.findings[:MOST_FINDINGS])
        + (f"\n... and {more} more, in the Data Docs." if (more := len(failure.findings) - MOST_FINDINGS) > 0 else ""),
        "What readers see now": lists if isinstance(lists, str) else describe(lists, moment),
        "What was done": done + tries,
        "Next step": cause.next_step,
        "Links": "\n".join(f"{name}: {url}" for name, url in links.items() if url),
    }
    body = "\n\n".join(f"{title}\n{text}" for title, text in parts.items() if text)
    return Alert(f"{failure.dag_id}/{failure.run_id}", severity, subject, body + "\n")


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
    stale = age > timedelta(minutes=lists.stale_after_minutes)
    maker = f"baseline {lists.baseline}" if lists.baseline else f"champion v{lists.model_version}"
    told = (
        f"Lists of {lists.generated_at.strftime(FORMAT)}, {maker}, {in_words(age)} old"
        f"{', STALE' if stale else ''}, for {lists.readers:,} readers (batch {lists.batch_id})."
    )
    return f"{told} No model has been promoted yet." if lists.baseline else told
