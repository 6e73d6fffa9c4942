"""Stop services in order: dependent ones first, PostgreSQL last, with every process that outlives its parent.

It works from the records, so the supervisor that started them may be dead.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable

from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.launcher.processes import Process, kill_marked, send_signal, wait_gone
from include.operations.launcher.records import Board
from include.operations.launcher.services import Service

Report = Callable[[str], None]


def stop_services(settings: Settings, services: Iterable[Service], board: Board, report: Report) -> None:
    """Stop the services: ask each, give it time, then kill it."""
    by_wave: dict[int, list[Service]] = {}
    for service in services:
        by_wave.setdefault(service.wave, []).append(service)
    for wave in sorted(by_wave):
        there = {service: board[service.name].process or service.find(settings) for service in by_wave[wave]}
        for service, process in there.items():
            if process is not None:
                board.note(service.name, state="stopping", pid=process.pid, born=process.born, note="")
                send_signal([process], service.stop_signal)
        for service, process in there.items():
            end(settings, service, process)
            board.note(service.name, state="stopped", pid=0, born="", note="")
            if process is not None:
                report(f"{service.name} stopped")


def end(settings: Settings, service: Service, process: Process | None) -> None:
    """Wait for a service that was asked to stop, then kill it and everything left of it."""
    if process is not None and wait_gone([process], service.grace_seconds):
        send_signal([process], signal.SIGKILL)
        wait_gone([process], 5)
    kill_marked(settings.home, service.name)
    try:
        service.clean(settings)
    except DaybreakError as error:
        print(error)
