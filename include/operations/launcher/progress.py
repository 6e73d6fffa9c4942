"""Lines of progress for people, on standard error, each with the seconds since the beginning."""

from __future__ import annotations

import sys
import threading
import time


class Progress:
    """Call it with a sentence; threads may share one."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, sentence: str) -> None:
        """Print the sentence with the seconds so far."""
        with self._lock:
            print(f"{time.monotonic() - self._begin:6.1f}s  {sentence}", file=sys.stderr, flush=True)
