"""Serve figures to Prometheus over HTTP, by its own client library.

Belongs here: the format and the server. Does not belong here: which figures there are (`include/operations/metrics/`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

Values = Mapping[tuple[str, ...], float | None]


@dataclass(frozen=True)
class Figure:
    """A figure by name, with what it is, the names of its labels, and whether it only grows."""

    name: str
    about: str
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter"] = "gauge"


Reading = tuple[Figure, Values]  # label values -> value; what is unknown is left out
Read = Callable[[], Iterable[Reading]]


class _Ours(Collector):
    def __init__(self, read: Read) -> None:
        self.read = read

    def collect(self) -> Iterator[Any]:
        for figure, values in self.read():
            kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            family = kind(figure.name, figure.about, labels=figure.labels)
            for labels, value in values.items():
                if value is not None:
                    family.add_metric(labels, float(value))
            yield family

    def describe(self) -> Iterator[Any]:
        """Describe nothing, or registering would read all figures."""
        return iter(())


def _registry(read: Read) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ours(read))
    return registry


def write_text(read: Read) -> str:
    """Return the figures as Prometheus reads them."""
    return generate_latest(_registry(read)).decode()


def serve(host: str, port: int, read: Read) -> Callable[[], None]:
    """Serve the figures in a thread, read anew at every request; return what ends it."""
    server, thread = start_http_server(port, addr=host, registry=_registry(read))

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return stop
