"""`bin/daybreak propose`: its options, one call, and the next step for the file."""

from __future__ import annotations

import argparse
import sys

from include.core.settings import load_settings


def add_propose(word: argparse.ArgumentParser) -> None:
    """Add the options of `propose`."""
    word.add_argument("--snapshot", help="propose from this snapshot (default: the newest validated one)")
    word.set_defaults(run=_propose)


def _propose(arguments: argparse.Namespace) -> None:
    from include.validation.history.propose import propose

    print(propose(load_settings(), arguments.snapshot))
    print(
        "        nothing is in force yet: review it, then commit it as include/validation/limits.toml", file=sys.stderr
    )
