"""The morning digest: one mail a day with last night's decision, lists, readers, rows, incidents and open questions.

Belongs here: what the digest says. It leaves through the outbox like every mail, once a day however often it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from include.adapters.warehouse import connect, query
from include.alerts.incidents import Incident, recent_incidents
from include.alerts.outbox import keep_alert
from include.alerts.wording import Alert
from include.core.clock import FORMAT, in_words
from include.core.run import Run
from include.operations.status import gather

DAY = timedelta(days=1)


def raise_digest(run: Run) -> bool:
    """Put the digest of the run's day into the outbox; return whether it was new."""
    settings, moment = run.settings, run.as_of
    status = gather(settings, {})
    with connect(settings) as warehouse:
        incidents = recent_incidents(warehouse, moment - DAY)
        reading = warehouse.execute(
            query("operations/health"), {"moment": moment, "hours": settings.monitor_window_hours}
        ).fetchall()
        rows = warehouse.execute(query("alerts/new_quarantined"), {"moment": moment, "days": 1}).fetchall()
        return keep_alert(warehouse, compose_digest(status, incidents, reading, rows, moment))


def compose_digest(
    status: Mapping[str, Any],
    incidents: Sequence[Incident],
    reading: Sequence[tuple[datetime, int, int, float]],
    quarantined: Sequence[tuple[str, int, int]],
    moment: datetime,
) -> Alert:
    """Return the digest; `reading` is that of the newest window and of the same window a week before."""
    parts = {
        "Last night": _tell_night(status["verdict"], moment),
        "Lists": _tell_lists(status, moment),
        "Readers": _tell_reading(reading),
        "Quarantined rows": "\n".join(f"{table}: {rows:,} new within a day" for table, _, rows in sorted(quarantined)),
        "Incidents": "\n".join(one.tell(moment) for one in incidents) or "None was open within a day.",
        "Waits for a person": _tell_waiting(status),
        "Links": "\n".join(f"{name.capitalize()}: {url}" for name, url in status["links"].items() if name != "mails"),
    }
    waiting = sum(one.closed_at is None for one in incidents)
    about = f"{waiting} incident{'s' if waiting != 1 else ''} open"
    subject = f"[digest] {moment:%Y-%m-%d}: {_tell_decision(status['verdict'], moment)}, {about}"
    body = "\n\n".join(f"{title}\n{text}" for title, text in parts.items() if text) + "\n"
    return Alert(f"digest/{moment:%Y-%m-%d}", "digest", subject, body)


def _is_new(verdict: Mapping[str, Any] | None, moment: datetime) -> bool:
    return verdict is not None and moment - verdict["judged_at"] < DAY


def _tell_decision(verdict: Mapping[str, Any] | None, moment: datetime) -> str:
    if verdict is None or not _is_new(verdict, moment):
        return "no verdict last night"
    version, decision = f"v{verdict['challenger_version']}", verdict["decision"]
    return {"promote": f"{version} won", "keep": f"{version} lost"}.get(decision, f"a question on {version}")


def _tell_night(verdict: Mapping[str, Any] | None, moment: datetime) -> str:
    if verdict is None:
        return "No challenger was judged yet."
    if _is_new(verdict, moment):
        return str(verdict["sentence"])
    at = verdict["judged_at"].strftime(FORMAT)
    return f"No challenger was judged within a day. The last verdict, of {at}: {verdict['sentence']}"


def _tell_lists(status: Mapping[str, Any], moment: datetime) -> str:
    lists, champion = status["lists"], status["champion"]
    if lists is None:
        return "None are live yet."
    maker = f"baseline {lists['baseline']}" if lists["baseline"] else f"v{lists['model_version']}"
    age = in_words(max(moment - lists["generated_at"], timedelta()))
    stale = ", STALE" if lists["is_stale"] else ""
    since = f" Champion v{champion['version']} since {champion['promoted_at'].strftime(FORMAT)}." if champion else ""
    full = f"{lists['readers_with_ten']:,} of {lists['readers']:,} readers have {lists['list_length']}"
    return f"By {maker}, {age} old{stale}; {full}.{since}"


def _tell_reading(reading: Sequence[tuple[datetime, int, int, float]]) -> str:
    """Return what readers did with the lists, beside the week before."""
    shown = [(end, impressions, reads, seconds) for end, impressions, reads, seconds in reading if impressions]
    if not shown:
        return "No reading of the lists was measured."
    told = [
        f"{impressions:,} articles shown, {reads:,} read ({100 * reads / impressions:.1f} %), "
        f"{seconds / impressions:.1f} s per article shown"
        for _, impressions, reads, seconds in shown
    ]
    before = f"\nA week before: {told[1]}." if len(told) > 1 else ""
    return f"Until {shown[0][0].strftime(FORMAT)}: {told[0]}.{before}"


def _tell_waiting(status: Mapping[str, Any]) -> str:
    questions = [f"Verdict {name} needs an answer: `bin/daybreak approve`." for name in status["questions"]]
    return "\n".join([*questions, *status["holds"]]) or "Nothing."
