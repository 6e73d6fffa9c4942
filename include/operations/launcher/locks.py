"""File locks with one holder, which end with the holder's process and can be handed to a child without a gap.

A zombie holds no lock, so "the lock is free" is the only reliable test for "that process is gone".
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """A held lock: keep it, `give` its descriptor to a child, or `release` it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        os.set_inheritable(descriptor, False)

    def release(self, *, remove: bool = False) -> None:
        """Free the lock for this process; `remove` deletes the file first."""
        if remove:
            self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def take(path: Path) -> Lock | None:
    """Return the lock, or None while another process holds it."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        # the previous holder may have removed the file between our open and our lock; then this lock guards nothing
        try:
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return Lock(path, descriptor)
        except FileNotFoundError:
            pass
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock, without creating the file."""
    if not path.exists():
        return False
    lock = take(path)
    if lock is None:
        return True
    lock.release()
    return False
