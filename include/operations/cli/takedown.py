"""`bin/daybreak takedown`: remove an article from every list at once, or let lists show it again."""

from __future__ import annotations

import argparse
import getpass
from dataclasses import asdict

from include.core.errors import DaybreakError, ServiceError
from include.core.settings import Settings, load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add
from include.operations.status import find_article

AFTER = {
    False: "Lists are one article shorter until `recommend` makes them anew",
    True: "The lists are without it until `recommend` makes them anew",
}


def add_takedown(add: Add) -> None:
    """Add the command with its options."""
    command = add(
        "takedown",
        help="remove an article from every list at once and keep it out",
        about="Remove an article from every reader's list at once, whichever lists are live, and keep it out of all "
        "that follow. `recommend` then makes the lists anew, so that they are full. Without an article, list what is "
        "down.",
        example='takedown 4711 --reason "retracted by the publisher"',
    )
    command.add_argument("article", nargs="?", metavar="ARTICLE", help="the article's id")
    command.add_argument("--lift", action="store_true", help="let lists show the article again")
    command.add_argument("--reason", default="", help="reason, for the audit log")
    command.set_defaults(run=take_down)


def take_down(arguments: argparse.Namespace) -> Answer:
    """Take an article down, lift its takedown, or list what is down."""
    from include.pipeline import taking_down

    settings = load_settings()
    if arguments.article is None:
        found = taking_down.find_takedowns(settings)
        told = "\n".join(one.tell() for one in found) or "No article is taken down."
        return Answer({"takedowns": [asdict(one) for one in found]}, told)
    if not arguments.reason:
        raise DaybreakError("A takedown needs a reason.", hint="add --reason with a few words, for the audit log.")
    act = taking_down.lift if arguments.lift else taking_down.remove
    article_id = find_article(settings, arguments.article)
    is_new, sentence = act(settings, getpass.getuser(), article_id, arguments.reason)
    facts = {"article_id": article_id, "changed": is_new, "sentence": sentence}
    if not is_new:
        return Answer(facts, sentence)
    trouble = _start_recommend(settings, sentence)
    what_next = f": run `bin/daybreak recommend`. {trouble}" if trouble else ", which it does now."
    return Answer(facts, f"{sentence} {AFTER[arguments.lift]}{what_next}")


def _start_recommend(settings: Settings, reason: str) -> str:
    """Let Airflow start `recommend`; return why it cannot, else nothing."""
    from include.adapters.airflow_api import Airflow

    airflow = Airflow(settings)
    if not airflow.answers():
        return f"Airflow does not answer at {airflow.address}."
    try:
        airflow.emit("takedown", {"reason": reason})
    except ServiceError as error:
        return error.fact
    return ""
