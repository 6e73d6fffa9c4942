"""`bin/daybreak reproduce`: what a person asks of a version that is registered."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from include.clock import now
from include.errors import NotReproduced
from include.settings import load_settings

Add = Callable[..., argparse.ArgumentParser]


def add_words(add: Add) -> None:
    """The words, each with its options."""
    word = add(
        "reproduce", help="train a version again from its stored snapshot, and say whether it comes out the same"
    )
    word.add_argument("version", type=int)
    word.set_defaults(run=reproduce)


def reproduce(arguments: argparse.Namespace) -> None:
    """Trains again and says what came out; another model than then is exit code 11."""
    from include import pipeline
    from include.record import Run

    moment = now()
    run = Run(load_settings(), f"cli/reproduce/{arguments.version}/{moment.isoformat()}", moment, "cli")
    facts = pipeline.reproduce(run, arguments.version, _say).facts or {}
    differences = "".join(f"\n  - {told}" for told in facts["differences"])
    what = f"\nWhat is not as it was then:{differences}" if differences else "\nAll it stands on is as it was then."
    if not facts["is_same"]:
        raise NotReproduced(
            f"{facts['sentence']}{what}\n",
            hint="what is listed is the likely reason; with nothing listed, the version was not trained as recorded.",
        )
    print(f"{facts['sentence']}{what}")


def _say(sentence: str) -> None:
    print(f"        {sentence} …", file=sys.stderr, flush=True)
