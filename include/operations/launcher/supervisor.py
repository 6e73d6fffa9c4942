"""The process that keeps the product running: `python -m include.operations.launcher.supervisor LOCK_FD [SERVICE,...]`.

`up` or the guardian hands it the state folder's lock, so there is always exactly one supervisor. On SIGTERM, or when
the file `wanted` is removed, it stops everything and ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from include.core.settings import Settings, load_settings
from include.operations.launcher import environment, files, locks, ports
from include.operations.launcher.keeper import Keeper
from include.operations.launcher.processes import identify, kill_marked, speaking_to
from include.operations.launcher.records import Board
from include.operations.launcher.services import chosen, prepared
from include.operations.launcher.stopping import stop_services

TICK_SECONDS = 0.5


def spawn(settings: Settings, module: str, lock: locks.Lock, only: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start the supervisor or the guardian in a session of its own, holding `lock` from the start."""
    log = files.log_path(settings.home, module)
    files.rotate(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", f"include.operations.launcher.{module}", str(lock.descriptor), ",".join(only)],
            env=environment.of_service(settings, module),
            start_new_session=True,
            pass_fds=[lock.descriptor],
            **speaking_to(output),
        )


class Supervisor:
    """The supervisor: runs a keeper per service, and the guardian, until it is stopped."""

    def __init__(self, settings: Settings, lock: locks.Lock, only: tuple[str, ...]) -> None:
        self.settings, self.lock, self.only = settings, lock, only
        self.stopping = threading.Event()
        self.services = chosen(settings, only)
        self.names = [service.name for service in self.services]
        self.board = Board(settings.home, ("supervisor", "guardian", *self.names))
        self.guardian: subprocess.Popen[bytes] | None = None
        self._moving = threading.Lock()

    def move_port(self, field: str) -> None:
        """Choose and save the next free port; raise an error if the environment sets the port."""
        with self._moving:
            old = getattr(self.settings, field)
            if field in environment.given():
                raise ports.taken(field, old)
            others = {getattr(self.settings, other) for other in ports.FIELDS}
            environment.store(self.settings.home, {field: str(ports.next_free(old + 1, others))})
            self.settings = load_settings()

    def run(self) -> None:
        """Keep everything running until told to stop; return when everything has stopped."""
        wanted = self.settings.home / files.WANTED
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        self._note_process("supervisor", os.getpid())
        for name in self.names:
            if self.board[name].process is None:
                self.board.note(name, state="starting", pid=0, born="")
        answering = {event: threading.Event() for name in self.names for event in (name, prepared(name))}
        keepers = [Keeper(service, self.board, self, answering) for service in self.services]
        for keeper in keepers:
            keeper.start()
        while wanted.exists() and not self.stopping.is_set():
            self._keep_guardian()
            self.stopping.wait(TICK_SECONDS)
        self.stopping.set()
        wanted.unlink(missing_ok=True)
        stop_services(self.settings, self.services, self.board, files.say)
        for keeper in keepers:
            keeper.join(5)
        if self.guardian is not None:
            self.guardian.wait(5)
        kill_marked(self.settings.home)
        for name in (files.SERVICES, files.GUARDIAN_LOCK):
            (self.settings.home / name).unlink(missing_ok=True)
        self.lock.release(remove=True)

    def _keep_guardian(self) -> None:
        if self.guardian is not None:
            self.guardian.poll()  # reaps it if it has died
        lock = locks.take(self.settings.home / files.GUARDIAN_LOCK)
        if lock is not None:
            self.guardian = spawn(self.settings, "guardian", lock, self.only)
            lock.release()
            self._note_process("guardian", self.guardian.pid)

    def _note_process(self, name: str, pid: int) -> None:
        process = identify(pid)
        if process is not None:
            self.board.note(name, state="running", pid=pid, born=process.born)


def main() -> None:
    """Take over the lock and supervise."""
    settings = load_settings()
    lock = locks.Lock(Path(settings.home / files.LOCK), int(sys.argv[1]))
    Supervisor(settings, lock, tuple(filter(None, sys.argv[2].split(",")))).run()


if __name__ == "__main__":
    main()
