"""The morning digest: one mail a day with last night's decision, lists, readers, rows, incidents and open questions.

Belongs here: what the digest says. It leaves through the outbox like every mail, once a day however often it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from include.adapters.warehouse import connect, query
from include.alerts.incidents import Incident, recent_incidents
from include.alerts.outbox import keep_alert, names_of_channels, tell_undelivered
from include.alerts.wording import Alert
from include.core.clock import FORMAT, in_words
from include.core.numbers import write_count, write_number
from include.core.run import Run
from include.operations.status import gather, tell_full_lists, tell_maker

DAY = timedelta(days=1)
LINKS = {"mlflow": "MLflow"}


def raise_digest(run: Run) -> bool:
    """Put the digest of the run's day into the outbox; return whether it was new.

    Before the first lists and the first verdict there is nothing to tell.
    """
    settings, status = run.settings, gather(run.settings, {})
    if not (status["lists"] or status["verdict"] or status.get("trouble")):
        return False
    moment = status["moment"]
    with connect(settings) as warehouse:
        incidents = recent_incidents(warehouse, moment - DAY)
        reading = warehouse.execute(
            query("operations/health"), {"moment": moment, "hours": settings.monitor_window_hours}
        ).fetchall()
        rows = warehouse.execute(query("alerts/new_quarantined"), {"moment": moment, "days": 1}).fetchall()
        undelivered = tell_undelivered(warehouse, names_of_channels(settings), moment - DAY)
        digest = compose_digest(status, incidents, reading, rows, run.as_of.date(), undelivered)
        return keep_alert(settings, warehouse, digest)


def compose_digest(
    status: Mapping[str, Any],
    incidents: Sequence[Incident],
    reading: Sequence[tuple[datetime, int, int, float]],
    quarantined: Sequence[tuple[str, int, int]],
    day: date,
    undelivered: Sequence[str] = (),
) -> Alert:
    """Return a day's digest; `reading` is that of the newest window and of the same window a week before."""
    moment = status["moment"]
    parts = {
        "Trouble": status.get("trouble"),
        "Last night": _tell_night(status, moment),
        "Lists": _tell_lists(status, moment),
        "Readers": _tell_reading(reading),
        "Quarantined rows": "\n".join(f"{table}: {rows:,} new within a day" for table, _, rows in sorted(quarantined)),
        "Incidents": "\n".join(one.tell(moment) for one in incidents) or "None was open within a day.",
        "Alerts not delivered": "\n".join(undelivered),
        "Waits for a person": _tell_waiting(status),
        "Links": "\n".join(
            f"{LINKS.get(name, name.capitalize())}: {url}" for name, url in status["links"].items() if name != "mails"
        ),
    }
    waiting = sum(one.closed_at is None for one in incidents)
    about = f"{write_count(waiting, 'incident')} open"
    subject = f"[digest] {day}: {_tell_decision(status, moment)}, {about}"
    body = "\n\n".join(f"{title}\n{text}" for title, text in parts.items() if text) + "\n"
    return Alert(f"digest/{day}", "digest", subject, body)


def _is_new(verdict: Mapping[str, Any] | None, moment: datetime) -> bool:
    return verdict is not None and moment - verdict["judged_at"] < DAY


def _find_training(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((run for run in status["running"] if run["name"] == "retrain"), None)


def _tell_decision(status: Mapping[str, Any], moment: datetime) -> str:
    verdict = status["verdict"]
    if verdict is None or not _is_new(verdict, moment):
        return "retrain is still running" if _find_training(status) else "no verdict last night"
    version, decision = f"v{verdict['challenger_version']}", verdict["decision"]
    return {"promote": f"{version} won", "keep": f"{version} lost"}.get(decision, f"a question on {version}")


def _tell_night(status: Mapping[str, Any], moment: datetime) -> str:
    verdict, training = status["verdict"], _find_training(status)
    if verdict and _is_new(verdict, moment):
        return str(verdict["sentence"])
    told = f"retrain has been running since {training['started_at'].strftime(FORMAT)}." if training else ""
    if verdict is None:
        return told or "No challenger was judged yet."
    at = verdict["judged_at"].strftime(FORMAT)
    told = told or "No challenger was judged within a day."
    return f"{told} The last verdict, of {at}: {verdict['sentence']}"


def _tell_lists(status: Mapping[str, Any], moment: datetime) -> str:
    lists, champion = status["lists"], status["champion"]
    if lists is None:
        return "None are live yet."
    age = in_words(max(moment - lists["generated_at"], timedelta()))
    stale = ", STALE" if lists["is_stale"] else ""
    since = f" Champion v{champion['version']} since {champion['promoted_at'].strftime(FORMAT)}." if champion else ""
    return f"By {tell_maker(lists)}, {age} old{stale}; {tell_full_lists(lists)}.{since}"


def _tell_reading(reading: Sequence[tuple[datetime, int, int, float]]) -> str:
    """Return what readers did with the lists, beside the week before."""
    shown = [(end, impressions, reads, seconds) for end, impressions, reads, seconds in reading if impressions]
    if not shown:
        return "No reading of the lists was measured."
    told = [
        f"{impressions:,} articles shown, {reads:,} read ({write_number(reads / impressions, 'share')}), "
        f"{seconds / impressions:.1f} s per article shown"
        for _, impressions, reads, seconds in shown
    ]
    before = f"\nA week before: {told[1]}." if len(told) > 1 else ""
    return f"Until {shown[0][0].strftime(FORMAT)}: {told[0]}.{before}"


def _tell_waiting(status: Mapping[str, Any]) -> str:
    questions = [f"Verdict {name} needs an answer: `bin/daybreak approve`." for name in status["questions"]]
    return "\n".join([*questions, *status["holds"]]) or "Nothing."
