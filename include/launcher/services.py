"""The services of the product, in the order they start, as data: command, environment, who comes first, when ready.

Adding a service is adding an entry to `SERVICES`. How services are kept alive is not here (see `keeper`).
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg

from include.adapters import embedded_postgres, warehouse
from include.errors import ServiceError
from include.launcher import environment, executor, files, ports, probes
from include.launcher.processes import Process, identify
from include.settings import PROJECT, Settings
from include.store import digest_file, digest_of


def _nothing(settings: Settings) -> None:
    """Nothing to do."""


def _none(process: Process) -> frozenset[int]:
    """Has no helpers."""
    return frozenset()


def _never(process: Process) -> bool:
    """Has nothing that could."""
    return False


def _nobody(settings: Settings) -> Process | None:
    """Cannot be found without records."""
    return None


@dataclass(frozen=True)
class Service:
    """One service; `wave` is when it is stopped: the lowest number first.

    `after` names services that must answer first; `prepared(name)` asks only for that service's preparation.
    `find` knows a running one without records, `prepare` is called before a start, `settle` when it first answers and
    before those after it start, `clean` when it has ended. A service that lost one of its `helpers` is restarted as
    soon as it is not `busy`.
    """

    name: str
    command: Callable[[Settings], list[str]]
    ready: probes.Probe
    wave: int
    after: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    environment: Callable[[Settings, str], dict[str, str]] = environment.of_service
    find: Callable[[Settings], Process | None] = _nobody
    prepare: Callable[[Settings], None] = _nothing
    clean: Callable[[Settings], None] = _nothing
    settle: Callable[[Settings], None] = _nothing
    helpers: Callable[[Process], frozenset[int]] = _none
    busy: Callable[[Process], bool] = _never
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 20
    patience_seconds: float = 180

    def where(self, settings: Settings) -> str:
        """The address it listens on, if it does."""
        return f"127.0.0.1:{getattr(settings, self.ports[0])}" if self.ports else ""


def prepared(name: str) -> str:
    """What to write in `after` for a service that needs another one's preparation, not its answer."""
    return f"{name} prepared"


def data_folder(settings: Settings) -> Path:
    """Where the embedded PostgreSQL keeps its data."""
    return settings.home / "postgres" / "data"


def _before_postgres(settings: Settings) -> None:
    data = data_folder(settings)
    embedded_postgres.clear_killed(data)
    embedded_postgres.init(data, warehouse.password(settings, "postgres"), files.log_path(settings.home, "postgres"))


def _find_postgres(settings: Settings) -> Process | None:
    pid = embedded_postgres.postmaster(data_folder(settings))
    return identify(pid) if pid else None


def _after_postgres(settings: Settings) -> None:
    warehouse.prepare_server(settings)
    warehouse.migrate(settings)


def _mlflow(settings: Settings) -> list[str]:
    names = (f"127.0.0.1:{settings.mlflow_port}", f"localhost:{settings.mlflow_port}")
    return [
        *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
        *("--host", settings.mlflow_host, "--port", str(settings.mlflow_port), "--allowed-hosts", ",".join(names)),
        *("--backend-store-uri", warehouse.uri(settings, "mlflow", "mlflow", "postgresql+psycopg2")),
        *("--artifacts-destination", str(settings.home / "mlflow" / "artifacts")),
    ]


def _before_airflow(settings: Settings) -> None:
    """The metadata database is migrated, once, before any of the four processes: the first run writes the keys."""
    home = settings.home / "airflow"
    passwords = {settings.airflow_user: settings.airflow_password.get_secret_value()}
    files.write_private(home / "passwords.json", json.dumps(passwords))
    shutil.copyfile(
        Path(__file__).with_name("airflow_local_settings.py"), home / "config" / "airflow_local_settings.py"
    )
    stamp = home / "migrated"
    if stamp.exists() and stamp.read_text() == _airflow_schema(settings):
        return
    log = files.log_path(settings.home, "airflow-migrate")
    with log.open("ab") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=environment.of_airflow(settings, "api-server"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise ServiceError("Airflow could not migrate its database.", hint=f"{log} says why.")
    files.write_private(stamp, _airflow_schema(settings))


def _before_scheduler(settings: Settings) -> None:
    """Feast's declarations are registered before the first run can ask for them; again only when they have changed."""
    stamp = settings.home / "features" / "registered"
    declared = digest_of([digest_file(path) for path in sorted((PROJECT / "feature_repo").glob("*.*"))])
    if stamp.exists() and stamp.read_text() == declared:
        return
    log = files.log_path(settings.home, "feast-apply")
    with log.open("ab") as output:
        done = subprocess.run(  # in a process of its own: Feast is half a gigabyte to load
            [sys.executable, "-m", "include", "features", "apply"],
            env=environment.of_service(settings, "feast-apply"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise ServiceError("Feast could not register its declarations.", hint=f"{log} says why.")
    files.write_private(stamp, declared)


def _airflow_schema(settings: Settings) -> str:
    """Which Airflow is installed and which revision its database has: while both stay, migrating is skipped."""
    with warehouse.connect(settings, "airflow", "airflow") as database:
        try:
            row = database.execute("select version_num from alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    return f"{version('apache-airflow')} {row and row[0]}"


def _airflow(*arguments: str) -> Callable[[Settings], list[str]]:
    return lambda settings: [sys.executable, "-m", "airflow", *arguments]


SERVICES = (
    Service(
        "postgres",
        lambda settings: embedded_postgres.serve(data_folder(settings), settings.postgres_port),
        probes.postgres,
        wave=3,
        ports=("postgres_port",),
        find=_find_postgres,
        prepare=_before_postgres,
        clean=lambda settings: embedded_postgres.clear_killed(data_folder(settings)),
        settle=_after_postgres,
        stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, nothing is lost
        grace_seconds=60,
    ),
    Service(
        "mailbox",
        lambda settings: [sys.executable, "-m", "include.mailbox"],
        probes.mailbox,
        wave=2,
        ports=("mailbox_port", "smtp_port"),
        grace_seconds=5,
    ),
    Service("mlflow", _mlflow, probes.mlflow, wave=2, after=("postgres",), ports=("mlflow_port",), grace_seconds=10),
    Service(
        "api-server",
        _airflow("api-server"),
        probes.api_server,
        wave=2,
        after=("postgres",),
        ports=("airflow_port",),
        environment=environment.of_airflow,
        prepare=_before_airflow,
    ),
    *(
        Service(
            name,
            _airflow(name, *flags),
            probes.heartbeat(name.replace("-", "_")),
            wave=1,
            after=("postgres", "mailbox", prepared("api-server")),
            environment=environment.of_airflow,
            prepare=prepare,
            helpers=helpers,
            busy=busy,
        )
        for name, flags, prepare, helpers, busy in (
            # without the flag they serve logs to the whole network
            ("scheduler", ("--skip-serve-logs",), _before_scheduler, executor.workers, executor.runs_a_task),
            ("dag-processor", (), _nothing, _none, _never),
            ("triggerer", ("--skip-serve-logs",), _nothing, _none, _never),
        )
    ),
)


def chosen(settings: Settings, only: tuple[str, ...] = ()) -> tuple[Service, ...]:
    """The services that run here: all, or those named; no mailbox when mail goes to a real server."""
    names = {
        service.name
        for service in SERVICES
        if (not only or service.name in only) and (service.name != "mailbox" or ports.catches_mail(settings))
    }
    return tuple(service for service in SERVICES if service.name in names)
