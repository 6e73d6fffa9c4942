"""Delete a state folder after `down`: `python -m include.operations.launcher.clean`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from include.core.errors import DaybreakError, StateFolderError
from include.core.settings import PROJECT, Settings, load_settings
from include.operations.launcher import files, locks
from include.operations.launcher.progress import Progress
from include.operations.launcher.up import Say


def clean(settings: Settings, say: Say) -> None:
    """Delete the folder; refuse one that is in use or does not look like Daybreak's state folder."""
    home = settings.home
    if not home.exists():
        say(f"{home} does not exist")
        return
    if holds_more(home):
        raise StateFolderError(f"{home} holds more than Daybreak's state and is kept.", hint="correct DAYBREAK_HOME.")
    if locks.is_held(home / files.LOCK):
        raise StateFolderError(f"{home} is in use.", hint="run `make down` first.")
    bench = home / files.BENCH
    if locks.is_held(home / files.BENCH_LOCK) or locks.is_held(bench / files.LOCK):
        raise StateFolderError(
            f"{bench} is in use by a benchmark.", hint=f"wait for it; if it was kept: DAYBREAK_HOME={bench} make down."
        )
    shutil.rmtree(home)
    say(f"{home} removed")


def holds_more(home: Path) -> bool:
    """Return whether the folder is or contains the user's home or the project, or was not written by `up`."""
    precious = (Path.home().resolve(), PROJECT, Path.cwd().resolve())
    return any(place == home or home in place.parents for place in precious) or not files.is_state_folder(home)


if __name__ == "__main__":
    try:
        clean(load_settings(), Progress())
    except DaybreakError as error:
        print(f"daybreak: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
