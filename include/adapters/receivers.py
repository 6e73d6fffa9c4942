"""Requests to the receivers of alerts: a webhook signed as Standard Webhooks says, and Alertmanager's API.

Belongs here: building and sending a request, and its failure as `ServiceError`. Does not belong here: what is said.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from include.core.errors import ServiceError

TIMEOUT_SECONDS = 10.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LATER = (408, 429)
PREFIX = "whsec_"

Found = TypeVar("Found")


@dataclass(frozen=True)
class Webhook:
    """The address of a webhook, and the secret that signs what is sent there."""

    url: str
    secret: str = field(repr=False)

    def post(self, key: str, moment: datetime, content: Mapping[str, Any]) -> str:
        """Send the content; return the answer of a receiver that wants none of it (4xx), else nothing.

        The id follows from its key, so a receiver knows what it got twice.
        """
        body = json.dumps(content, default=datetime.isoformat).encode()
        name, at = f"msg_{sha256(key.encode()).hexdigest()[:32]}", str(int(moment.timestamp()))
        headers = {"content-type": "application/json", "webhook-id": name, "webhook-timestamp": at}
        if self.secret:
            headers["webhook-signature"] = sign(self.secret, name, at, body)
        answer = _request("webhook", "POST", self.url, content=body, headers=headers)
        if answer.is_client_error and answer.status_code not in LATER:
            return _tell(answer)
        _accept("webhook", answer)
        return ""

    def look(self) -> str:
        """Return what the receiver answers to a request that says nothing; raise `ServiceError` without an answer."""
        answer = _request("webhook", "OPTIONS", self.url)
        return f"{answer.status_code} {answer.reason_phrase}"


def sign(secret: str, name: str, at: str, body: bytes) -> str:
    """Return the signature of a message by its id, time and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{name}.{at}.".encode() + body, sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


@dataclass(frozen=True)
class Silence:
    """A silence in an Alertmanager: the labels that it matches, until when, and whose it is."""

    labels: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    made_by: str
    comment: str
    silence_id: str | None = None  # None: Alertmanager has not got it yet


@dataclass(frozen=True)
class Alertmanager:
    """The address of an Alertmanager, and the sign-in to it."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Let alerts fire until their `endsAt`, or end those whose `endsAt` has come."""
        if alerts:
            _call("Alertmanager", "POST", f"{self.url}/api/v2/alerts", json=alerts, auth=self._sign_in)

    def find_firing(self, instance: str) -> list[dict[str, str]]:
        """Return the labels of the alerts of an installation that fire or are silenced there."""
        return self._find("alerts", instance, lambda alert: dict(alert["labels"]))

    def find_silences(self, instance: str) -> list[Silence]:
        """Return the silences that match alerts of this installation alone and are not over."""

        def read(found: Mapping[str, Any]) -> tuple[bool, Silence]:
            labels = {one["name"]: one["value"] for one in found["matchers"]}
            starts_at, ends_at = (datetime.fromisoformat(found[name]) for name in ("startsAt", "endsAt"))
            silence = Silence(labels, starts_at, ends_at, found["createdBy"], found["comment"], found["id"])
            return found["status"]["state"] == "expired", silence

        return [silence for is_over, silence in self._find("silences", instance, read) if not is_over]

    def silence(self, silence: Silence) -> None:
        """Keep a silence; one that has an id takes the place of the silence with this id."""
        content = {
            "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in silence.labels.items()],
            "startsAt": silence.starts_at.isoformat(),
            "endsAt": silence.ends_at.isoformat(),
            "createdBy": silence.made_by,
            "comment": silence.comment,
            **({"id": silence.silence_id} if silence.silence_id else {}),
        }
        _call("Alertmanager", "POST", f"{self.url}/api/v2/silences", json=content, auth=self._sign_in)

    def end_silence(self, silence_id: str) -> None:
        """Let a silence end now."""
        _call("Alertmanager", "DELETE", f"{self.url}/api/v2/silence/{silence_id}", auth=self._sign_in)

    def _find(self, kind: str, instance: str, read: Callable[[Mapping[str, Any]], Found]) -> list[Found]:
        wanted = {"filter": ['job="daybreak"', f"instance={json.dumps(instance)}"]}
        answer = _call("Alertmanager", "GET", f"{self.url}/api/v2/{kind}", params=wanted, auth=self._sign_in)
        try:
            return [read(one) for one in answer.json()]
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceError(
                f"{place_of(self.url)} does not answer like an Alertmanager: {type(error).__name__}.",
                hint="check alertmanager_url in docs/settings.md.",
            ) from error

    def look(self) -> str:
        """Return its version and whether it is ready; raise `ServiceError` if it does not answer or refuses us."""
        answer = _call("Alertmanager", "GET", f"{self.url}/api/v2/status", auth=self._sign_in).json()
        return f"{answer['versionInfo']['version']}, cluster {answer['cluster']['status']}"

    @property
    def _sign_in(self) -> tuple[str, str] | None:
        return (self.user, self.password) if self.user else None


def _call(name: str, method: str, url: str, **more: Any) -> httpx.Response:
    answer = _request(name, method, url, **more)
    _accept(name, answer)
    return answer


def _accept(name: str, answer: httpx.Response) -> None:
    """Raise `ServiceError` unless it is a success; a redirect would turn the message into a request without one."""
    if not answer.is_success:
        raise ServiceError(
            f"The {name} at {place_of(str(answer.url))} answered {_tell(answer)}.",
            hint=f"check {name.lower()}_* in docs/settings.md, and the receiver's log.",
        )


def _tell(answer: httpx.Response) -> str:
    told = " ".join(answer.text.split())[:200]
    return f"{answer.status_code} {answer.reason_phrase}{f': {told}' if told else ''}"


def _request(name: str, method: str, url: str, **more: Any) -> httpx.Response:
    try:
        # a proxy in somebody's environment is no way to this machine
        is_far = httpx.URL(url).host not in LOOPBACK
        return httpx.request(method, url, timeout=TIMEOUT_SECONDS, trust_env=is_far, follow_redirects=False, **more)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceError(
            f"The {name} at {place_of(url)} does not answer: {type(error).__name__}: {error}",
            hint=f"alerts wait until it does; see {name.lower()}_* in docs/settings.md.",
        ) from error


def place_of(url: str) -> str:
    """Return scheme and host of an address, whose path is often a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
