"""The outbox: every alert is first a row in `ops.alerts` and then a mail.

So a mail server that is down loses no alert and fails no run. An alert has a key: however often it is raised, it is one
row and one mail. Does not belong here: which alert is due (`incidents.py`) and its text (`wording.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from include.adapters.warehouse import Connection, connect, query
from include.alerts.wording import Alert, Trouble
from include.core.clock import now
from include.core.errors import ServiceError
from include.core.settings import Settings

ANSWER_WAITS = timedelta(hours=6)  # for a first mail of its thread that the mail server refuses
MASKED_LENGTH = 8  # a shorter secret may occur as a word in any text

Send = Callable[[Alert], None]  # raises ServiceError if the mail server does not accept it

log = logging.getLogger(__name__)


def raise_alert(
    settings: Settings, alert: Alert, *, raised_at: datetime | None = None, sent_at: datetime | None = None
) -> bool:
    """Add an alert to the outbox unless it is known; return whether it was new."""
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
    sent = 0
    while deliver_next(settings, send):
        sent += 1
    with connect(settings) as warehouse:
        (waiting,) = warehouse.execute(query("alerts/waiting")).fetchone() or (0,)
    return sent, waiting


def deliver_next(settings: Settings, send: Send) -> bool:
    """Mail the next waiting alert; return whether one was mailed."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("alerts/next_pending"), {"waits_since": now() - ANSWER_WAITS}).fetchone()
        if row is None:
            return False
        alert_id, *content = row
        try:
            send(Alert(*content))
        except ServiceError as error:
            log.warning("The alert is kept and sent again within the hour. %s", error)
            warehouse.execute(query("alerts/not_sent"), {"alert_id": alert_id, "error": error.fact})
            return False
        warehouse.execute(query("alerts/sent"), {"alert_id": alert_id})
        return True


def printable(settings: Settings, trouble: Trouble) -> Trouble:
    """Return the trouble without this installation's secrets and without characters that a database or mail refuses."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: clean(part) for name, part in value.items()}
        if not isinstance(value, str):
            return value
        for secret in settings.secrets():
            if len(secret) >= MASKED_LENGTH:
                value = value.replace(secret, "***")
        return value.replace("\x00", "").encode("utf-8", "replace").decode()

    return Trouble(**clean(asdict(trouble)))
