"""Stop everything in order, with or without a supervisor, and leave no process, port or lock behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from include.core.errors import StateFolderError
from include.core.settings import Settings
from include.operations.launcher import files, locks
from include.operations.launcher.processes import kill_marked, send_signal, wait_gone
from include.operations.launcher.records import Board, Record, load
from include.operations.launcher.services import SERVICES
from include.operations.launcher.stopping import stop_services

Say = Callable[[str], None]
TICK_SECONDS = 0.1
PATIENCE_SECONDS = 150.0  # more than all services' grace periods together
TRACES = (files.WANTED, files.LOCK, files.GUARDIAN_LOCK, files.SERVICES)


def down(settings: Settings, say: Say) -> None:
    """Stop everything of this state folder; do nothing if nothing runs."""
    home = settings.home
    if not any((home / name).exists() for name in TRACES):
        say("nothing was running")
        return
    try:
        (home / files.WANTED).unlink(missing_ok=True)
        before = any(record.process for record in load(home).values())
        lock = _ask_supervisor(settings, say)
        board = Board(home, tuple(service.name for service in SERVICES))
        stop_services(settings, SERVICES, board, say)
        _end_guardian(settings)
        strays = kill_marked(home)
        for name in (files.SERVICES, files.GUARDIAN_LOCK):
            (home / name).unlink(missing_ok=True)
        lock.release(remove=True)
    except OSError as error:
        raise StateFolderError(
            f"{home} cannot be written: {error.strerror}.", hint="run this as the user who started it."
        ) from None
    say("everything is stopped" if before or strays else "nothing was running")


def _ask_supervisor(settings: Settings, say: Say) -> locks.Lock:
    """Tell the supervisor to stop everything, show progress, and return its lock once it has ended."""
    home = settings.home
    running = [name for name, record in load(home).items() if record.process and name not in ("supervisor", "guardian")]
    end = time.monotonic() + PATIENCE_SECONDS
    asked = False
    while True:
        lock = locks.take(home / files.LOCK)  # before looking, so that the last look sees everything
        records = load(home)
        for name in [name for name in running if records.get(name, Record()).state == "stopped"]:
            running.remove(name)
            say(f"{name} stopped")
        if lock is not None:
            return lock
        supervisor = records.get("supervisor", Record()).process
        if supervisor is not None and not asked:
            send_signal([supervisor], signal.SIGTERM)
            asked = True
        if supervisor is not None and time.monotonic() > end:
            say("the supervisor does not stop: killing it")
            send_signal([supervisor], signal.SIGKILL)
        time.sleep(TICK_SECONDS)


def _end_guardian(settings: Settings) -> None:
    process = load(settings.home).get("guardian", Record()).process
    if process is not None and wait_gone([process], 3):
        send_signal([process], signal.SIGKILL)
        wait_gone([process], 3)
