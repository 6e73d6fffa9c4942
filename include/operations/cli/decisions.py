"""`bin/daybreak rollback|freeze|unfreeze|pin|unpin|approve|shadow`: decisions of a person about the champion."""

from __future__ import annotations

import argparse
import getpass
from datetime import timedelta
from typing import Literal

from include.core.clock import now, parse_moment
from include.core.errors import DaybreakError
from include.core.settings import load_settings
from include.operations.cli.commands import Add
from include.operations.cli.runs import new_run


def add_commands(add: Add) -> None:
    """Add the commands with their options."""
    command = add("rollback", help="go back to the last sound champion and its lists, in one transaction")
    command.add_argument(
        "--to", type=int, metavar="VERSION", help="go back to this version (default: the last sound champion)"
    )
    _add_reason(command)
    command.set_defaults(run=roll_back)
    command = add("freeze", help="freeze promotions until a moment")
    end = command.add_mutually_exclusive_group(required=True)
    end.add_argument("--until", help="end of the freeze, ISO 8601")
    end.add_argument("--hours", type=float, help="length of the freeze in hours")
    _add_reason(command)
    command.set_defaults(run=freeze)
    add("unfreeze", help="allow promotions again").set_defaults(run=unfreeze)
    command = add("pin", help="keep the current champion until it is unpinned")
    command.add_argument("version", type=int, help="version of the champion")
    _add_reason(command)
    command.set_defaults(run=pin)
    add("unpin", help="allow other versions to be promoted again").set_defaults(run=unpin)
    command = add(
        "approve", help="answer a verdict that needs a decision: promote its challenger, or keep the champion"
    )
    command.add_argument("verdict", nargs="?", help="the verdict's id (default: the newest that needs a decision)")
    command.add_argument("--keep", action="store_true", help="keep the champion")
    command.add_argument("--reason", default="", help="reason, for the record")
    command.set_defaults(run=approve)
    command = add(
        "shadow", help="write a version's lists to a batch that never goes live, and compare them with the live lists"
    )
    command.add_argument("version", type=int, help="version to make lists with")
    command.set_defaults(run=shadow)


def add_mode(command: argparse.ArgumentParser) -> None:
    """Add the option that limits what `retrain` may do."""
    command.add_argument(
        "--mode",
        choices=["enforce", "dry_run", "off"],
        help="enforce promotes; dry_run judges and writes a shadow batch; off only trains (default: the setting "
        "`gate_mode`)",
    )


def _add_reason(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, help="reason, for the audit log")


def roll_back(arguments: argparse.Namespace) -> None:
    """Roll back and print both versions."""
    from include import pipeline

    facts = pipeline.roll_back(new_run("rollback", now()), arguments.to, arguments.reason).facts or {}
    print(facts["sentence"])
    if facts["batch_id"]:
        print(f"{facts['batch_id']} is live.")
    else:
        print("It has no lists and none could be made: run `bin/daybreak recommend` to make them.")


def freeze(arguments: argparse.Namespace) -> None:
    """Freeze promotions until a moment."""
    from include.pipeline import holding

    until = parse_moment(arguments.until) if arguments.until else now() + _length(arguments.hours)
    print(holding.freeze(load_settings(), getpass.getuser(), until, arguments.reason))


def _length(hours: float) -> timedelta:
    from include.pipeline.holding import LONGEST_FREEZE_HOURS

    if not 0 < hours <= LONGEST_FREEZE_HOURS:
        raise DaybreakError(
            f"A freeze of {hours:g} hours is not allowed.",
            hint=f"give more than 0 and at most {LONGEST_FREEZE_HOURS:,} hours (a year).",
        )
    return timedelta(hours=hours)


def unfreeze(arguments: argparse.Namespace) -> None:
    """Lift the freeze."""
    from include.pipeline import holding

    print(holding.lift(load_settings(), getpass.getuser(), "freeze"))


def pin(arguments: argparse.Namespace) -> None:
    """Pin the champion."""
    from include.pipeline import holding

    print(holding.pin(load_settings(), getpass.getuser(), arguments.version, arguments.reason))


def unpin(arguments: argparse.Namespace) -> None:
    """Lift the pin."""
    from include.pipeline import holding

    print(holding.lift(load_settings(), getpass.getuser(), "pin"))


def approve(arguments: argparse.Namespace) -> None:
    """Answer a question about a challenger."""
    from include import pipeline

    run = new_run("approve", now())
    question = pipeline.find_question(run.settings, arguments.verdict)
    if question is None or (arguments.verdict and question["verdict_id"] != arguments.verdict):
        raise DaybreakError("There is no such open question.", hint="`bin/daybreak status` shows the newest verdict.")
    choice: Literal["promote", "keep"] = "keep" if arguments.keep else "promote"
    champion = pipeline.answer(run, question["verdict_id"], choice, run.actor, arguments.reason)
    print((champion.facts or {})["sentence"])


def shadow(arguments: argparse.Namespace) -> None:
    """Make a shadow batch and compare it with the live lists."""
    from include import pipeline

    print((pipeline.shadow(new_run("shadow", now()), arguments.version).facts or {})["sentence"])
