"""Real servers for tests: an embedded PostgreSQL and MLflow on free ports, gone when the tests are gone.

Each server hangs on a small watcher process that ends it as soon as the tests' end of a pipe closes, so it is ended
even if the tests are killed.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from include.adapters import embedded_postgres, warehouse
from include.core.errors import DaybreakError
from include.core.settings import Settings

PATIENCE_SECONDS = 120
NOT_DURABLE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
CHEAP_PASSWORDS = ("-c", "scram_iterations=1")  # by default half of what a connection costs its client goes to hashing
WATCH = """
import signal, subprocess, sys
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
sys.stdin.read()
child.send_signal(int(sys.argv[1]))
try:
    child.wait(20)
except subprocess.TimeoutExpired:
    child.kill()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_settings(home: Path, **values: object) -> Settings:
    """Settings of an installation at `home` with generated passwords and ports that are free."""
    passwords = {name: secrets.token_urlsafe(12) for name in Settings.model_fields if name.endswith("_password")}
    ports = {name: free_port() for name in Settings.model_fields if name.endswith("_port")}
    home.mkdir(parents=True, exist_ok=True)
    return Settings(home=home, **{**passwords, **ports, **values})


def write_env_file(settings: Settings) -> None:
    """`daybreak.env` as `make up` leaves it, so that `load_settings` finds this installation by its home."""
    lines = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if name != "home" and text:
            lines.append(f"DAYBREAK_{name.upper()}={text}\n")
    (settings.home / "daybreak.env").write_text("".join(lines))


@contextmanager
def running(command: list[str], log: Path, stop: int, env: Mapping[str, str] | None = None) -> Iterator[None]:
    with log.open("ab") as output:
        watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCH, str(int(stop)), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=dict(env) if env else None,
            start_new_session=True,
        )
    try:
        yield
    finally:
        watcher.stdin.close()
        watcher.wait(60)


def wait_for(answers: Callable[[], object], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answers()
            return
        except (DaybreakError, OSError):
            if time.monotonic() > end:
                raise AssertionError(f"No answer in {PATIENCE_SECONDS} s:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.05)


@contextmanager
def postgres(
    settings: Settings, template: Path | None = None, flags: Sequence[str] = NOT_DURABLE
) -> Iterator[Settings]:
    """The installation's PostgreSQL, running; it starts as a copy of `template`, the data folder of a stopped one."""
    data, log = settings.home / "postgres", settings.home / "postgres.log"
    password = settings.postgres_password.get_secret_value()
    if template:
        subprocess.run(["cp", "-a", str(template), str(data)], check=True)
    else:
        embedded_postgres.init(data, password, log)
    command = [*embedded_postgres.serve(data, settings.postgres_port), *flags, *CHEAP_PASSWORDS]

    def answers() -> None:
        with warehouse.connect(settings, "postgres", "postgres"):
            pass

    try:
        with running(command, log, signal.SIGINT):
            wait_for(answers, log)
            yield settings
    finally:
        embedded_postgres.clear_killed(data)
        if template:
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def mlflow(settings: Settings) -> Iterator[Settings]:
    """The installation's MLflow server, started exactly as the launcher starts it."""
    from include.operations.launcher import services

    (service,) = (one for one in services.SERVICES if one.name == "mlflow")
    (settings.home / "tmp").mkdir(exist_ok=True)
    log = settings.home / "mlflow.log"
    with running(service.command(settings), log, signal.SIGTERM, service.environment(settings, "mlflow")):
        wait_for(lambda: urllib.request.urlopen(f"{settings.mlflow_url}/health", timeout=2).read(), log)
        yield settings
