"""Sending mail through smtplib.

Belongs here: building a mail and handing it to the server. Does not belong here: its text, or when it is sent.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from hashlib import sha256

from include.core.errors import ServiceError
from include.core.settings import Settings

# A subject stays on one line: programs that sort by its beginning do not find one that begins on the second.
POLICY = policy.SMTP.clone(max_line_length=250)


@dataclass(frozen=True)
class MailServer:
    """A mail server, with its sign-in and the sender's address."""

    host: str
    port: int
    sender: str
    login: str = ""
    password: str = field(default="", repr=False)
    is_ssl: bool = False
    is_starttls: bool = False
    timeout_seconds: float = 10

    @classmethod
    def of(cls, settings: Settings) -> MailServer:
        """Return the server that the settings name."""
        return cls(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_from,
            login=settings.smtp_user,
            password=settings.smtp_secret.get_secret_value(),
            is_ssl=settings.smtp_security == "tls",
            is_starttls=settings.smtp_security == "starttls",
        )


def send(
    server: MailServer,
    recipients: str,
    subject: str,
    body: str,
    *,
    incident: str,
    thread: str = "",
    html: str = "",
    only: Sequence[str] = (),
) -> dict[str, str]:
    """Send a mail; return the recipients whom the server refused while it accepts others, each with its answer.

    Its key always gives the same Message-ID, so a mail that is sent twice is shown once. `thread` is the key of the
    mail that it answers; mail programs show both as one conversation. `only` these of the recipients get it; all if
    there are none.
    """
    message = EmailMessage(policy=POLICY)
    message["From"], message["To"], message["Subject"] = server.sender, recipients, subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = _message_id(incident)
    if thread:
        message["In-Reply-To"] = message["References"] = _message_id(thread)
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    try:
        with connect(server) as client:
            refused = client.send_message(message, to_addrs=list(only) or None)
    except (OSError, smtplib.SMTPException) as error:
        if only and isinstance(error, smtplib.SMTPRecipientsRefused):  # the others have it
            return _told(error.recipients)
        raise ServiceError(
            f"The mail server {server.host}:{server.port} did not accept {subject!r}: {type(error).__name__}: {error}",
            hint="check Airflow's connection smtp_default, or smtp_* in docs/settings.md.",
        ) from error
    return _told(refused)


def _told(refused: Mapping[str, tuple[int, bytes]]) -> dict[str, str]:
    return {one: f"{code} {text.decode(errors='replace')}" for one, (code, text) in refused.items()}


def _message_id(key: str) -> str:
    return f"<{sha256(key.encode()).hexdigest()[:32]}@daybreak>"


def greet(server: MailServer) -> None:
    """Sign in without sending; raise `ServiceError` if the server refuses or does not answer."""
    try:
        with connect(server) as client:
            client.noop()
    except (OSError, smtplib.SMTPException) as error:
        raise ServiceError(
            f"The mail server {server.host}:{server.port} refused the sign-in: {type(error).__name__}: {error}",
            hint="alerts wait until it is back; see smtp_* in docs/settings.md.",
        ) from error


def connect(server: MailServer) -> smtplib.SMTP:
    """Return a signed-in session; certificates are verified."""
    client: smtplib.SMTP
    if server.is_ssl:
        client = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout_seconds, context=ssl.create_default_context()
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
    try:
        if server.is_starttls and not server.is_ssl:
            client.starttls(context=ssl.create_default_context())
        if server.login:
            client.login(server.login, server.password)
    except BaseException:
        client.close()
        raise
    return client
