"""The outbox: every alert is first a row in `ops.alerts` and then a mail.

So a mail server that is down loses no alert and fails no run. Each incident has one row and one mail; the first report
wins. When the warehouse cannot be written, the alert is mailed at once and kept as a file in the state folder; the next
delivery moves it into the outbox. Does not belong here: the text of an alert (`wording.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from include.adapters.warehouse import Connection, connect, query
from include.alerts.wording import Alert, Failure, LiveLists, compose
from include.core.clock import now
from include.core.errors import ServiceError
from include.core.settings import Settings
from include.data.store import digest_of

MASKED_LENGTH = 8  # a shorter secret may occur as a word in any text

Send = Callable[[Alert], None]  # raises ServiceError if the mail server does not accept it

log = logging.getLogger(__name__)


def report(settings: Settings, failure: Failure, send: Send) -> bool:
    """Mail a new failure, or keep it for the next delivery; return whether it was new."""
    try:
        bring_home(settings)
        alert = printable(settings, compose(failure, live_lists(settings), now()))
        is_news = raise_alert(settings, alert)
    except Exception as error:  # no error of the warehouse may lose the alert
        log.warning("The alert is mailed without the warehouse: %s", error)
        unknown = "Unknown: the warehouse does not answer, so lists cannot be read from it."
        return report_without_warehouse(settings, printable(settings, compose(failure, unknown, now())), send)
    deliver_pending(settings, send)
    return is_news


def live_lists(settings: Settings) -> LiveLists | None:
    """Return the lists that readers see now; None before the first publication."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("alerts/readers_now")).fetchone()
    return LiveLists(*row) if row else None


def raise_alert(
    settings: Settings, alert: Alert, *, raised_at: datetime | None = None, sent_at: datetime | None = None
) -> bool:
    """Add an incident to the outbox unless it is known; return whether it was new."""
    with connect(settings) as warehouse:
        return keep_alert(warehouse, alert, raised_at=raised_at, sent_at=sent_at)


def keep_alert(
    warehouse: Connection, alert: Alert, *, raised_at: datetime | None = None, sent_at: datetime | None = None
) -> bool:
    """Do the same in the caller's transaction, for an alert about a change in it."""
    times = {"raised_at": raised_at or now(), "sent_at": sent_at}
    return warehouse.execute(query("alerts/raise"), asdict(alert) | times).rowcount == 1


def deliver_pending(settings: Settings, send: Send) -> tuple[int, int]:
    """Mail the waiting alerts; return how many were mailed and how many still wait.

    A row is locked while it is mailed, so two concurrent deliveries mail different rows. It is marked in the same
    transaction: a crash in between mails it twice rather than never. If the server refuses a mail, the delivery ends.
    """
    bring_home(settings)
    sent = 0
    while deliver_next(settings, send):
        sent += 1
    with connect(settings) as warehouse:
        (waiting,) = warehouse.execute(query("alerts/waiting")).fetchone() or (0,)
    return sent, waiting


def deliver_next(settings: Settings, send: Send) -> bool:
    """Mail the next waiting alert; return whether one was mailed."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("alerts/next_pending")).fetchone()
        if row is None:
            return False
        alert_id, *content = row
        try:
            send(Alert(*content))
        except ServiceError as error:
            log.warning("%s", error)
            warehouse.execute(query("alerts/not_sent"), {"alert_id": alert_id, "error": error.fact})
            return False
        warehouse.execute(query("alerts/sent"), {"alert_id": alert_id})
        return True


def report_without_warehouse(settings: Settings, alert: Alert, send: Send) -> bool:
    """Mail the alert and keep it in a file named after the incident, so that only the first report is mailed."""
    file = waiting_room(settings) / f"{digest_of(alert.incident)}.json"
    content = {"alert": asdict(alert), "raised_at": now().isoformat(), "sent_at": None}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x") as new:
            json.dump(content, new)
    except FileExistsError:
        return False
    except OSError as error:  # a full disk must not keep the mail from going out
        log.warning("The alert cannot be kept as a file: %s", error)
    try:
        send(alert)
    except ServiceError as error:
        log.warning("%s", error)
        return True
    if file.exists():
        file.write_text(json.dumps(content | {"sent_at": now().isoformat()}))
    return True


def bring_home(settings: Settings) -> None:
    """Move alerts kept as files into the outbox, marked as mailed if they were."""
    for file in sorted(waiting_room(settings).glob("*.json")):
        try:
            content = json.loads(file.read_text())
            alert = Alert(**content["alert"])
        except FileNotFoundError:  # another delivery was faster
            continue
        except (ValueError, TypeError, KeyError):  # cut short by a full disk
            log.warning("%s cannot be read and is renamed to .damaged.", file)
            file.rename(file.with_suffix(".damaged"))
            continue
        times = {
            key: datetime.fromisoformat(content[key]) if content[key] else None for key in ("raised_at", "sent_at")
        }
        raise_alert(settings, alert, **times)
        file.unlink(missing_ok=True)


def waiting_room(settings: Settings) -> Path:
    """Return the folder where alerts wait while the warehouse is down."""
    return settings.home / "alerts"


def printable(settings: Settings, alert: Alert) -> Alert:
    """Return the alert without this installation's secrets and without characters that a database or mail refuses."""

    def clean(text: str) -> str:
        for secret in settings.secrets():
            if len(secret) >= MASKED_LENGTH:
                text = text.replace(secret, "***")
        return text.replace("\x00", "").encode("utf-8", "replace").decode()

    return replace(alert, subject=clean(alert.subject), body=clean(alert.body))
