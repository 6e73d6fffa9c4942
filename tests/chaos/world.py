"""An installation on a disk of its own, whose services can be killed and whose state can be kept and put back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from psycopg import sql

from include.adapters import embedded_postgres, feast_store, mlflow_client, warehouse
from tests.parts import servers
from tests.parts.mail_server import Mailbox
from tests.worlds import tiny

DATABASES = ("warehouse", "mlflow")  # those that tasks write to
STAYS = {"daybreak.env", "postgres", "postgres.log", "mlflow.log", "saved", "attempts.log"}
ROOMY = "4g"


class World:
    """The installation; `wanted` names the services that it is to have, in the order they start."""

    def __init__(self, home: Path, wanted: tuple[str, ...], *, is_mounted: bool):
        self.home, self.wanted, self.is_mounted = home, wanted, is_mounted
        self.mailbox = Mailbox()
        self.settings = servers.new_settings(home, **tiny.TINY, smtp_port=self.mailbox.port)
        self.services: dict[str, ExitStack] = {}
        self.mails: dict[str, list[Any]] = {}

    def start(self, name: str) -> None:
        """Start PostgreSQL, MLflow or the mail server, unless it runs."""
        if name in self.services:
            return
        stack = self.services[name] = ExitStack()
        if name == "mail":
            self.mailbox.start()
            stack.callback(self.mailbox.stop)
        elif name == "postgres":
            stack.enter_context(servers.postgres(self.settings, flags=()))
        else:
            stack.enter_context(servers.mlflow(self.settings))

    def kill(self, name: str) -> None:
        """End a service at once: PostgreSQL as in its immediate mode, MLflow by SIGKILL."""
        if name == "postgres" and (pid := embedded_postgres.postmaster(self.home / "postgres")):
            os.kill(pid, signal.SIGQUIT)
        if name == "mlflow":
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if child.name() != "postgres" and "mlflow" in " ".join(child.cmdline()):
                        child.kill()
        self.services.pop(name).close()

    def start_missing(self) -> None:
        """Start what is dead or was killed, and wait for PostgreSQL, which restarts by itself after a full disk."""
        if "postgres" in self.services and embedded_postgres.postmaster(self.home / "postgres") is None:
            self.services.pop("postgres").close()
        for name in self.wanted:
            self.start(name)
        servers.wait_for(self._connect, self.home / "postgres.log")

    def _connect(self) -> None:
        with warehouse.connect(self.settings, "postgres", "postgres"):
            pass

    def stop(self) -> None:
        for name in reversed(self.wanted):
            if name in self.services:
                self.services.pop(name).close()

    def fill_disk(self, room: int) -> None:
        """Leave so many bytes of room on the disk."""
        found = os.statvfs(self.home)
        self._resize(str((found.f_blocks - found.f_bfree) * found.f_frsize + room))

    def make_room(self) -> None:
        self._resize(ROOMY)

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self.home.parent], check=True)

    def save(self, name: str) -> None:
        """Keep databases and state folder under this name."""
        with warehouse.connect(self.settings, "postgres", "postgres", autocommit=True) as admin:
            for database in DATABASES:
                self._copy(admin, database, f"{name}_{database}", "postgres")
        self.mails[name] = self.mailbox.kept()
        saved = self.home / "saved" / name
        saved.mkdir(parents=True)
        self._carry(self.home, saved)

    def restore(self, name: str) -> None:
        """Put back what was kept."""
        with warehouse.connect(self.settings, "postgres", "postgres", autocommit=True) as admin:
            for database in DATABASES:
                self._copy(admin, f"{name}_{database}", database, warehouse.DATABASES[database])
        for path in self._state(self.home):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._carry(self.home / "saved" / name, self.home)
        self.mailbox.keep_only(self.mails[name])

    def _copy(self, admin: warehouse.Connection, source: str, target: str, owner: str) -> None:
        names = [sql.Identifier(one) for one in (target, owner, source)]
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [source])
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(names[0]))
        admin.execute(sql.SQL("create database {} owner {} template {} strategy file_copy").format(*names))

    def _state(self, folder: Path) -> list[Path]:
        return [path for path in folder.iterdir() if path.name not in STAYS]

    def _carry(self, source: Path, target: Path) -> None:
        if found := self._state(source):
            subprocess.run(["cp", "-a", *found, target], check=True)


@contextmanager
def living_world(folder: Path, services: tuple[str, ...] = ("mlflow", "mail")) -> Iterator[World]:
    """An installation of the tiny world in the folder, on a disk of its own where mounting is allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOMY},mode=0700", "chaos", folder]
    is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    world = World(folder / "home", ("postgres", *services), is_mounted=is_mounted)
    try:
        servers.write_env_file(world.settings)
        world.start("postgres")
        warehouse.prepare_server(world.settings)
        warehouse.migrate(world.settings)
        tiny.publish(world.settings, tiny.tiny())
        world.start_missing()
        if "mlflow" in services:
            feast_store.apply_shared(world.settings)
            mlflow_client.client(world.settings)
        yield world
    finally:
        world.stop()
        if is_mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
