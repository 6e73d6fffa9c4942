"""A real SMTP server for tests, which can be switched on, off, and made to refuse."""

from __future__ import annotations

import email
import email.policy

from aiosmtpd.controller import Controller

from include.adapters import smtp
from include.alerts.letter import as_html
from tests.parts.servers import free_port


class Mailbox:
    """A mail server that can be switched on, off, and made to refuse."""

    def __init__(self):
        self.port = free_port()
        self.refuses = ""
        self.controller = None
        self._mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.refuses and self.refuses.encode() in envelope.content:
            return "554 5.6.0 not this one"
        self._mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def send(self, alert):
        server = smtp.MailServer("127.0.0.1", self.port, "daybreak@localhost", timeout_seconds=5)
        keys = {"incident": alert.incident, "thread": alert.thread}
        html = as_html(alert.subject, alert.body)
        smtp.send(server, "oncall@localhost", alert.subject, alert.body, html=html, **keys)

    @property
    def mails(self):
        return [mail for _, mail in self._mails]

    @property
    def subjects(self):
        return [mail["Subject"] for mail in self.mails]

    @property
    def recipients(self):
        return [to for to, _ in self._mails]
