"""Serve the mailbox over SMTP and as a page, on loopback unless the settings say otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette

from include.core.settings import Settings, load_settings
from include.operations.demo.mailbox.page import page
from include.operations.demo.mailbox.store import Mailbox


class Catcher:
    """The SMTP server's handler of incoming mails."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Write a mail to disk, then acknowledge it; refuse it if that fails, so that the sender keeps it."""
        try:
            self.mailbox.keep(envelope.original_content or b"")
        except OSError as error:
            return f"452 cannot store the mail: {error.strerror}"
        return "250 kept"


def serve(settings: Settings) -> None:
    """Serve SMTP and the page until stopped."""
    mailbox = Mailbox(settings.home / "mail")

    @asynccontextmanager
    async def with_smtp(_: Starlette) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(Catcher(mailbox), hostname="localhost", ident="Daybreak mailbox"),
            settings.listen_host,
            settings.smtp_port,
        )
        async with server:
            yield

    uvicorn.run(page(mailbox, with_smtp), host=settings.listen_host, port=settings.mailbox_port, log_level="warning")


if __name__ == "__main__":
    serve(load_settings())
