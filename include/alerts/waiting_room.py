"""Failures that are reported while the warehouse cannot be written: one alert per cause, and a file per failure.

The files lie in the state folder until the warehouse answers; then `reporting.bring_home` moves them into it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from include.alerts.incidents import FailedRun, Incident
from include.alerts.outbox import Channels, Refused
from include.alerts.wording import Alert, Trouble, compose, severity_of
from include.core.clock import now
from include.core.settings import Settings
from include.data.store import digest_of

UNKNOWN = "Unknown: the warehouse does not answer, so lists cannot be read from it."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """A failure in its file, with the mail about it unless an earlier failure's mail told of the cause."""

    file: Path
    trouble: Trouble
    run: FailedRun
    alert: Alert | None = None
    sent: Mapping[str, datetime] = field(default_factory=dict)  # channel -> when it took the alert
    refused: Mapping[str, Refused] = field(default_factory=dict)  # channel -> whom it did not reach there

    @classmethod
    def read(cls, file: Path) -> Kept:
        """Return the failure in a file."""
        content = json.loads(file.read_text())
        run: Mapping[str, Any] = content["run"]
        moments = {name: _moment(run[name]) for name in ("as_of", "failed_at")}
        alert = Alert(**content["alert"]) if content["alert"] else None
        trouble = Trouble(**content["trouble"])
        sent = content["sent"] if "sent" in content else {"mail": content["sent_at"]}  # of the release before channels
        sent = {channel: datetime.fromisoformat(at) for channel, at in sent.items() if at}
        return cls(file, trouble, FailedRun(**{**run, **moments}), alert, sent, content.get("refused", {}))

    @property
    def content(self) -> str:
        """Return the failure as it stands in its file."""
        found = {"trouble": asdict(self.trouble), "run": asdict(self.run), "alert": self.alert and asdict(self.alert)}
        return json.dumps(found | {"sent": self.sent, "refused": self.refused}, default=datetime.isoformat)

    def forget(self) -> None:
        """Remove the file."""
        self.file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Former:
    """A mail in a file of the release before incidents, which knew no more than the mail."""

    file: Path
    alert: Alert
    raised_at: datetime | None
    sent_at: datetime | None

    @classmethod
    def read(cls, file: Path) -> Former | None:
        """Return the mail in a file; None for any other file."""
        try:
            content = json.loads(file.read_text())
            return cls(file, Alert(**content["alert"]), _moment(content["raised_at"]), _moment(content["sent_at"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def kept_before(settings: Settings) -> list[Former]:
    """Return the mails that a release before incidents kept as files."""
    found = map(Former.read, sorted(waiting_room(settings).glob("*.json")))
    return [one for one in found if one is not None]


def report(settings: Settings, trouble: Trouble, run: FailedRun, channels: Channels) -> bool:
    """Keep a failure as a file, and mail it unless its cause was mailed; return whether it was new."""
    before = list(kept(settings))
    if any((one.run.dag_id, one.run.run_id) == (run.dag_id, run.run_id) for one in before):
        return False
    incident = _as_incident(trouble, run)
    told = [one.alert for one in before if one.alert and one.trouble.cause == trouble.cause
            and one.trouble.subject == trouble.subject]  # fmt: skip
    if told:
        incident = replace(incident, thread=told[0].thread or told[0].incident)
    name = digest_of(trouble.cause, trouble.subject)[:32]
    if not {incident.severity, "page"} & {alert.severity for alert in told}:
        alert = compose("escalated" if told else "opened", incident, UNKNOWN, run.failed_at)
        first = Kept(waiting_room(settings) / f"{name}.{incident.severity}.json", trouble, run, alert)
        if _keep(first):
            return _send(first, channels)
    return _keep(Kept(waiting_room(settings) / f"{name}.{digest_of(run.dag_id, run.run_id)[:32]}.json", trouble, run))


def deliver(settings: Settings, channels: Channels, kept_before: datetime) -> None:
    """Deliver what a channel refused when it was kept; a younger one may be under way in another process."""
    for one in kept(settings):
        if one.alert and one.run.failed_at < kept_before:
            _send(one, channels)


def kept(settings: Settings) -> Iterator[Kept]:
    """Yield the failures that are kept as files, the oldest first; rename files that cannot be read."""
    found = []
    for file in waiting_room(settings).glob("*.json"):
        try:
            found.append(Kept.read(file))
        except OSError as error:  # another process was faster, or the disk fails: the mail goes out all the same
            log.info("%s", error)
        except (ValueError, TypeError, KeyError):
            if Former.read(file) is None:
                log.warning("%s cannot be read and is renamed to .damaged.", file)
                with suppress(OSError):
                    file.rename(file.with_suffix(".damaged"))
    yield from sorted(found, key=lambda one: (one.run.failed_at, one.file.name))


def waiting_room(settings: Settings) -> Path:
    """Return the folder where failures wait while the warehouse is down."""
    return settings.home / "alerts"


def _as_incident(trouble: Trouble, run: FailedRun) -> Incident:
    moment = run.failed_at
    return Incident(
        incident_id=0,
        cause=trouble.cause,
        subject=trouble.subject,
        title=trouble.title,
        severity=severity_of(trouble, 1, UNKNOWN, moment),
        trouble=asdict(trouble),
        thread=trouble.thread(moment),
        opened_at=moment,
        last_at=moment,
        stopped={run.dag_id: 1},
    )


def _keep(one: Kept) -> bool:
    """Write the file as a whole; return whether it is new. A full disk must not keep the mail from going out."""
    try:
        draft = _draft(one)
        try:
            os.link(draft, one.file)  # fails if the file is there, as a rename would not
        finally:
            draft.unlink()
    except FileExistsError:
        return False
    except OSError as error:
        log.warning("The alert cannot be kept as a file: %s", error)
    return True


def _draft(one: Kept) -> Path:
    """Write the content to a file that nobody else looks at, beside the real one."""
    one.file.parent.mkdir(parents=True, exist_ok=True)
    draft = one.file.with_suffix(f".{uuid4().hex}")
    draft.write_text(one.content)
    return draft


def _send(one: Kept, channels: Channels) -> bool:
    """Deliver the alert to the channels that do not have it yet, and note each at once."""
    assert one.alert is not None
    for name, channel in channels.items():
        if name in one.sent:
            continue
        try:
            refused = channel.send(one.alert) or {}
        except Exception as error:  # whatever it is, the other channels have their turns
            log.warning("%s", error)
            continue
        one = replace(one, sent={**one.sent, name: now()}, refused={**one.refused, name: refused})
        if one.file.exists():
            _draft(one).replace(one.file)
    return True


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
