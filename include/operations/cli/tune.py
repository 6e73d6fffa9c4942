"""The options of `bin/daybreak tune`."""

from __future__ import annotations

import argparse

from include.core.model_names import find_names

TRIALS, MINUTES = 20, 30.0


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `tune`."""
    command.add_argument(
        "--as-of", help="moment to work as of (default: the last midnight, so that a killed search continues)"
    )
    command.add_argument("--model", choices=list(find_names()), help="model to tune (default: the setting `model`)")
    command.add_argument(
        "--trials",
        type=int,
        default=TRIALS,
        help="total number of trials, including earlier ones (default: %(default)s)",
    )
    command.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        help="budget in minutes; a trial that would end later is not started (default: %(default)g)",
    )
