"""The supervisor's records of its processes, in `services.json`: service, process and state.

They outlive the supervisor: its successor adopts the recorded processes, `down` ends them, `status` shows them.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from include.operations.launcher import files
from include.operations.launcher.processes import Process, alive

State = Literal["starting", "running", "failing", "stopping", "stopped"]


@dataclass(frozen=True)
class Record:
    """The record of one process; `note` is a sentence for people, `where` an address."""

    state: State = "stopped"
    pid: int = 0
    born: str = ""
    where: str = ""
    note: str = ""
    restarts: int = 0

    @property
    def process(self) -> Process | None:
        """Return the process if it is alive."""
        process = Process(self.pid, self.born)
        return process if self.pid and alive(process) else None


def load(home: Path) -> dict[str, Record]:
    """Return all records in starting order; empty if the file is missing or unreadable."""
    try:
        stored = json.loads((home / files.SERVICES).read_text())
        return {name: Record(**fields) for name, fields in stored.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


class Board:
    """The records of a running supervisor, changed by many threads and written after each change."""

    def __init__(self, home: Path, names: tuple[str, ...]) -> None:
        self.home = home
        self._lock = threading.Lock()
        before = load(home)
        self._records = {name: before.get(name, Record()) for name in names}

    def __getitem__(self, name: str) -> Record:
        return self._records[name]

    def note(self, name: str, **changes: object) -> None:
        """Change one record. A full disk must not end the supervisor, so a failed write is only printed."""
        with self._lock:
            self._records[name] = replace(self._records[name], **changes)  # type: ignore[arg-type]
            text = json.dumps({name: asdict(record) for name, record in self._records.items()}, indent=1)
            try:
                files.write_private(self.home / files.SERVICES, text)
            except OSError as error:
                print(f"services.json was not written: {error}", file=sys.stderr)
