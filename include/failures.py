"""What the failure of a run means, in words a person woken at night can use. Pure: facts in, a mail's text out.

Belongs here: what each DAG's failure leaves untouched, how urgent it is, what to do next and which section of
`docs/runbook.md` says more. Does not belong here: how the text reaches on-call (`alerts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Literal

from include.errors import Finding

Severity = Literal["page", "ticket", "digest"]
SUBJECT_LENGTH = 150
MOST_FINDINGS = 12
RUNBOOK = "docs/runbook.md"
FORMAT = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True)
class Alert:
    """One incident, as it is stored and mailed."""

    incident: str
    severity: Severity
    subject: str
    body: str


@dataclass(frozen=True)
class Failure:
    """What is known about a failed run; a run that was killed knows little."""

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
    findings: tuple[Finding, ...] = ()  # of a validation that failed: each check that stopped it


@dataclass(frozen=True)
class LiveLists:
    """The lists readers are shown at this moment."""

    batch_id: str
    generated_at: datetime
    model_version: int
    readers: int
    stale_after_minutes: int


@dataclass(frozen=True)
class Guide:
    """What a failure of one DAG means: how urgent, what stayed as it was, what to do, where to read more."""

    severity: Severity
    done: str
    next_step: str
    section: str


AGAIN = "Then clear the failed task in Airflow (Grid, the red square, Clear): the run goes on from there."
GUIDES = {
    "retrain": Guide(
        "page",
        "Nothing was promoted: the champion stays, and the lists are refreshed with it every hour.",
        f"Read the error above and remove its cause. {AGAIN}",
        "retrain-failed",
    ),
    "recommend": Guide(
        "page",
        "Nothing was published: the last good lists stay live. The next hourly run tries again.",
        f"Read the error above and remove its cause before the lists grow stale. {AGAIN}",
        "recommend-failed",
    ),
    "monitor": Guide(
        "ticket",
        "Champion and lists are not touched by this. The next hourly run looks again.",
        f"Until it works, drift goes unseen. Read the error above and remove its cause. {AGAIN}",
        "monitor-failed",
    ),
    "maintain": Guide(
        "ticket",
        "Champion and lists are not touched by this. Nothing that a run needs was removed.",
        f"Watch the free space until it works. {AGAIN}",
        "maintain-failed",
    ),
    "replay_quarantine": Guide(
        "ticket",
        "Nothing came back: the rows stay set aside, snapshots and champion are as they were.",
        "Read the error above and remove its cause, then trigger `replay_quarantine` again.",
        "replay-failed",
    ),
    "approve": Guide(
        "ticket",
        "The champion stays until somebody decides.",
        "Answer with `bin/daybreak approve` (with --keep to say no), or clear the failed task.",
        "approve-failed",
    ),
    "rollback": Guide(
        "page",
        "Nothing was changed: champion and lists are as they were.",
        f"Read the error above: it names the version that could not be used; name another in the form. {AGAIN}",
        "rollback-failed",
    ),
    "newsroom": Guide(
        "ticket",
        "The demo publisher stands still; the next run plays on from where it stopped.",
        "Nothing, if the next run is green: this is the demo, not a publisher.",
        "newsroom-failed",
    ),
}
ANY_RUN = Guide("page", "Nothing that we know of.", f"Read the log and remove the cause. {AGAIN}", "run-failed")


@dataclass(frozen=True)
class Cause:
    """What to do about one kind of error, whichever DAG met it."""

    next_step: str
    section: str


# By the error's class. A cause knows better than its DAG what to do next.
CAUSES = {
    "ValidationBlocked": Cause(
        "Open the report: it names the check, the share of bad rows and examples. Have the rows corrected at their "
        "source, then clear the task `extract` with everything after it, so that the corrected rows are read; or bring "
        "them into this very snapshot with `replay_quarantine`.",
        "validation-blocked",
    ),
    "SourceLate": Cause(
        "Ask the publisher when the rest comes. Once it is there, clear the task `wait_for_data`: the run goes on from "
        "there. To train on what is there, trigger `retrain` with this as_of and wait_minutes 0.",
        "data-awaited",
    ),
    "SourceError": Cause(
        "Correct the view or the data that the error names, then clear the task `extract` with everything after it.",
        "source-unusable",
    ),
    "ServiceError": Cause(
        f"See with `bin/daybreak status` which service is down, read `bin/daybreak logs NAME`, bring it up. {AGAIN}",
        "service-down",
    ),
    "AuditFailed": Cause(
        "The report says which check refused the batch. The next hourly run makes a new one; if that is refused too, "
        "look at the newest articles and at the champion.",
        "audit-failed",
    ),
    "ArtifactDamaged": Cause(
        "Clear the task that makes the artifact which the error names, with everything after it: it is made again.",
        "artifact-damaged",
    ),
    "StateFolderError": Cause(f"Make room, or make the state folder writable. {AGAIN}", "state-folder-unusable"),
    "SettingsError": Cause(
        "If the form was wrong, trigger a new run with a right one. If a setting was, correct it and restart the "
        "services.",
        "setting-wrong",
    ),
    "AirflowTaskTimeout": Cause(
        f"Compare the task's duration with earlier runs, and see whether the machine is busy. {AGAIN}",
        "too-slow",
    ),
    "": Cause(
        f"Read the end of the log, then look whether the machine ran out of memory (`dmesg`) or was restarted. {AGAIN}",
        "task-killed",
    ),
}

# The tasks that change what is live. One that fails may have done its work just before.
SWITCHES = {"promote", "publish"}
SWITCH = (
    "The switch is one transaction: it happened whole or not at all, and `bin/daybreak status` shows which. "
    "Clearing the task is safe either way."
)


def compose(failure: Failure, lists: LiveLists | str | None, moment: datetime) -> Alert:
    """The alert about a failed run. `lists` is what readers see, None if nothing, a sentence if it is unknown."""
    guide = GUIDES.get(failure.dag_id, ANY_RUN)
    cause = CAUSES.get(failure.kind, guide)
    severity: Severity = "ticket" if failure.run_type == "backfill" else guide.severity
    fact = (
        summary(failure.findings)
        or failure.fact
        or "It ended without an error message: killed by the system, or out of time or memory."
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
    """The checks that stopped a run, in one line: table, check and count of the first, and how many more."""
    if not findings:
        return ""
    first, more = findings[0], len(findings) - 1
    rows = f" ({first.count:,} rows)" if first.count else ""
    others = f", and {more} more check{'s' if more > 1 else ''}" if more else ""
    return f"{first.table} breaks {first.code} {first.title}{rows}{others}."


def tell_finding(finding: Finding) -> str:
    """One check that stopped a run: table, check, how many rows, up to three keys, the sentence with the numbers."""
    rows = f": {finding.count:,} rows" if finding.count else ""
    keys = ", ".join(key or "(without key)" for key in finding.examples)
    example = f", for example {keys}" if keys else ""
    return f"- {finding.table}, {finding.code} {finding.title}{rows}{example}. {finding.sentence}"


def describe(lists: LiveLists | None, moment: datetime) -> str:
    """One sentence on what readers see: whose lists, of when, how old."""
    if lists is None:
        return "No lists: none have been published yet."
    age = moment - lists.generated_at
    stale = age > timedelta(minutes=lists.stale_after_minutes)
    return (
        f"Lists of {lists.generated_at.strftime(FORMAT)}, champion v{lists.model_version}, {in_words(age)} old"
        f"{', STALE' if stale else ''}, for {lists.readers:,} readers (batch {lists.batch_id})."
    )


def in_words(age: timedelta) -> str:
    """An age as a person says it: 40 min, 3 h, 2 days."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
