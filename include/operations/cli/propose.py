"""`bin/daybreak propose`: its options and the next step for the proposed file."""

from __future__ import annotations

import argparse
import sys

from include.core.settings import load_settings


def add_propose(command: argparse.ArgumentParser) -> None:
    """Add the options of `propose`."""
    command.add_argument("--snapshot", help="propose from this snapshot (default: the newest validated one)")
    command.set_defaults(run=_propose)


def _propose(arguments: argparse.Namespace) -> None:
    from include.validation.history.propose import propose

    print(propose(load_settings(), arguments.snapshot))
    print(
        "        nothing has changed yet: review the file, then commit it as include/validation/limits.toml",
        file=sys.stderr,
    )
