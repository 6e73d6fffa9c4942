"""Libraries that only benchmarks need: installed on demand into their own folder, never into the environment.

They are locked like the rest (requirements-bench.txt). The folder is named after the lock's digest and comes last on
the path, so that it never replaces a library of the environment.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench.installation import Say
from include.core.errors import DaybreakError
from include.core.settings import PROJECT
from include.data.store import digest_file
from include.operations.launcher import files

LOCK = PROJECT / "requirements-bench.txt"


def folder_in(home: Path) -> Path:
    """Return the libraries' folder, beside the installation, so that it outlives a benchmark."""
    return home / files.BENCH_PACKAGES / digest_file(LOCK)[:12]


def install(home: Path, say: Say) -> None:
    """Install all libraries or none."""
    folder = folder_in(home)
    if folder.exists():
        return
    say(f"installing {LOCK.name} into {folder}")
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--requirement", str(LOCK), "--target", str(draft)]
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["pip gave no output"])[-1]
        raise DaybreakError(
            f"{LOCK.name} cannot be installed: {last}", hint="check that a package index can be reached."
        )
    draft.rename(folder)


def make_importable(home: Path) -> None:
    """Make the libraries importable in this process."""
    sys.path.append(str(folder_in(home)))
