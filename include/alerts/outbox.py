"""The outbox: every alert is first a row in `ops.alerts`, then a delivery to each channel.

So a mail server that is down loses no alert, fails no run and holds up no other channel. An alert has a key: however
often it is raised, it is one row, and one delivery to each channel. Does not belong here: which alert is due
(`incidents.py`), its text (`wording.py`) and the channels themselves (`channels.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from include.adapters.warehouse import Connection, connect, query
from include.alerts.incidents import Incident, open_incidents
from include.alerts.wording import Alert, Trouble
from include.core.clock import FORMAT, now
from include.core.errors import DaybreakError
from include.core.settings import Settings

ANSWER_WAITS = timedelta(hours=6)  # for a first mail of its thread that the mail server refuses
RECIPIENT_WAITS = timedelta(days=3)  # after a mail server's "later" of one recipient, or a webhook's refusal
MASKED_LENGTH = 8  # a shorter secret may occur as a word in any text

Refused = Mapping[str, str]  # recipient or address -> the answer; one that begins with 4 is asked again for a while
Send = Callable[[Alert], Refused | None]  # raises ServiceError if the receiver does not accept it


@dataclass(frozen=True)
class Channel:
    """A way to on-call: `send` delivers one alert; one that can `follow` is kept in step with the open incidents."""

    send: Send
    follow: Callable[[Callable[[], Sequence[Incident]]], None] | None = None


Channels = Mapping[str, Channel]

log = logging.getLogger(__name__)


def names_of_outbox(settings: Settings) -> list[str]:
    """Return the channels that get every alert."""
    return ["mail", *(["webhook"] if settings.webhook_url else [])]


def names_of_channels(settings: Settings) -> list[str]:
    """Return all channels that are set."""
    return [*names_of_outbox(settings), *(["alertmanager"] if settings.alertmanager_url else [])]


def raise_alert(
    settings: Settings, alert: Alert, *, raised_at: datetime | None = None, sent: Mapping[str, datetime] | None = None
) -> bool:
    """Add an alert to the outbox unless it is known; return whether it was new."""
    with connect(settings) as warehouse:
        return keep_alert(settings, warehouse, alert, raised_at=raised_at, sent=sent)


def keep_alert(
    settings: Settings,
    warehouse: Connection,
    alert: Alert,
    *,
    raised_at: datetime | None = None,
    sent: Mapping[str, datetime] | None = None,
    refused: Mapping[str, Refused] | None = None,
) -> bool:
    """Do the same in the caller's transaction, for an alert about a change in it.

    `sent` says which channels had it, `refused` which recipients did not get it there.
    """
    channels = names_of_outbox(settings)
    refusals = [(refused or {}).get(channel, {}) for channel in channels]
    values = {
        **asdict(alert),
        "facts": json.dumps(alert.facts),
        "raised_at": raised_at or now(),
        "channels": channels,
        "sent": [
            None if _find_later(refusal) else (sent or {}).get(channel)
            for channel, refusal in zip(channels, refusals, strict=True)
        ],
        "refused": [json.dumps(refusal) for refusal in refusals],
    }
    return warehouse.execute(query("alerts/raise"), values).rowcount > 0


def deliver_pending(settings: Settings, channels: Channels) -> tuple[int, int | None]:
    """Deliver what waits for each channel; return how many alerts were delivered and how many still wait.

    A channel that does not answer ends its own turn and no other's. A warehouse that goes away ends the turns, but
    raises nothing, since the caller's own work is done; how many wait is then None. A delivery is locked while it is
    under way, so two processes deliver different ones. It is marked in the same transaction: a crash then delivers
    it twice rather than never, and the receiver knows the second one by its key.
    """
    sent = sum(_take_turn(settings, name, channel) for name, channel in channels.items())
    waiting: int | None = None
    with _going_on("How many alerts wait is not known."), connect(settings) as warehouse:
        (waiting,) = warehouse.execute(query("alerts/waiting"), {"channels": [*channels]}).fetchone() or (0,)
    return sent, waiting


def _take_turn(settings: Settings, name: str, channel: Channel) -> int:
    """Deliver what waits for one channel; return how many alerts it took."""
    sent, tried = 0, list[int]()
    failure: str | None = None
    try:
        if channel.follow:
            channel.follow(lambda: _find_open(settings))
        else:
            while (is_sent := _deliver_next(settings, name, channel.send, tried)) is not None:
                sent += is_sent
    except Exception as error:  # whatever it is, the other channels have their turns
        log.warning("Alerts to %s are kept and sent again within the hour. %s", name, error)
        failure = _tell(error)
    with _going_on(f"How {name} did is not noted."), connect(settings) as warehouse:
        if tried or channel.follow:
            warehouse.execute(query("alerts/note_channel"), {"channel": name, "moment": now(), "failure": failure})
        else:
            warehouse.execute(query("alerts/nothing_waits"), {"channel": name})
    return sent


@contextmanager
def _going_on(loss: str) -> Iterator[None]:
    """Turn a failure into a warning of what is lost by it."""
    try:
        yield
    except Exception as error:  # the alerts themselves are kept, and whoever delivers them has work of its own
        log.warning("%s %s", loss, error)


def _find_open(settings: Settings) -> list[Incident]:
    with connect(settings) as warehouse:
        return open_incidents(warehouse)


def _deliver_next(settings: Settings, name: str, send: Send, tried: list[int]) -> bool | None:
    """Deliver the next alert that waits for a channel, each once in a turn; return None if no other waits.

    Return False if a recipient still waits for it. A receiver that does not accept it ends the turn with its error,
    once that is noted.
    """
    moment = now()
    asked = {"channel": name, "tried": tried, "waits_since": moment - ANSWER_WAITS}
    with connect(settings) as warehouse:
        row = warehouse.execute(query("alerts/next_pending"), asked).fetchone()
        if row is None:
            return None
        alert_id, raised_at, before, *content = row
        tried.append(alert_id)
        where, waiting = {"alert_id": alert_id, "channel": name}, _find_later(before)
        try:
            refused = send(replace(Alert(*content), only=waiting)) or {}
        except Exception as error:
            warehouse.execute(query("alerts/not_sent"), {**where, "error": _tell(error)})
            warehouse.commit()
            raise
        is_sent = not _find_later(refused) or moment - raised_at > RECIPIENT_WAITS
        kept = {one: answer for one, answer in before.items() if one not in waiting} | dict(refused)
        warehouse.execute(query("alerts/sent"), {**where, "is_sent": is_sent, "refused": json.dumps(kept)})
        return is_sent


def _tell(error: Exception) -> str:
    return error.fact if isinstance(error, DaybreakError) else f"{type(error).__name__}: {error}"


def _find_later(refused: Refused) -> tuple[str, ...]:
    """Return the recipients that may be tried again."""
    return tuple(one for one, answer in refused.items() if answer.startswith("4"))


def tell_undelivered(warehouse: Connection, channels: Collection[str], since: datetime) -> list[str]:
    """Return a line for each channel that alerts wait for or that fails, and for each that refused one of late."""
    values = {"channels": [*channels], "since": since}
    lines = []
    for channel, waiting, oldest, failure, tried_at in warehouse.execute(query("alerts/undelivered"), values):
        waits = f"{waiting:,} alert{'s wait' if waiting != 1 else ' waits'} since {oldest:{FORMAT}}" if waiting else ""
        failed = f"it failed at {tried_at:{FORMAT}}: {failure.rstrip('.')}" if failure else ""
        lines.append(f"{channel}: {'; '.join(filter(None, [waits, failed]))}.")
    for recipient, count, last_at, answer in warehouse.execute(query("alerts/refused"), values):
        alerts = f"{count:,} alert{'s' if count > 1 else ''}"
        lines.append(f"{recipient} did not get {alerts}, the last of {last_at:{FORMAT}}: {answer.rstrip('.')}.")
    return lines


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
