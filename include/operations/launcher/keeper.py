"""Keep one service alive: wait for its prerequisites, adopt or start it, wait for its answer, watch it, repeat.

One thread per service. A service that dies often is restarted more slowly and reported as failing, but never given up.
"""

from __future__ import annotations

import subprocess
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from include.core.clock import now
from include.core.errors import DaybreakError, ServiceError
from include.core.settings import Settings
from include.operations.launcher import files, ports
from include.operations.launcher.files import say
from include.operations.launcher.processes import Process, alive, identify, kill_marked, listens, speaking_to
from include.operations.launcher.records import Board
from include.operations.launcher.services import Service, prepared

TICK_SECONDS = 0.4
LOOK_SECONDS = 2.0
PROBE_SECONDS = 15.0
MUTE_SECONDS = 120.0  # a process without an answer for this long counts as dead
YOUNG_SECONDS = 120.0  # a new scheduler takes over its predecessor's tasks within 60 s
MANY_DEATHS, WITHIN_SECONDS = 5, 60.0
LONGEST_PAUSE_SECONDS, FAILING_PAUSE_SECONDS = 4.0, 15.0
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


Start = tuple[list[str], dict[str, str]]  # command and environment


class House(Protocol):
    """The state that keepers share: current settings, the signal to stop, and the right to move a port."""

    settings: Settings
    services: tuple[Service, ...]
    stopping: threading.Event

    def move_port(self, field: str) -> None:
        """Choose another port when a service's own is taken; raise an error if the environment sets that port."""


class Stopping(Exception):
    """The house is stopping: end every wait."""


class RestartNeeded(Exception):
    """The service runs but must be restarted; the message says why. The keeper does it without anyone's help."""


