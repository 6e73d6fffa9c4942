"""Run one service in the foreground of a container, as the launcher runs it on a laptop; see docker-compose.yaml.

`python -m include.operations.launcher.foreground prepare` creates everything that services need before they start.
`python -m include.operations.launcher.foreground run NAME` runs one service until it ends or is stopped.

Command, environment and readiness come from `services`. Belongs here: the differences in a container. The service
listens for other containers and writes to the container's output. Faults that the engine cannot see (a service that
does not answer, a scheduler that lost a worker or starts no work) end the container, so that the engine restarts it.
While the service answers, `HEALTHY` is touched; the container's health check checks only that file.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from include.adapters import warehouse
from include.core.clock import now
from include.core.errors import DaybreakError, SettingsError
from include.core.settings import PROJECT, Settings, load_settings
from include.operations.launcher import environment, files, ports
from include.operations.launcher.keeper import MUTE_SECONDS, PROBE_SECONDS, YOUNG_SECONDS
from include.operations.launcher.processes import identify
from include.operations.launcher.records import State
from include.operations.launcher.services import SERVICES, Service, chosen

HEALTHY = Path(tempfile.gettempdir()) / "healthy"
TICK_SECONDS = 0.5
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def is_elsewhere(settings: Settings) -> bool:
    """Return whether the services run in containers or on other machines, not under this machine's launcher."""
    return any(getattr(settings, field) not in ports.LOOPBACK for field in ports.HOSTS)


def states(settings: Settings) -> dict[str, State]:
    """Return the state of each service as seen over the network."""
    return {service.name: "running" if service.ready(settings, LONG_AGO) else "stopped" for service in chosen(settings)}


def prepare(settings: Settings) -> None:
    """Create folders, roles, databases, schemas, Airflow's keys and the feature registry; safe to repeat."""
    from include.adapters import feast_store

    missing = [field for field in warehouse.ROLES.values() if not getattr(settings, field).get_secret_value()]
    if missing or not settings.airflow_password.get_secret_value():
        names = ", ".join(ports.variable(field) for field in missing or ["airflow_password"])
        raise SettingsError(f"{names} is not set.", hint="run `make env`.")
    for folder in files.FOLDERS:
        (settings.home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    warehouse.prepare_server(settings)
    files.say(f"warehouse: {', '.join(warehouse.migrate(settings)) or 'up to date'}")
    named("api-server").prepare(settings)
    files.say("airflow: database and keys are there")
    feast_store.apply_shared(settings)
    files.say("features: registered")


def run(settings: Settings, service: Service) -> int:
    """Run the service until it ends, is stopped, or is found unhealthy; return the exit code."""
    HEALTHY.unlink(missing_ok=True)
    begun = now()
    stopping = threading.Event()
    child = subprocess.Popen(
        command_of(settings, service),
        env=environment_of(settings, service),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )

    def stop(*_: object) -> None:
        stopping.set()
        child.send_signal(service.stop_signal)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    illness = _watch(settings, service, child, begun, stopping)
    HEALTHY.unlink(missing_ok=True)
    if illness:
        files.say(f"{service.name} {illness}: ending it, so that it is restarted")
        child.kill()  # it may not react to a gentler signal
    with suppress(subprocess.TimeoutExpired):
        child.wait(service.grace_seconds)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    if stopping.is_set():
        return 0
    files.say(f"{service.name} ended with code {code}")
    return code if code > 0 else 1


def _watch(
    settings: Settings, service: Service, child: subprocess.Popen[bytes], begun: datetime, stopping: threading.Event
) -> str:
    """Watch the service until it ends or is stopped; return the fault, empty without one."""
    process, started = identify(child.pid), time.monotonic()
    answered = started + service.patience_seconds - MUTE_SECONDS
    next_probe = 0.0
    has_answered = wounded = False
    known: frozenset[int] = frozenset()
    while process is not None and child.poll() is None and not stopping.wait(TICK_SECONDS):
        helpers = service.helpers(process)
        wounded = wounded or not known <= helpers
        known |= helpers
        if wounded and not service.busy(process):
            return "lost a worker that it cannot replace"
        if time.monotonic() < next_probe:
            continue
        answer = service.ready(settings, LONG_AGO if has_answered else begun)
        if answer or (answer is None and has_answered):  # an unknown answer says nothing about this service
            if not has_answered:
                files.say(f"{service.name} answers")
            has_answered = True
            answered = time.monotonic()
            HEALTHY.touch()
            service.look_after(settings)
        elif time.monotonic() - answered > MUTE_SECONDS:
            return "does not answer"
        if time.monotonic() - started > YOUNG_SECONDS and service.holds_up_work(settings, process):
            return "has queued work but starts none"
        next_probe = time.monotonic() + (PROBE_SECONDS if has_answered else 1)
    return ""


def command_of(settings: Settings, service: Service) -> list[str]:
    """Return the launcher's command; MLflow also gets the host names that containers and browsers use."""
    command = service.command(settings)
    if service.name != "mlflow":
        return command
    public = urlsplit(settings.mlflow_public_url)
    names = [f"{name}:*" for name in ("127.0.0.1", "localhost", settings.mlflow_host)]
    command += ["--host", settings.listen_host, "--allowed-hosts", ",".join(filter(None, [*names, public.netloc]))]
    if public.netloc:
        command += ["--cors-allowed-origins", f"{public.scheme}://{public.netloc}"]
    return command


def environment_of(settings: Settings, service: Service) -> dict[str, str]:
    """Return the launcher's environment with an empty folder of its own for temporary files."""
    temporary = settings.home / "tmp" / service.name
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700, parents=True)
    values = service.environment(settings, service.name) | {"TMPDIR": str(temporary)}
    if service.environment is environment.of_airflow:
        values |= {"AIRFLOW__API__HOST": settings.listen_host}
    return values


def named(name: str) -> Service:
    """Return the service of this name."""
    for service in SERVICES:
        if service.name == name:
            return service
    raise SettingsError(
        f"There is no service {name!r}.", hint=f"name one of {', '.join(service.name for service in SERVICES)}."
    )


def main() -> None:
    """Run one of the two commands."""
    try:
        settings = load_settings()
        match sys.argv[1:]:
            case ["prepare"]:
                prepare(settings)
            case ["run", name]:
                sys.exit(run(settings, named(name)))
            case words:
                raise SettingsError(
                    f"{' '.join(words) or 'Nothing'} is not a command.", hint="give prepare, or run NAME."
                )
    except DaybreakError as error:
        print(f"daybreak: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
