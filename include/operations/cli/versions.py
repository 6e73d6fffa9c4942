"""`bin/daybreak reproduce|maintain`: train a registered version again, and remove what is old."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from include.core.clock import now
from include.core.errors import NotReproduced
from include.operations.cli.runs import new_run

Add = Callable[..., argparse.ArgumentParser]


def add_words(add: Add) -> None:
    """Add the commands, each with its options."""
    word = add(
        "reproduce", help="train a version again from its stored snapshot, and say whether the result is the same"
    )
    word.add_argument("version", type=int)
    word.set_defaults(run=reproduce)
    word = add("maintain", help="remove what retention no longer keeps, now, without Airflow")
    word.add_argument(
        "--dry-run",
        action="store_true",
        help="say for each version and snapshot what would happen and why; remove nothing",
    )
    word.set_defaults(run=maintain)


def reproduce(arguments: argparse.Namespace) -> None:
    """Train again and print the result; exit with 11 when the model differs."""
    from include import pipeline

    run = new_run("reproduce", now())
    facts = pipeline.reproduce(run, arguments.version, _say).facts or {}
    differences = "".join(f"\n  - {told}" for told in facts["differences"])
    what = f"\nWhat is not as it was then:{differences}" if differences else "\nAll it stands on is as it was then."
    if not facts["is_same"]:
        raise NotReproduced(
            f"{facts['sentence']}{what}\n",
            hint="the listed differences are the likely reason; with none, the version was not trained as recorded.",
        )
    print(f"{facts['sentence']}{what}")


def maintain(arguments: argparse.Namespace) -> None:
    """Sweep, or print what a sweep would do."""
    from include.operations.retention.stage import clean_up

    run = new_run("maintain", now())
    facts = clean_up(run, arguments.dry_run).facts or {}
    print(facts["table"])
    print(f"report  {run.settings.home / 'reports' / facts['report']}")


def _say(sentence: str) -> None:
    print(f"        {sentence} …", file=sys.stderr, flush=True)
