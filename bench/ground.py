"""The ground all variants stand on: an installation of its own in the state folder, with a newsroom of the size asked.

It has its own PostgreSQL and MLflow, started by the product's launcher on free ports, and never touches the product's.
The world is seeded and ends at a fixed moment, so the same size is the same data on every machine.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from include.core.errors import StateFolderError
from include.core.settings import Settings, load_settings
from include.operations.launcher import files, locks

Say = Callable[[str], None]

AS_OF = datetime(2026, 11, 15, tzinfo=UTC)
DAYS = 14
EVENTS_PER_READER_DAY = 9.8  # what a demo reader does on average
SERVICES = ("postgres", "mlflow")
FACTS = "ground.json"


@dataclass(frozen=True)
class Ground:
    """Where the data is. `rows` is the events of the last `DAYS` days, about; `times` as many have been played."""

    settings: Settings
    rows: int
    times: int

    @property
    def scratch(self) -> Path:
        """A folder for files that variants need or leave."""
        folder = self.settings.home / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def prepared(home: Path, rows: int, times: int, say: Say, *, keep: bool) -> Iterator[Ground]:
    """The ground, ready; gone afterwards unless it is to be kept. One that was kept and is as asked is used again."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = locks.take(home / files.BENCH_LOCK)
    if lock is None:
        raise StateFolderError(f"A benchmark is running in {home} already.", hint="wait for it, or stop it.")
    try:
        settings = _move_in(home / files.BENCH)
        try:
            yield _furnish(settings, rows, times, say)
        finally:
            if not keep:
                _clear(settings, say)
    finally:
        lock.release(remove=True)


def stand() -> Ground:
    """The ground as a child process finds it."""
    settings = load_settings()
    return Ground(settings, **json.loads((settings.home / FACTS).read_text()))


def _move_in(home: Path) -> Settings:
    """The settings of the ground: defaults and what its launcher writes. The user's own are meant for the product."""
    for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
        del os.environ[name]
    os.environ["DAYBREAK_HOME"] = str(home)
    return load_settings()


def _furnish(settings: Settings, rows: int, times: int, say: Say) -> Ground:
    from include.operations.demo import newsroom
    from include.operations.launcher.up import is_up, up

    facts = settings.home / FACTS
    asked = {"rows": rows, "times": times}
    if not (facts.exists() and json.loads(facts.read_text()) == asked and is_up(settings, SERVICES)):
        _clear(settings, say)
        settings = up(settings, say, only=SERVICES, demo=False)
        readers = max(50, round(rows / (DAYS * EVENTS_PER_READER_DAY)))
        newsroom.play(settings, until=AS_OF, days=DAYS * times, readers=readers, say=say)
        facts.write_text(json.dumps(asked))
    return Ground(settings, rows, times)


def _clear(settings: Settings, say: Say) -> None:
    from include.operations.launcher.down import down

    if settings.home.exists():
        down(settings, say)
        shutil.rmtree(settings.home)
