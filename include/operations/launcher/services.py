"""The services of the product as data, in starting order: command, environment, prerequisites, readiness.

To add a service, add an entry to `SERVICES`. Does not belong here: keeping services alive (`keeper`).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from include.adapters import embedded_postgres, warehouse
from include.core.errors import DaybreakError
from include.core.settings import Settings
from include.operations.launcher import environment, executor, pools, ports, preparations, probes
from include.operations.launcher.processes import Process


def _nothing(settings: Settings) -> None:
    """Do nothing."""


def _none(process: Process) -> frozenset[int]:
    """Return no helpers."""
    return frozenset()


def _never(process: Process) -> bool:
    """Return False: the service is never busy."""
    return False


def _never_stuck(settings: Settings, process: Process) -> bool:
    """Return False: the service is never stuck."""
    return False


def _no_process(settings: Settings) -> Process | None:
    """Return None: the service cannot be found without records."""
    return None


@dataclass(frozen=True)
class Service:
    """A service. The lowest `wave` is stopped first.

    `after` names services that must answer first; `prepared(name)` requires only that service's preparation. `find`
    finds a running process without records, `prepare` runs before a start, `settle` after the first answer and before
    dependent services start, `tend` now and then while it runs, `clean` after the service has ended. A service that
    lost one of its `helpers` is restarted once it is not `busy`; a `stuck` one is restarted at once.
    """

    name: str
    command: Callable[[Settings], list[str]]
    ready: probes.Probe
    wave: int
    after: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    environment: Callable[[Settings, str], dict[str, str]] = environment.of_service
    find: Callable[[Settings], Process | None] = _no_process
    prepare: Callable[[Settings], None] = _nothing
    clean: Callable[[Settings], None] = _nothing
    settle: Callable[[Settings], None] = _nothing
    tend: Callable[[Settings], None] = _nothing
    helpers: Callable[[Process], frozenset[int]] = _none
    busy: Callable[[Process], bool] = _never
    stuck: Callable[[Settings, Process], bool] = _never_stuck
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 20
    patience_seconds: float = 180

    def holds_up_work(self, settings: Settings, process: Process) -> bool:
        """Return whether it is `stuck`; False while that is unknown."""
        try:
            return self.stuck(settings, process)
        except DaybreakError:  # PostgreSQL does not answer
            return False

    def look_after(self, settings: Settings) -> None:
        """Repair what somebody removed under its feet; wait for the next time while PostgreSQL is away."""
        with suppress(DaybreakError):
            self.tend(settings)

    def where(self, settings: Settings) -> str:
        """Return the address it listens on, if any."""
        return f"127.0.0.1:{getattr(settings, self.ports[0])}" if self.ports else ""


def prepared(name: str) -> str:
    """Return the entry for `after` of a service that needs another one's preparation, not its answer."""
    return f"{name} prepared"


def _mlflow(settings: Settings) -> list[str]:
    names = (f"127.0.0.1:{settings.mlflow_port}", f"localhost:{settings.mlflow_port}")
    return [
        *(sys.executable, "-m", "mlflow", "server", "--workers", "1", "--app-name", "daybreak"),
        *("--host", settings.mlflow_host, "--port", str(settings.mlflow_port), "--allowed-hosts", ",".join(names)),
        *("--backend-store-uri", warehouse.uri(settings, "mlflow", "postgresql+psycopg2")),
        *("--artifacts-destination", str(settings.home / "mlflow" / "artifacts")),
    ]


def _airflow(*arguments: str) -> Callable[[Settings], list[str]]:
    return lambda settings: [sys.executable, "-m", "airflow", *arguments]


def _component(name: str, *flags: str, **more: Any) -> Service:
    return Service(
        name,
        _airflow(name, *flags),
        probes.heartbeat(name.replace("-", "_")),
        wave=1,
        after=("postgres", "mailbox", prepared("api-server")),
        environment=environment.of_airflow,
        **more,
    )


SERVICES = (
    Service(
        "postgres",
        lambda settings: embedded_postgres.serve(preparations.data_folder(settings), settings.postgres_port),
        probes.postgres,
        wave=3,
        ports=("postgres_port",),
        find=preparations.find_postgres,
        prepare=preparations.before_postgres,
        clean=preparations.clean_postgres,
        settle=preparations.after_postgres,
        stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, nothing is lost
        grace_seconds=60,
    ),
    Service(
        "mailbox",
        lambda settings: [sys.executable, "-m", "include.operations.demo.mailbox"],
        probes.mailbox,
        wave=2,
        ports=("mailbox_port", "smtp_port"),
        grace_seconds=5,
    ),
    Service(
        "mlflow",
        _mlflow,
        probes.mlflow,
        wave=2,
        after=("postgres",),
        ports=("mlflow_port",),
        environment=environment.of_mlflow,
        grace_seconds=10,
    ),
    Service(
        "api-server",
        _airflow("api-server"),
        probes.api_server,
        wave=2,
        after=("postgres",),
        ports=("airflow_port",),
        environment=environment.of_airflow,
        prepare=preparations.before_airflow,
    ),
    _component(
        "scheduler",
        "--skip-serve-logs",  # otherwise it serves logs to the whole network
        helpers=executor.workers,
        busy=executor.runs_a_task,
        stuck=executor.is_stuck,
        tend=pools.create,  # tasks of a pool that is gone would wait for ever, in silence
    ),
    _component("dag-processor"),
    _component("triggerer", "--skip-serve-logs"),
    Service(
        "sentinel",
        lambda settings: [sys.executable, "-m", "include.operations.sentinel"],
        probes.sentinel,
        wave=1,
        after=("postgres",),
        ports=("metrics_port",),
        grace_seconds=10,
    ),
)


def chosen(settings: Settings, only: tuple[str, ...] = ()) -> tuple[Service, ...]:
    """Return the services to run here: all or those named, without the mailbox when mail goes to a real server."""
    names = {
        service.name
        for service in SERVICES
        if (not only or service.name in only) and (service.name != "mailbox" or ports.catches_mail(settings))
    }
    return tuple(service for service in SERVICES if service.name in names)
