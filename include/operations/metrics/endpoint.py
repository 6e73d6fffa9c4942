"""The address where Prometheus reads the figures: in the sentinel, which answers while Airflow is down."""

from __future__ import annotations

from collections.abc import Callable

from include.adapters.prometheus import serve
from include.core.clock import now
from include.core.settings import Settings, load_settings
from include.operations.launcher.files import say
from include.operations.metrics.reading import Reader


class Endpoint:
    """Serves `/metrics`. A port that cannot be used costs the sentinel no round; the next one tries again."""

    def __init__(self) -> None:
        self.place: tuple[str, int] | None = None
        self.stop: Callable[[], None] | None = None

    def keep(self, settings: Settings) -> None:
        """Serve at the settings' port, if that is not so already."""
        place = (settings.listen_host, settings.metrics_port)
        if place == self.place:
            return
        try:
            stop = serve(*place, Reader(load_settings, now).read)
        except OSError as error:
            say(f"metrics: port {settings.metrics_port} cannot be used: {error}")
            return
        if self.stop:
            self.stop()
        self.place, self.stop = place, stop
