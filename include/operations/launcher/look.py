"""Look at the running product: states, logs, and a database prompt."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from typing import Literal

from include.adapters import embedded_postgres, warehouse
from include.core.errors import ServiceError, SettingsError
from include.core.settings import Settings
from include.operations.launcher import files, locks, ports
from include.operations.launcher.preparations import data_folder
from include.operations.launcher.records import Record, State, load
from include.operations.launcher.services import chosen

TAIL_LINES = 200
Access = Literal["read", "write", "source"]
ROLES: dict[Access, str] = {"read": "daybreak_run", "write": "postgres", "source": "daybreak_extract"}


def states(settings: Settings) -> dict[str, State]:
    """Return the recorded state of every process, checked against the living ones."""
    supervised = locks.is_held(settings.home / files.LOCK) or locks.is_held(settings.home / files.GUARDIAN_LOCK)
    records = load(settings.home)
    result: dict[str, State] = {}
    for name in records or ("supervisor", "guardian", *(service.name for service in chosen(settings))):
        record = records.get(name, Record())
        if record.process is not None:
            result[name] = record.state
        elif supervised and record.state != "stopped":
            result[name] = "failing" if record.state == "failing" else "starting"
        else:
            result[name] = "stopped"
    return result


def read_log(settings: Settings, name: str) -> list[str]:
    """Return the last lines of a process's log."""
    known = sorted(path.stem for path in (settings.home / "logs").glob("*.log"))
    if name not in known:
        raise SettingsError(
            f"There is no log of {name!r}.",
            hint=f"name one of {', '.join(known)}." if known else "start Daybreak with `make up`.",
        )
    with files.log_path(settings.home, name).open(errors="replace") as log:
        return [line.rstrip("\n") for line in deque(log, maxlen=TAIL_LINES)]


def psql(settings: Settings, arguments: list[str], access: Access) -> None:
    """Become psql: on the warehouse in transactions that only read, as its superuser to write, or on the source."""
    embedded = (data_folder(settings) / "PG_VERSION").exists()
    if not embedded and settings.postgres_host in ports.LOOPBACK and not warehouse.password(settings, "postgres"):
        raise ServiceError("There is no warehouse yet.", hint="run `make up`.")
    program = embedded_postgres.binary("psql") if embedded else shutil.which("psql")
    if program is None:
        raise ServiceError("There is no psql on this machine.", hint="install PostgreSQL's client programs.")
    address = {
        f"PG{'DATABASE' if name == 'dbname' else name.upper()}": str(value)
        for name, value in warehouse.parameters(settings, ROLES[access]).items()
    }
    if access == "read":
        address["PGOPTIONS"] = f"{address.get('PGOPTIONS', '')} -c default_transaction_read_only=on".strip()
    if access == "write":
        print("psql as postgres, who may change everything", file=sys.stderr)
    os.execve(program, [program, *arguments], os.environ | address)  # noqa: S606
