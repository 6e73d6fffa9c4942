"""Mail an alert through the server of an Airflow connection or of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from include.adapters import smtp
from include.alerts.letter import as_html
from include.alerts.outbox import Send
from include.alerts.wording import Alert
from include.core.settings import Settings

PORTS = {"tls": 465, "starttls": 587, "plain": 25}


@dataclass(frozen=True)
class MailConnection:
    """A connection to a mail server as Airflow keeps it; empty values fall back to the settings."""

    host: str | None
    port: int | None
    login: str | None
    password: str | None = field(repr=False)
    extra: Mapping[str, Any]


def mailer(settings: Settings, connection: MailConnection | None = None) -> Send:
    """Return a function that mails an alert through the connection, else through the server in the settings."""
    server = find_server(settings, connection)

    def send(alert: Alert) -> None:
        keys = {"incident": alert.incident, "thread": alert.thread}
        smtp.send(server, settings.mail_to, alert.subject, alert.body, html=as_html(alert.subject, alert.body), **keys)

    return send


def find_server(settings: Settings, connection: MailConnection | None) -> smtp.MailServer:
    """Return the connection's server, encrypted unless its extra says otherwise, or else the settings'."""
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
