"""The confirmation of an action: what was typed, signed for the person who is asked to confirm it.

Only a page of ours can carry it, so no other site can act in a person's name; it names the run to be started, so that a
double click starts one; and it ends after a while, because what it foretells may have changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.tokens import get_signing_key
from fastapi import Request
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from daybreak_airflow.ui.inside import Refused
from include.core.settings import load_settings

VALID_SECONDS = 15 * 60


@dataclass(frozen=True)
class Confirmation:
    """What one person is asked to confirm: an action, its form as typed and as read, its moment, and the run that
    does it.
    """

    user: str
    action: str
    typed: Mapping[str, str]
    values: Mapping[str, Any]
    at: str
    run_id: str

    @property
    def moment(self) -> datetime:
        """Return when the person was asked."""
        return datetime.fromisoformat(self.at)

    def sign(self) -> str:
        """Return it as a text that cannot be changed."""
        return _signer().dumps(asdict(self))


def new_run_id(moment: datetime) -> str:
    """Return the id of a run to be started."""
    return f"manual__{moment:%Y-%m-%dT%H:%M:%S}+00:00_{secrets.token_hex(4)}"


def read_confirmation(signed: str, user: BaseUser, action: str) -> tuple[Confirmation, bool]:
    """Return what was confirmed and whether in time; raise `Refused` if it was not made for this person and action."""
    in_time = True
    try:
        try:
            found = _signer().loads(signed, max_age=VALID_SECONDS)
        except SignatureExpired:
            found, in_time = _signer().loads(signed), False
    except BadSignature:
        found = {}
    if (found.get("user"), found.get("action")) != (str(user.get_id()), action):
        raise Refused(403, "This confirmation was not made for you. Begin again on the status page.")
    return Confirmation(**found), in_time


def refuse_other_sites(request: Request) -> None:
    """Raise `Refused` if the form was sent by a page of another site."""
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if origin not in (request.headers.get("host"), urlsplit(load_settings().airflow_url).netloc):
        raise Refused(403, "The form came from another site. Open the status page in Airflow and begin there.")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_signing_key("api", "secret_key"), salt="daybreak-action")
