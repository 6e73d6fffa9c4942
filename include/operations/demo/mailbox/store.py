"""Mails in a folder, one .eml file each; the file names sort by arrival."""

from __future__ import annotations

import email
import email.policy
import os
import re
import secrets
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from include.core.clock import now

SHOWN = 500
ID = re.compile(r"[0-9TZ.]+-[0-9a-f]{8}")


@dataclass(frozen=True)
class Mail:
    """A mail as shown; `sender` and `to` are as written in its header."""

    id: str
    sender: str
    to: str
    subject: str
    date: str
    body: str
    html: str

    def listed(self) -> dict[str, str]:
        """Return the fields for the JSON list."""
        return {
            "id": self.id,
            "from": self.sender,
            "to": self.to,
            "subject": self.subject,
            "date": self.date,
            "body": self.body or self.html,
        }


class Mailbox:
    """A folder of mails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, content: bytes) -> str:
        """Store a mail and return its id."""
        mail_id = f"{now():%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        draft = self.folder / f".{mail_id}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.folder / f"{mail_id}.eml")
        return mail_id

    def ids(self) -> list[str]:
        """Return all ids, newest first."""
        return sorted((path.stem for path in self.folder.glob("*.eml") if ID.fullmatch(path.stem)), reverse=True)

    def read(self, mail_id: str) -> Mail | None:
        """Return the mail with this id, or None."""
        if not ID.fullmatch(mail_id):
            return None
        try:
            content = (self.folder / f"{mail_id}.eml").read_bytes()
        except FileNotFoundError:
            return None
        message = email.message_from_bytes(content, policy=email.policy.default)
        return Mail(
            id=mail_id,
            sender=str(message.get("From", "")),
            to=str(message.get("To", "")),
            subject=str(message.get("Subject", "")),
            date=str(message.get("Date", "") or mail_id.partition("-")[0]),
            body=_part(message, "plain"),
            html=_part(message, "html"),
        )

    def latest(self) -> list[Mail]:
        """Return the newest mails, newest first."""
        return [mail for mail_id in self.ids()[:SHOWN] if (mail := self.read(mail_id)) is not None]


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError, AttributeError):  # an unknown charset, or a part without content
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
