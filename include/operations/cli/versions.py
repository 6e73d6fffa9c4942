"""`bin/daybreak reproduce|maintain`: train a registered version again, and remove what is old."""

from __future__ import annotations

import argparse
import sys

from include.core.clock import now
from include.core.errors import NotReproduced
from include.operations.cli.commands import Add
from include.operations.cli.runs import new_run


def add_commands(add: Add) -> None:
    """Add the commands with their options."""
    command = add(
        "reproduce", help="train a version again from its stored snapshot and say whether the result is the same"
    )
    command.add_argument("version", type=int, help="version to train again")
    command.set_defaults(run=reproduce)
    command = add("maintain", help="remove now what retention no longer keeps, without Airflow")
    command.add_argument(
        "--dry-run",
        action="store_true",
        help="list what would happen to each version and snapshot, and why; remove nothing",
    )
    command.set_defaults(run=maintain)


def reproduce(arguments: argparse.Namespace) -> None:
    """Train again and print the result; exit with 11 when the model differs."""
    from include import pipeline

    run = new_run("reproduce", now())
    facts = pipeline.reproduce(run, arguments.version, _say).facts or {}
    differences = "".join(f"\n  - {told}" for told in facts["differences"])
    what = (
        f"\nDifferences from then:{differences}" if differences else "\nCode, libraries and machine are as they were."
    )
    if not facts["is_same"]:
        raise NotReproduced(
            f"{facts['sentence']}{what}\n",
            hint="the listed differences are the likely cause; without any, the version was not trained as recorded.",
        )
    print(f"{facts['sentence']}{what}")


def maintain(arguments: argparse.Namespace) -> None:
    """Clean up, or list what would be removed in a dry run."""
    from include.operations.retention.stage import clean_up

    run = new_run("maintain", now())
    facts = clean_up(run, arguments.dry_run).facts or {}
    print(facts["table"])
    print(f"report  {run.settings.home / 'reports' / facts['report']}")


def _say(sentence: str) -> None:
    print(f"        {sentence} …", file=sys.stderr, flush=True)
