"""The files of the state folder, and atomic writes to them.

Belongs here: names and atomic writes. Does not belong here: what the files mean.
"""

from __future__ import annotations

import os
from pathlib import Path

from include.core.clock import now

ENV_FILE = "daybreak.env"
LOCK = "lock"
GUARDIAN_LOCK = "guardian.lock"
RESTART_LOCK = "restart.lock"
# exists while the product should run; supervisor and guardian end when it is removed; names the code that was started
WANTED = "wanted"
SERVICES = "services.json"
SENTINEL_BEAT = "sentinel.beat"  # touched by the sentinel after every round
FOLDERS = (
    *("logs", "tmp", "mail", "postgres", "airflow", "airflow/config", "mlflow", "mlflow/artifacts"),
    *("features", "reports"),
)

BENCH, BENCH_LOCK, BENCH_FIGURES = "bench", "bench.lock", "bench.json"  # a benchmark's installation and its results
BENCH_PACKAGES = "bench-packages"  # packages that benchmarks compare with

OURS = {
    ENV_FILE,
    LOCK,
    GUARDIAN_LOCK,
    RESTART_LOCK,
    WANTED,
    SERVICES,
    SENTINEL_BEAT,
    BENCH,
    BENCH_LOCK,
    BENCH_FIGURES,
    BENCH_PACKAGES,
    *FOLDERS,
}

ROTATE_AT_BYTES = 20 * 1024 * 1024


def is_state_folder(home: Path) -> bool:
    """Return whether a folder is Daybreak's or empty; Daybreak uses and deletes no other folder."""
    return (home / ENV_FILE).exists() or {entry.name for entry in home.iterdir()} <= OURS


def write_private(path: Path, text: str) -> None:
    """Write the text atomically to a file that only its owner may read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def log_path(home: Path, name: str) -> Path:
    """Return the path of a process's log."""
    return home / "logs" / f"{name}.log"


def rotate(log: Path) -> None:
    """Rotate a log once it is large; keep one older log."""
    if log.exists() and log.stat().st_size > ROTATE_AT_BYTES:
        log.replace(log.with_suffix(".log.1"))


def say(sentence: str) -> None:
    """Print a line with date and time, for processes whose output is their log."""
    print(f"{now():%Y-%m-%d %H:%M:%S} {sentence}", flush=True)
