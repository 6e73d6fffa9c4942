"""Checks of the machine before anything starts; each failure is an error with a hint."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from include.core.errors import ServiceError, StateFolderError
from include.core.settings import Settings
from include.operations.launcher import files, ports

OLDEST = (3, 11)


def check(settings: Settings) -> None:
    """Check Python, addresses, free space and write access to the state folder; leave at most empty folders."""
    if sys.version_info < OLDEST:
        raise ServiceError(
            f"Python {sys.version_info.major}.{sys.version_info.minor} is too old.", hint="use 3.11, 3.12 or 3.13."
        )
    ports.require_loopback(settings)
    home = settings.home
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not files.is_state_folder(home):
            raise StateFolderError(
                f"{home} holds files other than Daybreak's state.", hint="set DAYBREAK_HOME to a new folder."
            )
        probe = home / f".probe.{os.getpid()}"
        files.write_private(probe, "x" * 4096)
        probe.unlink()
        free_mb = shutil.disk_usage(home).free // 2**20
        if free_mb < settings.min_free_mb:
            raise StateFolderError(
                f"{home} has {free_mb:,} MB free; {settings.min_free_mb:,} MB are needed.",
                hint="free some space, or set DAYBREAK_HOME to a folder on another disk.",
            )
        for folder in files.FOLDERS:
            (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StateFolderError(
            f"{home} cannot be written: {error.strerror}.",
            hint="make it writable for this user, or set DAYBREAK_HOME to another folder.",
        ) from None


def clear_temporary(home: Path) -> None:
    """Empty the folder for temporary files, where libraries leave theirs; called while nothing uses it."""
    for entry in (home / "tmp").iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
