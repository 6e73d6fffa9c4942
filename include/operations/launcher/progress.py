"""Progress lines on standard error, each with the seconds since the start."""

from __future__ import annotations

import sys
import threading
import time


class Progress:
    """A function that prints a sentence as a progress line; threads may share it."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, sentence: str) -> None:
        """Print the sentence with the seconds so far."""
        with self._lock:
            print(f"{time.monotonic() - self._begin:6.1f}s  {sentence}", file=sys.stderr, flush=True)
