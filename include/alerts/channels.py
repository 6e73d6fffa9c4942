"""The channels to on-call that are set: mail always, a webhook and an Alertmanager where the settings name them.

Belongs here: which channels there are, and what an alert says in each. Does not belong here: when an alert is delivered
(`outbox.py`), and requests and mails (`include/adapters/`).
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from include.adapters import smtp
from include.adapters.receivers import Alertmanager, Silence, Webhook, place_of
from include.alerts.incidents import Incident
from include.alerts.letter import as_html
from include.alerts.outbox import Channel, Channels, Refused, Send
from include.alerts.wording import Alert
from include.core.clock import now
from include.core.settings import Settings

PORTS = {"tls": 465, "starttls": 587, "plain": 25}
FIRES_FOR = timedelta(days=1)  # after the last word from Daybreak; the end of an incident is told at once
TEST_FIRES_FOR = timedelta(minutes=5)
TEST = "DaybreakTest"
MADE_BY = "Daybreak"  # a silence that a person made in Alertmanager is left alone
INSTALLATION = "installation"  # a file of the state folder


@dataclass(frozen=True)
class MailConnection:
    """A connection to the mail server as Airflow keeps it; empty values fall back to the settings."""

    host: str | None
    port: int | None
    login: str | None
    password: str | None = field(repr=False)
    extra: Mapping[str, Any]


def find_channels(settings: Settings, connection: MailConnection | None = None) -> Channels:
    """Return the channels that are set, mail through the connection if there is one."""
    found = {"mail": Channel(_mail(find_server(settings, connection), settings.mail_to))}
    if webhook := find_webhook(settings):
        found["webhook"] = Channel(_post(webhook))
    if alertmanager := find_alertmanager(settings):
        found["alertmanager"] = _mirror(alertmanager, settings)
    return found


def find_server(settings: Settings, connection: MailConnection | None) -> smtp.MailServer:
    """Return the connection's mail server, encrypted unless its extra says otherwise, or else the settings'."""
    server = smtp.MailServer.of(settings)
    if connection is None:
        return server
    is_ssl, is_starttls = not _is_on(connection.extra, "disable_ssl"), not _is_on(connection.extra, "disable_tls")
    return smtp.MailServer(
        host=connection.host or server.host,
        port=connection.port or PORTS["tls" if is_ssl else "starttls" if is_starttls else "plain"],
        sender=connection.extra.get("from_email") or server.sender,
        login=connection.login or "",
        password=connection.password or "",
        is_ssl=is_ssl,
        is_starttls=is_starttls,
    )


def _is_on(extra: Mapping[str, Any], name: str) -> bool:
    """Return whether a connection's extra sets a switch: the form stores true, an environment variable "true"."""
    return str(extra.get(name, "")).lower() in ("1", "true", "yes")


def find_webhook(settings: Settings) -> Webhook | None:
    """Return the webhook that the settings name."""
    url, secret = settings.webhook_url.get_secret_value(), settings.webhook_secret.get_secret_value()
    return Webhook(url, secret) if url else None


def find_alertmanager(settings: Settings) -> Alertmanager | None:
    """Return the Alertmanager that the settings name."""
    if not settings.alertmanager_url:
        return None
    secret = settings.alertmanager_secret.get_secret_value()
    return Alertmanager(settings.alertmanager_url, settings.alertmanager_user, secret)


def _mail(server: smtp.MailServer, recipients: str) -> Send:
    def send(alert: Alert) -> Refused:
        return smtp.send(
            server,
            recipients,
            alert.subject,
            alert.body,
            incident=alert.incident,
            thread=alert.thread,
            html=as_html(alert.subject, alert.body),
            only=alert.only,
        )

    return send


def _post(webhook: Webhook) -> Send:
    def send(alert: Alert) -> Refused:
        event = alert.facts.get("event")
        moment = now()
        content = {
            "type": f"incident.{event}" if event else "digest" if alert.severity == "digest" else "notice",
            "timestamp": moment,
            "data": {
                "key": alert.incident,
                "thread": alert.thread or alert.incident,
                "severity": alert.severity,
                "title": alert.subject,
                "text": alert.body,
                "incident": alert.facts or None,
            },
        }
        answer = webhook.post(alert.incident, moment, content)
        return {place_of(webhook.url): answer} if answer else {}

    return send


