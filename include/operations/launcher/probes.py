"""Probes that say whether a service answers: functions of the settings and of the moment `since` it was started.

True: it answers. False: it does not. None: unknown, because the service to ask does not answer itself. A service that
is merely absent raises no error.
"""

from __future__ import annotations

import http.client
import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from include.adapters import warehouse
from include.core.clock import now
from include.core.errors import ServiceError
from include.core.settings import Settings
from include.operations.launcher import files

Probe = Callable[[Settings, datetime], bool | None]
ROUND = timedelta(minutes=5)
PATIENCE_SECONDS = 15  # the first call to Airflow's execution API alone takes up to 7 s on a busy machine

# ignores a proxy in the user's environment, because both processes are on this machine
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, timeout: float = PATIENCE_SECONDS) -> bytes | None:
    """Return the body of a 2xx answer, else None."""
    try:
        with _direct.open(url, timeout=timeout) as answer:
            return bytes(answer.read())
    except (OSError, http.client.HTTPException):
        return None


def postgres(settings: Settings, since: datetime) -> bool:
    """Return whether the superuser can sign in."""
    try:
        with warehouse.connect(settings, "postgres", "postgres"):
            return True
    except ServiceError as error:
        if "password authentication failed" in str(error):
            raise ServiceError(
                f"PostgreSQL refused the password in {settings.home}/daybreak.env.",
                hint="restore the file that belongs to this state folder.",
            ) from None
        return False


def mailbox(settings: Settings, since: datetime) -> bool:
    """Return whether SMTP and the page both answer."""
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=5) as server:
            server.noop()
    except OSError:
        return False
    return get(f"http://127.0.0.1:{settings.mailbox_port}/health", 5) is not None


def mlflow(settings: Settings, since: datetime) -> bool:
    """Return whether the tracking server answers and reaches its database."""
    return get(f"{settings.mlflow_url}/health") is not None


def api_server(settings: Settings, since: datetime) -> bool:
    """Return whether both APIs answer, the public one and the tasks'; a slow first answer to a task would fail it."""
    base = f"http://{settings.airflow_host}:{settings.airflow_port}"
    return get(f"{base}/api/v2/version") is not None and get(f"{base}/execution/health") is not None


def sentinel(settings: Settings, since: datetime) -> bool:
    """Return whether the sentinel has ended a round lately; one may take long while a mail server does not answer."""
    beat = settings.home / files.SENTINEL_BEAT
    ended_at = datetime.fromtimestamp(beat.stat().st_mtime, UTC) if beat.exists() else since - ROUND
    return ended_at >= since and now() - ended_at < ROUND


def heartbeat(component: str) -> Probe:
    """Return a probe that checks for a healthy heartbeat of an Airflow component since its start."""

    def beats(settings: Settings, since: datetime) -> bool | None:
        body = get(f"http://{settings.airflow_host}:{settings.airflow_port}/api/v2/monitor/health")
        if body is None:
            return None
        state: dict[str, Any] = json.loads(body).get(component) or {}
        beat = state.get(f"latest_{component}_heartbeat")
        return state.get("status") == "healthy" and beat is not None and _moment(beat) >= since

    return beats


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
