"""A real SMTP server for tests, which can be switched on, off, and made to refuse."""

from __future__ import annotations

import email
import email.policy

from aiosmtpd.controller import Controller

from include.adapters import smtp
from include.alerts.letter import as_html
from include.alerts.outbox import Channel
from tests.parts.servers import free_port


class Mailbox:
    """A mail server that can be switched on, off, and made to refuse."""

    def __init__(self):
        self.port = free_port()
        self.refuses = ""
        self.refused = {}  # recipient -> answer
        self.controller = None
        self._mails = []

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

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

    def kept(self):
        """What it was sent until now."""
        return [*self._mails]

    def keep_only(self, mails):
        """Forget all but these."""
        self._mails[:] = mails

    def send(self, alert, to="oncall@localhost"):
        server = smtp.MailServer("127.0.0.1", self.port, "daybreak@localhost", timeout_seconds=5)
        keys = {"incident": alert.incident, "thread": alert.thread, "only": alert.only}
        html = as_html(alert.subject, alert.body)
        return smtp.send(server, to, alert.subject, alert.body, html=html, **keys)

    @property
    def channels(self):
        return {"mail": Channel(self.send)}

    @property
    def mails(self):
        return [mail for _, mail in self._mails]

    @property
    def subjects(self):
        return [mail["Subject"] for mail in self.mails]

    @property
    def recipients(self):
        return [to for to, _ in self._mails]
