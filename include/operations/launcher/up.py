"""Start everything, show progress, and leave it running in the background.

The process that holds the state folder's lock starts everything; all others only watch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from include.core.clock import now
from include.core.errors import ServiceError
from include.core.settings import PROJECT, Settings, load_settings
from include.data.store import digest_file, digest_of
from include.operations.launcher import environment, files, locks, preflight
from include.operations.launcher.down import down
from include.operations.launcher.records import load
from include.operations.launcher.services import chosen
from include.operations.launcher.supervisor import spawn

Say = Callable[[str], None]
TICK_SECONDS = 0.1
PATIENCE_SECONDS = 300.0
DAEMONS = ("supervisor", "guardian")
CODE = ("include", "plugins", "feature_repo", "requirements.txt")  # Airflow reads dags/ again by itself


def up(settings: Settings, say: Say, *, only: tuple[str, ...] = (), demo: bool = True) -> Settings:
    """Start everything; return the settings with the chosen ports and passwords.

    If everything already runs on this code, say so and change nothing; on other code, restart it. If interrupted,
    services keep starting in the background.
    """
    code = code_digest()
    if runs_other_code(settings, code):
        _restart(settings, only, code, say)
    if is_up(settings, only):
        say("already running")
        return load_settings()
    start(settings, only, code)
    player = Newsroom(say) if demo and not only else None
    _follow(only, say, player)
    if player is not None:
        player.finish()
    return load_settings()


def is_up(settings: Settings, only: tuple[str, ...] = ()) -> bool:
    """Return whether the supervisor and every service run."""
    records = load(settings.home)
    names = _names(settings, only)
    return locks.is_held(settings.home / files.LOCK) and all(
        name in records and records[name].state == "running" and records[name].process for name in names
    )


def _names(settings: Settings, only: tuple[str, ...]) -> list[str]:
    return [*DAEMONS, *(service.name for service in chosen(settings, only))]


def code_digest() -> str:
    """Return the digest of everything that a service has loaded."""
    found = [path for name in CODE for path in ((PROJECT / name), *(PROJECT / name).rglob("*"))]
    kept = sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
    return digest_of([(str(path.relative_to(PROJECT)), digest_file(path)) for path in kept])


def runs_other_code(settings: Settings, code: str) -> bool:
    """Return whether a living service was started with code other than `code`, or it is not known with which."""
    if not any(record.process for record in load(settings.home).values()):
        return False
    try:
        return (settings.home / files.WANTED).read_text() != code
    except FileNotFoundError:
        return True


def _restart(settings: Settings, only: tuple[str, ...], code: str, say: Say) -> None:
    """Stop what runs other code, and start anew; of two processes that want to, one does."""
    while (lock := locks.take(settings.home / files.RESTART_LOCK)) is None:
        time.sleep(TICK_SECONDS)
    try:
        if runs_other_code(settings, code):
            say("restarting: the code has changed since the services started")
            down(settings, say)
            start(settings, only, code)
    finally:
        lock.release(remove=True)


def start(settings: Settings, only: tuple[str, ...], code: str) -> None:
    """Run the checks, then hand the lock to a new supervisor; do nothing if one runs."""
    home = settings.home
    if locks.is_held(home / files.LOCK):
        return
    preflight.check(settings)
    lock = locks.take(home / files.LOCK)
    if lock is None:
        return
    try:
        if not any(record.process for record in load(home).values()):
            preflight.clear_temporary(home)
            (home / files.SERVICES).unlink(missing_ok=True)
            settings = environment.complete(settings)
        files.write_private(home / files.WANTED, code)
        spawn(settings, "supervisor", lock, only)
    finally:
        lock.release()


def _follow(only: tuple[str, ...], say: Say, player: Newsroom | None) -> None:
    """Print a line when each service is ready; return when all are."""
    settings = load_settings()
    waiting = set(_names(settings, only))
    end = time.monotonic() + PATIENCE_SECONDS
    while waiting:
        records = load(settings.home)
        for name in sorted(waiting & records.keys(), key=list(records).index):
            record = records[name]
            if record.state == "failing":
                fact, _, hint = record.note.partition(" Hint: ")
                raise ServiceError(f"{name} does not start: {fact}", hint=hint or f"see `bin/daybreak logs {name}`.")
            if record.state == "running":
                waiting.remove(name)
                if name not in DAEMONS:
                    say(f"{name} ready{record.where and f' on {record.where}'}")
                if name == "postgres" and player is not None:
                    player.start()
        if not locks.is_held(settings.home / files.GUARDIAN_LOCK) and not locks.is_held(settings.home / files.LOCK):
            raise ServiceError("The supervisor ended while starting.", hint="see `bin/daybreak logs supervisor`.")
        if time.monotonic() > end:
            names = ", ".join(sorted(waiting))
            raise ServiceError(f"Not ready after {PATIENCE_SECONDS:.0f} s: {names}.", hint="see `bin/daybreak status`.")
        time.sleep(TICK_SECONDS)


class Newsroom(threading.Thread):
    """A thread that plays the demo publisher while Airflow and MLflow start, which is mostly waiting."""

    def __init__(self, say: Say) -> None:
        super().__init__(name="newsroom", daemon=True)
        self.say = say
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Play unless an earlier `up` did."""
        try:
            settings = load_settings()
            if not has_newsroom(settings):
                from include.operations.demo import newsroom

                newsroom.create(settings)
                newsroom.play(settings, until=now(), say=self.say)
                self.say("newsroom played")
        except BaseException as failure:
            self.failure = failure

    def finish(self) -> None:
        """Wait for the end; raise the error if playing failed."""
        self.join()
        if self.failure is not None:
            raise self.failure


def has_newsroom(settings: Settings) -> bool:
    """Return whether the demo publisher has been played before."""
    from include.adapters import warehouse

    with warehouse.connect(settings, "newsroom") as connection:
        row = connection.execute("select to_regclass('newsroom.state')").fetchone()
        return row is not None and row[0] is not None
