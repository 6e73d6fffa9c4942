"""`bin/daybreak tune`: a search for better parameters, here and now."""

from __future__ import annotations

import argparse

from include.core.model_names import find_names

TRIALS, MINUTES = 20, 30.0


def add_options(word: argparse.ArgumentParser) -> None:
    """Add the options of `tune`."""
    word.add_argument(
        "--as-of", help="moment to work as of (default: the last midnight, so that a killed search continues)"
    )
    word.add_argument("--model", choices=list(find_names()), help="which model to tune (default: the setting `model`)")
    word.add_argument(
        "--trials",
        type=int,
        default=TRIALS,
        help="number of trials in all, earlier ones included (default: %(default)s)",
    )
    word.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        help="budget in minutes; no trial starts that would end later (default: %(default)g)",
    )
