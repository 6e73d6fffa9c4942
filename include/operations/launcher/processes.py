"""Find, identify and end processes. A pid alone is not enough: it may belong to another process by the time it is used.

A zombie counts as dead, because PID 1 of a container often reaps no process. Every started process carries a mark in
its environment, so that processes that outlive their parent (idle workers, grandchildren) can be found and ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from include.core.settings import PROJECT

MARK = "_DAYBREAK_PROCESS"


@dataclass(frozen=True)
class Process:
    """A pid and the process's start time; together they are unique."""

    pid: int
    born: str


def speaking_to(output: IO[bytes]) -> dict[str, Any]:
    """Return the arguments that start a process without input and with all output in this log."""
    return {"cwd": PROJECT, "stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}


def identify(pid: int) -> Process | None:
    """Return the living process that has this pid now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(pid, _born(process))
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None


def _born(process: psutil.Process) -> str:
    # clock ticks since boot do not change when the wall clock is set; psutil's create_time does
    try:
        ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()[:8]}-{ticks}"
    except FileNotFoundError:
        return f"{process.create_time():.2f}"


def alive(process: Process) -> bool:
    """Return whether this process still runs."""
    return identify(process.pid) == process


def listens(process: Process, port: int) -> bool:
    """Return whether this process or a child of it listens on a port; True if the system does not say."""
    try:
        root = psutil.Process(process.pid)
        for one in (root, *root.children(recursive=True)):
            for connection in one.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return True
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        pass
    return False


def mark(home: Path, name: str) -> str:
    """Return the value of `MARK` in the environment of a service."""
    return f"{name}@{home}"


def marked(home: Path, name: str | None = None) -> list[Process]:
    """Return the living processes started for `home`, or for one service of it, at any depth."""
    found = []
    for process in psutil.process_iter():
        try:
            value = process.environ().get(MARK, "")
        except (psutil.Error, OSError):
            continue
        owner, _, where = value.partition("@")
        if where == str(home) and name in (None, owner) and process.pid != os.getpid():
            identity = identify(process.pid)
            if identity is not None:
                found.append(identity)
    return found


def send_signal(processes: Iterable[Process], signal_number: int) -> None:
    """Send a signal to the processes that are still alive."""
    for process in processes:
        if alive(process):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal_number)


def wait_gone(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait at most `seconds` for the processes to end; return those still alive."""
    end = time.monotonic() + seconds
    left = [process for process in processes if alive(process)]
    while left and time.monotonic() < end:
        time.sleep(0.05)
        left = [process for process in left if alive(process)]
    return left


def kill_marked(home: Path, name: str | None = None) -> int:
    """Kill all processes left of a service, or of all services; return how many."""
    count = 0
    for _ in range(5):  # a killed process may have started another just before
        left = marked(home, name)
        if not left:
            break
        count += len(left)
        send_signal(left, signal.SIGKILL)
        wait_gone(left, 3)
    return count
