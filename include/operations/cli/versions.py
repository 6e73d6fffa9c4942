"""`bin/daybreak reproduce|maintain`: train a registered version again, and remove what is old."""

from __future__ import annotations

import argparse

from include.core.clock import now
from include.core.errors import NotReproduced
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, version_number
from include.operations.cli.progress import say, show_stage, ticking
from include.operations.cli.runs import new_run


def add_commands(add: Add) -> None:
    """Add the commands with their options."""
    command = add(
        "reproduce",
        help="train a version again and compare it byte by byte",
        about="Train a version again from the snapshot and parameters that were stored with it, and say whether the "
        "files come out the same to the byte. Registers nothing.",
        example="reproduce v3",
    )
    command.add_argument("version", type=version_number, metavar="VERSION", help="version to train again, such as v3")
    command.set_defaults(run=reproduce)
    command = add(
        "maintain",
        help="remove what retention no longer keeps",
        about="Remove builds, lists, reports, snapshots and versions that are old and that nothing refers to; the "
        "settings `keep_…` say how old. With --dry-run it only lists them.",
        example="maintain --dry-run",
    )
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would happen to each version and snapshot, and why; remove nothing",
    )
    command.set_defaults(run=maintain)


def reproduce(arguments: argparse.Namespace) -> Answer:
    """Train again and return the result; raise `NotReproduced` when the model differs."""
    from include import pipeline

    with ticking("reproduce"):
        facts = pipeline.reproduce(new_run("reproduce", now()), arguments.version, say).facts or {}
    differences = "".join(f"\n  - {told}" for told in facts["differences"])
    what = (
        f"\nDifferences from then:{differences}" if differences else "\nCode, libraries and machine are as they were."
    )
    if not facts["is_same"]:
        raise NotReproduced(
            f"{facts['sentence']}{what}\n",
            hint="the listed differences are the likely cause; without any, the version was not trained as recorded.",
        )
    return Answer(facts, f"{facts['sentence']}{what}")


def maintain(arguments: argparse.Namespace) -> Answer:
    """Clean up, or list what would be removed in a dry run."""
    from include.operations.retention.stage import clean_up

    run = new_run("maintain", now())
    facts = show_stage(run, clean_up, arguments.dry_run).facts or {}
    return Answer(facts, f"{facts['table']}\nreport  {run.settings.home / 'reports' / facts['report']}")
