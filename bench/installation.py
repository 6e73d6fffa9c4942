"""The installation that all variants use: a folder of its own in the state folder, with a newsroom of the given size.

It has its own PostgreSQL and MLflow, started by the product's launcher on free ports, and does not touch the product's.
The world is seeded and ends at a fixed moment, so the same size gives the same data on every machine.
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
EVENTS_PER_READER_DAY = 9.8  # the demo's average
NEWSROOM = "newsroom"  # the need for a played demo newsroom; other needs are names of services
FACTS = "installation.json"


@dataclass(frozen=True)
class Installation:
    """The settings and the sizes of the installation. A window is `DAYS` days long."""

    settings: Settings
    sizes: Sizes

    @property
    def scratch(self) -> Path:
        """Return the folder for files that variants read or write."""
        folder = self.settings.home / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def prepared(home: Path, sizes: Sizes, needs: Iterable[str], say: Say, *, keep: bool) -> Iterator[Installation]:
    """Create the installation with everything needed, and remove it afterwards unless `keep`.

    A kept installation of the same sizes that has everything needed is used again.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = locks.take(home / files.BENCH_LOCK)
    if lock is None:
        raise StateFolderError(f"A benchmark is already running in {home}.", hint="wait for it, or stop it.")
    try:
        settings = _load_own_settings(home / files.BENCH)
        try:
            yield _fill(settings, sizes, set(needs), say)
        finally:
            if not keep:
                _clear(settings, say)
    finally:
        lock.release(remove=True)


def find_installation() -> Installation:
    """Return the installation in a child process."""
    settings = load_settings()
    return Installation(settings, Sizes(**json.loads((settings.home / FACTS).read_text())["sizes"]))


def _load_own_settings(home: Path) -> Settings:
    """Return the settings: defaults and those that its launcher writes; the user's own are meant for the product."""
    for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
        del os.environ[name]
    os.environ["DAYBREAK_HOME"] = str(home)
    return load_settings()


def _fill(settings: Settings, sizes: Sizes, needs: set[str], say: Say) -> Installation:
    from include.operations.demo import newsroom
    from include.operations.launcher.up import up

    if not _is_filled(settings, sizes, needs):
        _clear(settings, say)
        if services := tuple(sorted(needs - {NEWSROOM})):
            settings = up(settings, say, only=services, demo=False)
        for folder in ("logs", "tmp"):  # measuring processes need them even without services
            (settings.home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        if NEWSROOM in needs:
            readers = max(50, round(sizes.rows / (DAYS * EVENTS_PER_READER_DAY)))
            newsroom.play(settings, until=AS_OF, days=DAYS * sizes.windows, readers=readers, say=say)
        facts = {"sizes": asdict(sizes), "holds": sorted(needs)}
        (settings.home / FACTS).write_text(json.dumps(facts))
    return Installation(settings, sizes)


def _is_filled(settings: Settings, sizes: Sizes, needs: set[str]) -> bool:
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
