"""The options of `bin/daybreak tune`."""

from __future__ import annotations

import argparse

from include.core.errors import SettingsError
from include.operations.cli.commands import add_model, whole_number

TRIALS, MINUTES = 20, 30.0


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `tune`."""
    command.add_argument(
        "--as-of",
        metavar="MOMENT",
        help="moment to work as of (default: the last midnight, so that a killed search continues)",
    )
    add_model(command, "tune")
    command.add_argument(
        "--trials",
        type=whole_number,
        default=TRIALS,
        help="total number of trials, including earlier ones (default: %(default)s)",
    )
    command.add_argument(
        "--minutes",
        type=_minutes,
        default=MINUTES,
        help="budget in minutes; a trial that would end later is not started (default: %(default)g)",
    )


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < float("inf"):
        raise SettingsError(f"A search of {text} minutes is not possible.", hint="give a number of minutes above 0.")
    return minutes
