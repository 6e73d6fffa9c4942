"""`bin/daybreak reproduce|maintain`: what a person asks of versions that are registered, and of what is old."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from include.core.clock import now
from include.core.errors import NotReproduced
from include.operations.cli.runs import new_run

Add = Callable[..., argparse.ArgumentParser]


def add_words(add: Add) -> None:
    """The words, each with its options."""
    word = add(
        "reproduce", help="train a version again from its stored snapshot, and say whether it comes out the same"
    )
    word.add_argument("version", type=int)
    word.set_defaults(run=reproduce)
    word = add("maintain", help="remove what retention no longer keeps, here and now")
    word.add_argument(
        "--dry-run", action="store_true", help="say for each version and snapshot what would happen and why"
    )
    word.set_defaults(run=maintain)


def reproduce(arguments: argparse.Namespace) -> None:
    """Trains again and says what came out; another model than then is exit code 11."""
    from include import pipeline

    run = new_run("reproduce", now())
    facts = pipeline.reproduce(run, arguments.version, _say).facts or {}
    differences = "".join(f"\n  - {told}" for told in facts["differences"])
    what = f"\nWhat is not as it was then:{differences}" if differences else "\nAll it stands on is as it was then."
    if not facts["is_same"]:
        raise NotReproduced(
            f"{facts['sentence']}{what}\n",
            hint="what is listed is the likely reason; with nothing listed, the version was not trained as recorded.",
        )
    print(f"{facts['sentence']}{what}")


def maintain(arguments: argparse.Namespace) -> None:
    """Sweeps, or says what a sweep would do."""
    from include.operations.retention.stage import clean_up

    run = new_run("maintain", now())
    facts = clean_up(run, arguments.dry_run).facts or {}
    print(facts["table"])
    print(f"report  {run.settings.home / 'reports' / facts['report']}")


def _say(sentence: str) -> None:
    print(f"        {sentence} …", file=sys.stderr, flush=True)
