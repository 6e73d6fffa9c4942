"""The ground all variants stand on: an installation of its own in the state folder, with a newsroom of the size asked.

It has its own PostgreSQL and MLflow, started by the product's launcher on free ports, and never touches the product's.
The world is seeded and ends at a fixed moment, so the same size is the same data on every machine.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.sizes import Sizes
from include.core.errors import StateFolderError
from include.core.settings import Settings, load_settings
from include.operations.launcher import files, locks

Say = Callable[[str], None]

AS_OF = datetime(2026, 11, 15, tzinfo=UTC)
DAYS = 14
EVENTS_PER_READER_DAY = 9.8  # what a demo reader does on average
NEWSROOM = "newsroom"  # what a benchmark needs beside services: the demo newsroom, played
FACTS = "ground.json"


@dataclass(frozen=True)
class Ground:
    """Where the data is, and how large. A window is `DAYS` days long."""

    settings: Settings
    sizes: Sizes

    @property
    def scratch(self) -> Path:
        """A folder for files that variants need or leave."""
        folder = self.settings.home / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def prepared(home: Path, sizes: Sizes, needs: Iterable[str], say: Say, *, keep: bool) -> Iterator[Ground]:
    """The ground with what is needed and no more; gone afterwards unless it is to be kept.

    One that was kept, has the sizes asked and holds all that is needed is used again.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = locks.take(home / files.BENCH_LOCK)
    if lock is None:
        raise StateFolderError(f"A benchmark is running in {home} already.", hint="wait for it, or stop it.")
    try:
        settings = _move_in(home / files.BENCH)
        try:
            yield _furnish(settings, sizes, set(needs), say)
        finally:
            if not keep:
                _clear(settings, say)
    finally:
        lock.release(remove=True)


def stand() -> Ground:
    """The ground as a child process finds it."""
    settings = load_settings()
    return Ground(settings, Sizes(**json.loads((settings.home / FACTS).read_text())["sizes"]))


def _move_in(home: Path) -> Settings:
    """The settings of the ground: defaults and what its launcher writes. The user's own are meant for the product."""
    for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
        del os.environ[name]
    os.environ["DAYBREAK_HOME"] = str(home)
    return load_settings()


def _furnish(settings: Settings, sizes: Sizes, needs: set[str], say: Say) -> Ground:
    from include.operations.demo import newsroom
    from include.operations.launcher.up import up

    if not _is_furnished(settings, sizes, needs):
        _clear(settings, say)
        if services := tuple(sorted(needs - {NEWSROOM})):
            settings = up(settings, say, only=services, demo=False)
        for folder in ("logs", "tmp"):  # of the measuring processes, whether services are there or not
            (settings.home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        if NEWSROOM in needs:
            readers = max(50, round(sizes.rows / (DAYS * EVENTS_PER_READER_DAY)))
            newsroom.play(settings, until=AS_OF, days=DAYS * sizes.windows, readers=readers, say=say)
        facts = {"sizes": asdict(sizes), "holds": sorted(needs)}
        (settings.home / FACTS).write_text(json.dumps(facts))
    return Ground(settings, sizes)


def _is_furnished(settings: Settings, sizes: Sizes, needs: set[str]) -> bool:
    from include.operations.launcher.up import is_up

    path = settings.home / FACTS
    if not path.exists():
        return False
    facts = json.loads(path.read_text())
    services = tuple(set(facts["holds"]) - {NEWSROOM})
    return (
        facts["sizes"] == asdict(sizes) and needs <= set(facts["holds"]) and (not services or is_up(settings, services))
    )


def _clear(settings: Settings, say: Say) -> None:
    from include.operations.launcher.down import down

    if settings.home.exists():
        down(settings, say)
        shutil.rmtree(settings.home)
