"""`bin/daybreak rehearse`: break the demo for real, watch, mend it, and show that all is as before."""

from __future__ import annotations

import argparse
import signal
from dataclasses import asdict
from textwrap import fill

from include.core.errors import DaybreakError, SettingsError
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add
from include.operations.cli.progress import say
from include.operations.demo.rehearsals.descriptions import REHEARSALS


def add_rehearse(add: Add) -> None:
    """Add `rehearse`."""
    command = add(
        "rehearse",
        help="rehearse trouble on the demo, and see that all is as before",
        about="Break the demo for real, in one of several ways, and watch what Daybreak does about it: real rows, real "
        "runs, real mails. Each takes some minutes, says what to look at, prints what it saw, mends "
        "everything, and shows that all is as before. Without a name, list the rehearsals. Its mails are "
        "tickets, never pages, and their subjects say that it is a rehearsal. See docs/rehearsals.md.",
        example="rehearse bad-data",
    )
    command.add_argument(
        "name", nargs="?", choices=list(REHEARSALS), metavar="NAME", help=f"one of {', '.join(REHEARSALS)}"
    )
    command.add_argument("--all", action="store_true", help="all of them, one after the other")
    command.add_argument("--clean", action="store_true", help="mend what a rehearsal left that was killed")
    command.set_defaults(run=rehearse)


def rehearse(arguments: argparse.Namespace) -> Answer:
    """Play one or all, mend, or list them."""
    from include.operations.demo.rehearsals import rehearse as rehearsals

    if (arguments.name is not None) + arguments.all + arguments.clean > 1:
        raise SettingsError("A name, --all and --clean are three different things.", hint="give one of them.")
    if arguments.clean:
        sentence = rehearsals.clean(load_settings(), say)
        return Answer({"sentence": sentence}, sentence)
    if arguments.name is None and not arguments.all:
        listed = [
            fill(one.about, 100, initial_indent=f"{one.name:<13}", subsequent_indent=" " * 13)
            for one in REHEARSALS.values()
        ]
        return Answer({one.name: one.about for one in REHEARSALS.values()}, "\n".join(listed))
    settings = load_settings()
    for sign in (signal.SIGTERM, signal.SIGHUP):  # mend as after Ctrl-C
        signal.signal(sign, signal.default_int_handler)
    if arguments.all:
        outcomes = rehearsals.rehearse_all(settings, say)
    else:
        outcomes = [rehearsals.rehearse(settings, arguments.name, say)]
    failed = [one.name for one in outcomes if not one.passed]
    failure = None
    if failed:
        failure = DaybreakError(
            f"{len(failed)} of {len(outcomes)} rehearsals failed: {', '.join(failed)}.",
            hint="read above what was not seen, or is not as before.",
        )
    facts = [asdict(one) | {"passed": one.passed} for one in outcomes]
    return Answer(
        facts,
        "\n\n".join(one.tell() for one in outcomes),
        failure=failure,
        marks={"passed": "green", "FAILED": "red", "OTHER": "red", "As before": "green", "NOT as before": "red"},
    )
