"""Restart the supervisor when it is killed: `python -m include.operations.launcher.guardian LOCK_FD [SERVICE,...]`.

A free supervisor's lock means that the supervisor has died; the guardian hands that lock to a new one. The supervisor
watches the guardian in the same way. The guardian ends when the file `wanted` is removed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from include.core.settings import load_settings
from include.operations.launcher import files, locks
from include.operations.launcher.supervisor import spawn

TICK_SECONDS = 0.5


def main() -> None:
    """Watch until the product is no longer wanted."""
    settings = load_settings()
    own = locks.Lock(settings.home / files.GUARDIAN_LOCK, int(sys.argv[1]))
    only = tuple(filter(None, sys.argv[2].split(",")))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervisor: subprocess.Popen[bytes] | None = None
    wanted = settings.home / files.WANTED
    while wanted.exists():
        if supervisor is not None:
            supervisor.poll()  # reaps it if it has died
        lock = locks.take(settings.home / files.LOCK)
        if lock is not None:
            if wanted.exists():
                files.say("the supervisor has died: starting another")
                supervisor = spawn(settings, "supervisor", lock, only)
            lock.release()
        time.sleep(TICK_SECONDS)
    own.release(remove=True)


if __name__ == "__main__":
    main()
