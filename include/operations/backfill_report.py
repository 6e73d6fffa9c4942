"""The report at the end of a backfill: a page, one mail for a backfill in Airflow, and a line among the runs.

The sentinel notices the end, because it looks every minute and is no task: a killed run or scheduler loses no report.
A backfill is reported once: days that are cleared later change the answer of `backfill report`, not the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from textwrap import shorten
from typing import Literal

from include.adapters.warehouse import connect, query
from include.alerts.outbox import raise_alert
from include.alerts.wording import SUBJECT_LENGTH, Alert
from include.core.about import find_links, link_run
from include.core.clock import in_words
from include.core.errors import FormRefused
from include.core.html import Figure, Link, Value, figures, page, save, table
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.operations.backfills import CANCELLED, FAILED, GOING_ON, MISSING, OF_COMMANDS, Backfill, Day, find_backfill
from include.operations.runs import ask_airflow
from include.pipeline.decide import LAST_STAGES, REACHES, refuse_unconfirmed
from include.pipeline.run import recorded

REPORTED_WITHIN = timedelta(days=7)  # after its end; an installation that slept longer has the report on demand
MOST_DAYS_IN_MAIL = 31
REPEATED = ("mode", "confirm", "model", "window_days")  # of the command's form, in the command that mends
MINUTE = "%Y-%m-%d %H:%M"
ADDS = {"recommend": "It fills in batches that readers do not see.", "monitor": "It fills in the history of windows."}


def report_ended(settings: Settings, moment: datetime) -> None:
    """Report every backfill in Airflow that has ended and was not reported yet; raise the first failure at the end."""
    ended = ask_airflow(settings, query("operations/ended_backfills"), {"since": moment - REPORTED_WITHIN})
    names = {f"{OF_COMMANDS}{row['id']}": str(row["id"]) for row in ended}
    with connect(settings) as warehouse:
        told = warehouse.execute(query("operations/reported_backfills"), {"run_ids": list(names)}).fetchall()
    failures = []
    for name in [name for run_id, name in names.items() if (run_id,) not in told]:
        try:
            report(settings, find_backfill(settings, name, moment))
        except Exception as error:  # the others are reported all the same
            failures.append(error)
    if failures:
        raise failures[0]


def report(settings: Settings, found: Backfill) -> Reference:
    """Report a backfill as a run of its own."""
    as_of = max(day.as_of for day in found.days)
    reason, run_id = str(found.form.get("reason") or ""), f"{OF_COMMANDS}{found.backfill_id}"
    run = Run(settings, run_id, as_of, found.actor, reason, found.mode, "backfill", found.form, may_go_live=False)
    return report_backfill(run, found)


@recorded
def report_backfill(run: Run, found: Backfill) -> Reference:
    """Save the page, and mail it once if the backfill was one of Airflow."""
    path = f"backfills/{found.backfill_id}.html"
    save(run.settings.home / "reports" / path, render_page(run.settings, found))
    if found.is_of_airflow and not _find_refusal(found):  # whoever filled in the form sees it; on-call need not know
        raise_alert(run.settings, compose(run.settings, found, path))
    facts = {"sentence": conclude(found), "report": path}
    return Reference("backfill", found.backfill_id, path, run.as_of, digest_of(facts), (), facts)


def conclude(found: Backfill) -> str:
    """Return what became of the backfill, in a sentence or two."""
    if refusal := _find_refusal(found):
        return f"Nothing was done: {refusal}"
    return " ".join((f"{tell_state(found)}.", *_tell_effects(found)))


def _find_refusal(found: Backfill) -> str:
    """Return why every run was refused for the form; empty if none was."""
    try:
        if found.dag_id == "retrain":
            refuse_unconfirmed(found.form.get("mode"), found.form.get("confirm"))
    except FormRefused as refused:
        return refused.fact
    return ""


def tell_state(found: Backfill) -> str:
    """Return how many of its days are done or failed, without a full stop."""
    count, broken, going = len(found.days), found.of_state(FAILED, MISSING), found.of_state(*GOING_ON)
    cancelled = found.of_state(CANCELLED)
    what = "day" if found.dag_id == "retrain" else "run"
    of_all = f"of {write_count(count, what)}"
    done = f"{count - len(broken) - len(going) - len(cancelled):,} {of_all} done"
    if count == 1 and (going or cancelled):
        return f"The {what} {'has not ended' if going else 'was cancelled'}"
    if going:
        verb = "has" if len(going) == 1 else "have"
        rest = f"{write_count(len(going), what)} {verb} not ended" if found.ended_at else "the backfill goes on"
        return f"{done}, {len(broken):,} failed; {rest}"
    if cancelled:
        return f"{done}, {len(broken):,} failed, {len(cancelled):,} cancelled"
    if broken:
        if count == 1:
            return f"The {what} {'has no run' if found.of_state(MISSING) else 'failed'}"
        return f"{len(broken):,} {of_all} failed{' or have no run' if found.of_state(MISSING) else ''}"
    if count > 1:
        return f"{'Both' if count == 2 else f'All {count:,}'} {what}s are done"
    return f"The {what} is done"


def _tell_effects(found: Backfill) -> Iterator[str]:
    """Yield what was changed and what would have been."""
    if found.dag_id != "retrain":
        live = sum(day.is_changed for day in found.days)
        yield f"{live:,} of its batches went live." if live else ADDS.get(found.dag_id, "")
        return
    judged = [day for day in found.days if day.decision]
    promoted = [day.version for day in judged if day.is_changed]
    if promoted:
        yield f"{_list(promoted)} became champion."
    if found.mode in LAST_STAGES and found.of_state("success"):
        yield LAST_STAGES[found.mode][1]
    elif rest := [day for day in judged if not day.is_changed]:
        won = [day.version for day in rest if day.decision == "promote"]
        asked = [day.version for day in rest if day.decision == "ask"]
        yield _tell_rest(len(rest), won, asked, rest[0].version, "other " if promoted else "")


def _tell_rest(count: int, won: Sequence[str], asked: Sequence[str], first: str, other: str) -> str:
    """Return what would have become of the challengers that changed nothing."""
    would = [f"{_list(won)} would have become champion"] if won else []
    would += [f"{_list(asked)} would have needed a decision"] if asked else []
    if count == 1:
        return f"{would[0] if would else f'{first} would not have become champion'}."
    return f"Of {count:,} {other}challengers, {' and '.join(would) or 'none would have become champion'}."


def _list(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def tell_mending(found: Backfill) -> str:
    """Return the command that does the failed and missing days again; empty if there are none."""
    broken = found.of_state(FAILED, MISSING)
    if not broken or _find_refusal(found):
        return ""
    if found.is_of_airflow:
        return f"bin/daybreak backfill again {found.backfill_id}"
    days = f"--from {broken[0].as_of:%Y-%m-%dT%H:%M} --to {broken[-1].as_of:%Y-%m-%dT%H:%M}"
    form = found.mending_form
    options = [f"--{name.replace('_', '-')} {form[name]}" for name in REPEATED if form.get(name)]
    flags = [f"--{name.replace('_', '-')}" for name in ("train_once", "chained") if form.get(name)]
    return " ".join(["bin/daybreak backfill", days, *options, *flags])


def render_page(settings: Settings, found: Backfill) -> str:
    """Return the page: what became of it, what to mend, and a row per day."""
    broken = found.of_state(FAILED, MISSING)
    sections = [("In figures", figures(_count(found)))]
    if tell_mending(found):
        told = f"<p>Remove the cause, then do these days again: <code>{escape(tell_mending(found))}</code></p>"
        rows = [(_link_day(settings, day), day.outcome) for day in broken]
        sections.append(("To mend", told + table(("As of (UTC)", "What happened"), rows)))
    sections.append(("Day by day" if found.dag_id == "retrain" else "Run by run", _draw_days(settings, found)))
    return page(
        f"Backfill {found.backfill_id} of {found.dag_id}",
        conclude(found),
        sections,
        tone="ask" if broken else "good",
        facts=_describe(found),
        links=find_links(settings, {}),
    )


def _count(found: Backfill) -> Iterator[tuple[str, str]]:
    read = sum(day.read or 0 for day in found.days)
    done = len(found.days) - len(found.of_state(FAILED, MISSING, CANCELLED, *GOING_ON))
    yield f"{done:,} of {len(found.days):,}", "days done" if found.dag_id == "retrain" else "runs done"
    yield f"{read:,}", "rows read; a row is counted in every window that has it"
    yield f"{sum(day.quarantined or 0 for day in found.days):,}", "rows quarantined"
    if found.dag_id == "retrain":
        yield f"{sum(bool(day.version) for day in found.days):,}", "versions trained"


def _describe(found: Backfill) -> Iterator[tuple[str, Value]]:
    yield "From", f"{found.days[0].as_of:{MINUTE}} UTC"
    yield "To", f"{found.days[-1].as_of:{MINUTE}} UTC"
    yield "Mode", REACHES.get(found.mode, "")  # type: ignore[call-overload]
    yield "Started by", found.actor
    yield "Started", f"{found.started_at:{MINUTE}} UTC" if found.started_at else ""
    yield "Took", in_words(found.ended_at - found.started_at) if found.ended_at and found.started_at else ""
    yield "Reason", str(found.form.get("reason") or "")
    yield "Training", "once, on the last day" if found.form.get("train_once") else ""
    yield "Chained", "each day met the version that won the day before" if found.form.get("chained") else ""


def _draw_days(settings: Settings, found: Backfill) -> str:
    is_judged = found.dag_id == "retrain"
    of_verdict = ("Trained", "Judged against", "Would change") if is_judged else ()
    rows = [
        (
            _link_day(settings, day),
            *_counts(day),
            *((day.version, _link_verdict(settings, day), day.change) if is_judged else ()),
            day.outcome,
        )
        for day in found.days
    ]
    return table(("As of (UTC)", "Rows read", "Quarantined", *of_verdict, "Outcome"), rows)


def _counts(day: Day) -> tuple[Figure | str, ...]:
    return tuple("" if count is None else Figure(f"{count:,}") for count in (day.read, day.quarantined))


def _link_day(settings: Settings, day: Day) -> Value:
    moment = f"{day.as_of:{MINUTE}}".replace("-", "\u2011").replace(" ", "\u00a0")  # on one line
    return Link(moment, link_run(settings, day.run_id).address) if day.run_id else moment


def _link_verdict(settings: Settings, day: Day) -> Value:
    is_there = day.report and (settings.home / "reports" / day.report).exists()
    return Link(day.rival, settings.report_link(day.report)) if is_there else day.rival


def compose(settings: Settings, found: Backfill, path: str) -> Alert:
    """Return the mail: a ticket if days are to be mended, else for the record."""
    mending = tell_mending(found)
    severity: Literal["ticket", "digest"] = "ticket" if mending else "digest"
    days = " to ".join(dict.fromkeys(f"{day.as_of:%Y-%m-%d}" for day in (found.days[0], found.days[-1])))
    subject = f"[{severity}] Backfill of {found.dag_id}, {days}: {tell_state(found)}"
    lines = [_tell_day(day) for day in found.days[:MOST_DAYS_IN_MAIL]]
    if more := len(found.days) - len(lines):
        lines.append(f"and {more:,} more, in the report")
    parts = {
        "What happened": conclude(found),
        "Days" if found.dag_id == "retrain" else "Runs": "\n".join(lines),
        "Next step": f"Remove the cause, then run `{mending}`." if mending else "",
        "Links": f"Report: {settings.report_link(path)}\n"
        f"Runs: {settings.airflow_url}/dags/{found.dag_id}/backfills\n"
        f"Runbook: {settings.runbook_link('backfill-ended')}",
    }
    body = "\n\n".join(f"{title}\n{text}" for title, text in parts.items() if text) + "\n"
    name = f"backfill/{found.backfill_id}"
    return Alert(name, severity, shorten(subject, SUBJECT_LENGTH, placeholder=" …"), body)


def _tell_day(day: Day) -> str:
    counts = "" if day.read is None else f" {day.read:,} rows read"
    aside = f", {day.quarantined:,} quarantined" if day.quarantined is not None else ""
    return f"{day.as_of:{MINUTE}} UTC:{counts}{aside}{'.' if counts else ''} {day.outcome}"