class Keeper(threading.Thread):
    """A thread that keeps `service` alive until the house stops; `answering` tells the others that it answers."""

    def __init__(self, service: Service, board: Board, house: House, answering: Mapping[str, threading.Event]) -> None:
        super().__init__(name=service.name, daemon=True)
        self.service, self.board, self.house, self.answering = service, board, house, answering
        self.deaths: deque[float] = deque(maxlen=MANY_DEATHS)
        self.child: subprocess.Popen[bytes] | None = None
        self.since = LONG_AGO
        self.has_answered = False
        self.started_as: Start | None = None

    def run(self) -> None:
        """Run until the house stops."""
        name = self.service.name
        try:
            while True:
                try:
                    self._wait_for_prerequisites()
                    process = self._adopt() or self._start()
                    self._wait_until_ready(process)
                    self.has_answered = True
                    self.board.note(name, state="running", note="")
                    say(f"{name}: running as process {process.pid}")
                    self.answering[name].set()
                    self._watch(process)
                except Stopping:
                    raise
                except Exception as error:  # any error: the service must come back
                    if not isinstance(error, DaybreakError | OSError | RestartNeeded):
                        traceback.print_exc()
                    self.answering[name].clear()
                    self._mourn(str(error))
        except Stopping:
            pass

    def _pause(self, seconds: float) -> None:
        if self.house.stopping.wait(seconds):
            raise Stopping

    def _prerequisites_answer(self) -> bool:
        return all(self.answering[name].is_set() for name in self.service.after if name in self.answering)

    def _wait_for_prerequisites(self) -> None:
        while not self._prerequisites_answer():
            self._pause(TICK_SECONDS)
        # an event only says that it answered once; PostgreSQL, for example, may be recovering right now
        for service in self.house.services:
            if service.name in self.service.after:
                while self.deaths and not service.ready(self.house.settings, LONG_AGO):
                    self._pause(TICK_SECONDS)

    def _adopt(self) -> Process | None:
        """Return the living process of a previous supervisor; called only before the first start."""
        if self.child is not None:
            return None
        process = self.board[self.service.name].process or self.service.find(self.house.settings)
        if process is None:
            return None
        self.since = LONG_AGO
        self.answering[prepared(self.service.name)].set()
        self.board.note(self.service.name, state="starting", pid=process.pid, born=process.born)
        return process

    def _start(self) -> Process:
        service, settings = self.service, self.house.settings
        self.board.note(service.name, state="starting", pid=0, born="", where=service.where(settings))
        kill_marked(settings.home, service.name)
        service.prepare(settings)
        self.answering[prepared(service.name)].set()
        self._pause(0)
        log = files.log_path(settings.home, service.name)
        files.rotate(log)
        self.since = now()
        with log.open("ab") as output:
            command, variables = self.started_as = self._as_of_now()
            self.child = subprocess.Popen(command, env=variables, start_new_session=True, **speaking_to(output))
        process = identify(self.child.pid)
        if process is None:
            raise self._death()
        self.board.note(service.name, pid=process.pid, born=process.born)
        return process

    def _as_of_now(self) -> Start:
        settings = self.house.settings
        return self.service.command(settings), self.service.environment(settings, self.service.name)

    def _check_addresses(self) -> None:
        """Raise `RestartNeeded` if another service moved to a new port after this one got its address."""
        if self.started_as is not None and self.started_as != self._as_of_now():
            raise RestartNeeded(f"{self.service.name} was started with an address that has changed.")

    def _wait_until_ready(self, process: Process) -> None:
        end = time.monotonic() + self.service.patience_seconds
        while not self._answers(process):
            self._check_addresses()
            if not alive(process):
                raise self._death()
            if time.monotonic() > end:
                raise ServiceError(
                    f"{self.service.name} runs but has not answered for {self.service.patience_seconds:.0f} s.",
                    hint=f"see `bin/daybreak logs {self.service.name}`.",
                )
            self._pause(TICK_SECONDS)
        self.service.settle(self.house.settings)

    def _answers(self, process: Process) -> bool:
        settings = self.house.settings
        if not all(listens(process, getattr(settings, field)) for field in self.service.ports):
            return False
        return bool(self.service.ready(settings, self.since))

    def _watch(self, process: Process) -> None:
        """Watch until the service ends or must be restarted; always raise the error that says why."""
        begun = answered = probed = looked = time.monotonic()
        known: frozenset[int] = frozenset()
        wounded = False
        while alive(process):
            self._pause(TICK_SECONDS)
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._check_addresses()
                helpers = self.service.helpers(process)
                wounded = wounded or not known <= helpers
                known |= helpers
                if wounded and not self.service.busy(process):
                    raise RestartNeeded(f"{self.service.name} lost a worker that it cannot replace.")
            if time.monotonic() - probed < PROBE_SECONDS:
                continue
            # an unknown answer (None), or a prerequisite that does not answer, says nothing about this service
            if self.service.ready(self.house.settings, LONG_AGO) is not False or not self._prerequisites_answer():
                answered = time.monotonic()
            probed = time.monotonic()
            self.service.look_after(self.house.settings)
            if probed - begun > YOUNG_SECONDS and self.service.holds_up_work(self.house.settings, process):
                raise RestartNeeded(f"{self.service.name} has queued work but starts none.")
            if probed - answered > MUTE_SECONDS:
                raise ServiceError(
                    f"{self.service.name} has not answered for {MUTE_SECONDS:.0f} s.",
                    hint=f"see `bin/daybreak logs {self.service.name}`.",
                )
        raise self._death()

    def _death(self) -> ServiceError:
        code = self.child.poll() if self.child else None  # also reaps it
        how = "has died" if code is None else f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return ServiceError(f"{self.service.name} {how}.", hint=f"see `bin/daybreak logs {self.service.name}`.")

    def _mourn(self, why: str) -> None:
        """Clean up after a dead service and wait a little before the next start."""
        self._pause(0)
        name = self.service.name
        kill_marked(self.house.settings.home, name)
        if self.child is not None:
            self.child.poll()
        self.deaths.append(time.monotonic())
        recent = sum(1 for death in self.deaths if self.deaths[-1] - death < WITHIN_SECONDS)
        failing = recent == MANY_DEATHS
        if not self.has_answered:
            try:
                self._move_ports()
            except DaybreakError as error:
                why, failing = str(error), True
        say(f"{name}: {why}")
        restarts = self.board[name].restarts + 1
        self.board.note(name, state="failing" if failing else "starting", note=why, pid=0, born="", restarts=restarts)
        self._pause(FAILING_PAUSE_SECONDS if failing else min(0.25 * 2**recent, LONGEST_PAUSE_SECONDS))

    def _move_ports(self) -> None:
        """Move to other ports if another program took one between its choice and its use."""
        for field in self.service.ports:
            if not ports.is_free(getattr(self.house.settings, field)):
                self.house.move_port(field)
