"""`bin/daybreak propose`: its options and the next step for the proposed file."""

from __future__ import annotations

import argparse

from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add
from include.operations.cli.progress import say


def add_propose(add: Add) -> None:
    """Add `propose` with its options."""
    command = add(
        "propose",
        help="propose limits for the volume checks, as a file to review",
        about="Save a file of limits for the checks on volume and change, from what the newest snapshot and earlier "
        "runs show. Nothing changes until you commit it as include/validation/limits.toml.",
        example="propose",
    )
    command.add_argument(
        "--snapshot", metavar="ID", help="propose from this snapshot (default: the newest validated one)"
    )
    command.set_defaults(run=_propose)


def _propose(arguments: argparse.Namespace) -> Answer:
    from include.validation.history.propose import propose

    path = propose(load_settings(), arguments.snapshot)
    say("        nothing has changed yet: review the file, then commit it as include/validation/limits.toml")
    return Answer({"path": path}, str(path))
