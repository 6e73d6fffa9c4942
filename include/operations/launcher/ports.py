"""Choose the ports that services listen on: the configured port if it is free, else the next free one.

A port set in the environment is never replaced: if it is taken, an error names it. Another program may take a port
between its choice and its use; then the supervisor chooses again.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

from include.core.errors import ServiceError, SettingsError
from include.core.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost")
FIELDS = ("postgres_port", "mailbox_port", "smtp_port", "mlflow_port", "airflow_port", "metrics_port")
HOSTS = ("postgres_host", "airflow_host", "mlflow_host")
TRIES = 300


def is_free(port: int) -> bool:
    """Return whether a service could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are closing do not count
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def next_free(port: int, taken: set[int]) -> int:
    """Return the first free port at or above `port` that is not `taken`."""
    for candidate in range(port, min(port + TRIES, 65536)):
        if candidate not in taken and is_free(candidate):
            return candidate
    raise ServiceError(
        f"No free port between {port} and {min(port + TRIES, 65536) - 1}.",
        hint="set DAYBREAK_*_PORT to another range.",
    )


def choose(settings: Settings, given: Mapping[str, str]) -> dict[str, int]:
    """Return a port for every service; call it only while none runs. `given` are the settings in the environment."""
    chosen: dict[str, int] = {}
    fixed = {field: getattr(settings, field) for field in FIELDS if field in given}
    for field, port in fixed.items():
        others = [other for other, value in fixed.items() if value == port and other != field]
        if others:
            raise SettingsError(
                f"{variable(field)} and {variable(others[0])} are both {port}.", hint="give each its own port."
            )
        if not is_free(port):
            raise taken(field, port)
        chosen[field] = port
    for field in FIELDS:
        if field not in chosen:
            chosen[field] = next_free(getattr(settings, field), set(chosen.values()))
    return chosen


def taken(field: str, port: int) -> ServiceError:
    """Return the error for a port set in the environment that another program uses."""
    return ServiceError(
        f"Port {port} ({variable(field)}) is taken by another program.",
        hint=f"stop that program, or unset {variable(field)} to have a free port chosen.",
    )


def variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return f"DAYBREAK_{field.upper()}"


def require_loopback(settings: Settings) -> None:
    """Raise SettingsError unless every address is this machine's loopback, where the launcher listens."""
    for field in HOSTS:
        if getattr(settings, field) not in LOOPBACK:
            raise SettingsError(
                f"{variable(field)}={getattr(settings, field)} is not this machine's loopback address.",
                hint="unset it; for services that run elsewhere see docker-compose.yaml.",
            )


def catches_mail(settings: Settings) -> bool:
    """Return whether alerts go to the demo mailbox instead of the user's mail server."""
    return settings.smtp_host in LOOPBACK
