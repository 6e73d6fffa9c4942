"""`bin/daybreak tune`: a search for better parameters, here and now."""

from __future__ import annotations

import argparse

from include.core.model_names import find_names

TRIALS, MINUTES = 20, 30.0


def add_options(word: argparse.ArgumentParser) -> None:
    """What a search may be told."""
    word.add_argument(
        "--as-of", help="the moment to work as of (default: the last midnight, so that what was killed goes on)"
    )
    word.add_argument("--model", choices=list(find_names()), help="which model to tune (default: the setting `model`)")
    word.add_argument("--trials", type=int, default=TRIALS, help="how many in all, earlier ones included (%(default)s)")
    word.add_argument("--minutes", type=float, default=MINUTES, help="begin none that would end later (%(default)g)")
