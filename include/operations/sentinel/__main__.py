"""`python -m include.operations.sentinel`: a round every minute, and figures for Prometheus, until it is stopped."""

from __future__ import annotations

import signal
import threading

from include.alerts.channels import find_channels
from include.core.clock import now
from include.core.settings import load_settings
from include.operations.launcher import files
from include.operations.metrics.endpoint import Endpoint
from include.operations.sentinel.rounds import Sentinel

ROUND_SECONDS = 60


def watch() -> None:
    """Make rounds until SIGTERM; after each, touch the file by which the launcher sees that it looks."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sentinel, endpoint = Sentinel(now()), Endpoint()
    while not stopping.is_set():
        settings = load_settings()  # a port may have moved, a recipient may have changed
        endpoint.keep(settings)
        sentinel.look(settings, find_channels(settings), now())
        (settings.home / files.SENTINEL_BEAT).touch()
        stopping.wait(ROUND_SECONDS)


if __name__ == "__main__":
    watch()