def name_of_installation(settings: Settings) -> str:
    """Return the name that tells this installation from others in one Alertmanager; it is made once and kept."""
    file = settings.home / INSTALLATION
    if not file.exists():
        draft = file.with_suffix(f".{uuid4().hex}")
        draft.write_text(f"{platform.node()}-{uuid4().hex[:12]}")
        try:
            with suppress(FileExistsError):
                os.link(draft, file)  # as a rename would not, it leaves the name that another process made
        finally:
            draft.unlink()
    return file.read_text()


def _mirror(alertmanager: Alertmanager, settings: Settings) -> Channel:
    """Return the channel that lets open incidents fire and ended ones stop.

    An Alertmanager forgets what fires when it restarts, so open incidents are posted at every turn; what fires there
    and is not open any more, or no longer of this severity, is ended. What a person acknowledged or muted
    keeps firing there but is silenced, so that nobody is told of it, nor of the rule about the same thing.
    """

    def send(alert: Alert) -> None:
        instance, moment = name_of_installation(settings), now()
        known = alert.facts or {"cause": TEST, "subject": "alerts", "severity": alert.severity, "title": alert.subject}
        length = FIRES_FOR if alert.facts else TEST_FIRES_FOR
        links = known.get("links") or {"Airflow": settings.airflow_url}
        since = known.get("opened_at") or moment
        alertmanager.post([_as_post(known, alert.body, instance, links, since, moment + length)])

    def follow(find: Callable[[], Sequence[Incident]]) -> None:
        instance, moment = name_of_installation(settings), now()
        firing = alertmanager.find_firing(instance)
        incidents = find()  # later, so that one that another process opens meanwhile is not ended
        posts = [
            _as_post(
                vars(one),
                str(one.trouble["what_broke"]),
                instance,
                one.trouble["links"],
                one.opened_at,
                moment + FIRES_FOR,
            )
            for one in incidents
        ]
        still = [post["labels"] for post in posts]
        over = [
            {"labels": labels, "endsAt": moment.isoformat()}
            for labels in firing
            if labels not in still and labels.get("alertname") != TEST
        ]
        try:  # before what they silence fires
            _keep_silences(
                alertmanager,
                instance,
                [_as_silence(one, instance, moment) for one in incidents if one.is_silenced(moment)],
            )
        finally:  # rather told too much than nothing
            alertmanager.post([*posts, *over])

    return Channel(send, follow)


def _as_silence(incident: Incident, instance: str, moment: datetime) -> Silence:
    """Return the silence for what a person acknowledged or muted; it holds for every severity."""
    labels = {"alertname": incident.cause, "subject": incident.subject, "job": "daybreak", "instance": instance}
    if incident.acknowledged_at or incident.muted_until is None:
        ends_at = moment.replace(hour=0, minute=0, second=0) + 2 * FIRES_FOR  # renewed once a day until it is over
        comment = f"{incident.acknowledged_by} acknowledged this incident in Daybreak."
    else:
        ends_at, comment = incident.muted_until, f"{incident.muted_by} muted it in Daybreak: {incident.mute_reason}"
    return Silence(labels, moment, ends_at.replace(microsecond=0) + timedelta(seconds=1), MADE_BY, comment)


def _keep_silences(alertmanager: Alertmanager, instance: str, wanted: Sequence[Silence]) -> None:
    """Make, renew and end the silences of this installation, so that they are the wanted ones."""
    kept = [silence for silence in alertmanager.find_silences(instance) if silence.made_by == MADE_BY]
    for silence in wanted:
        same = next((one for one in kept if one.labels == silence.labels), None)
        if same is None:
            alertmanager.silence(silence)
        elif (same.ends_at, same.comment) != (silence.ends_at, silence.comment):
            alertmanager.silence(replace(silence, starts_at=same.starts_at, silence_id=same.silence_id))
    silenced = [silence.labels for silence in wanted]
    for silence in kept:
        if silence.labels not in silenced and silence.silence_id:
            alertmanager.end_silence(silence.silence_id)


def _as_post(
    known: Mapping[str, Any],
    text: str,
    instance: str,
    links: Mapping[str, str],
    since: datetime | str,
    until: datetime,
) -> dict[str, Any]:
    """Return an incident as Alertmanager's API takes it; labels are what routes and silences match."""
    labels = {"alertname": known["cause"], "subject": known["subject"], "severity": known["severity"]}
    return {
        "labels": {**labels, "job": "daybreak", "instance": instance},
        "annotations": {
            "summary": known["title"],
            "description": text,
            **({"runbook_url": links["Runbook"]} if "Runbook" in links else {}),
        },
        "startsAt": since if isinstance(since, str) else since.isoformat(),
        "endsAt": until.isoformat(),
        "generatorURL": next(iter(links.values()), ""),
    }
