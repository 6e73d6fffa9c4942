"""`bin/daybreak rollback|freeze|unfreeze|pin|unpin|approve|shadow`: decisions of a person about the champion."""

from __future__ import annotations

import argparse
import getpass
from datetime import timedelta
from typing import Literal

from include.core.clock import now, parse_moment
from include.core.errors import DaybreakError, ServiceError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, version_number
from include.operations.cli.progress import show_stage
from include.operations.cli.runs import new_run
from include.pipeline.decide import REACHES


def add_commands(add: Add) -> None:
    """Add the commands with their options."""
    command = add(
        "rollback",
        help="go back to the last sound champion and its lists",
        about="Make an earlier champion the champion again, and its lists live, in one transaction. Daybreak never "
        "returns by itself to a version that was rolled back.",
        example='rollback --reason "lists full of one publisher"',
    )
    command.add_argument(
        "--to",
        type=version_number,
        metavar="VERSION",
        help="go back to this version, such as v3 (default: the last sound champion)",
    )
    _add_reason(command)
    command.set_defaults(run=roll_back)
    command = add(
        "freeze",
        help="freeze promotions until a moment",
        about="Keep the current champion until a moment, whatever verdicts say. Training and judging go on.",
        example='freeze --hours 24 --reason "election night"',
    )
    end = command.add_mutually_exclusive_group(required=True)
    end.add_argument("--until", metavar="MOMENT", help="end of the freeze, ISO 8601")
    end.add_argument("--hours", type=float, help="length of the freeze in hours, such as 24")
    _add_reason(command)
    command.set_defaults(run=freeze)
    add(
        "unfreeze",
        help="allow promotions again",
        about="Lift the freeze, so that the next verdict may promote a challenger.",
        example="unfreeze",
    ).set_defaults(run=unfreeze)
    command = add(
        "pin",
        help="keep the current champion until it is unpinned",
        about="Pin the champion: no other version may be promoted or rolled back to until `unpin`.",
        example='pin v3 --reason "audit this week"',
    )
    command.add_argument("version", type=version_number, metavar="VERSION", help="the champion's version, such as v3")
    _add_reason(command)
    command.set_defaults(run=pin)
    add(
        "unpin",
        help="allow other versions to be promoted again",
        about="Lift the pin, so that other versions may become champion.",
        example="unpin",
    ).set_defaults(run=unpin)
    command = add(
        "approve",
        help="answer a verdict that needs a decision",
        about="Answer a verdict that asks for a person: promote its challenger, or with --keep keep the champion.",
        example='approve --keep --reason "too few readers"',
    )
    command.add_argument(
        "verdict", nargs="?", metavar="VERDICT", help="the verdict's id (default: the newest that needs a decision)"
    )
    command.add_argument("--keep", action="store_true", help="keep the champion")
    command.add_argument("--reason", default="", help="reason, for the record")
    command.set_defaults(run=approve)
    command = add(
        "shadow",
        help="make a version's lists without publishing, and compare them",
        about="Make lists with any version, keep them in a batch that readers never see (a shadow batch), and say how "
        "far they differ from the live lists.",
        example="shadow v4",
    )
    command.add_argument(
        "version", type=version_number, metavar="VERSION", help="version to make lists with, such as v4"
    )
    command.set_defaults(run=shadow)


def add_mode(command: argparse.ArgumentParser, default: str) -> None:
    """Add the option that says how far a training goes."""
    told = "; ".join(f"{mode}: {words}" for mode, words in REACHES.items())
    command.add_argument("--mode", choices=list(REACHES), metavar="MODE", help=f"{told} (default: {default})")


def _add_reason(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", required=True, help="reason, for the audit log")


def roll_back(arguments: argparse.Namespace) -> Answer:
    """Roll back and tell both versions."""
    from include import pipeline

    run = new_run("rollback", now())
    facts = show_stage(run, pipeline.roll_back, arguments.to, arguments.reason).facts or {}
    lists = (
        f"{facts['batch_id']} is live."
        if facts["batch_id"]
        else "It has no lists and none could be made: run `bin/daybreak recommend` to make them."
    )
    return Answer(facts, f"{facts['sentence']}\n{lists}")


def freeze(arguments: argparse.Namespace) -> Answer:
    """Freeze promotions until a moment."""
    from include.pipeline import holding

    until = parse_moment(arguments.until) if arguments.until else now() + _length(arguments.hours)
    return _told(holding.freeze(load_settings(), getpass.getuser(), until, arguments.reason))


def _length(hours: float) -> timedelta:
    from include.pipeline.holding import LONGEST_FREEZE_HOURS

    if not 0 < hours <= LONGEST_FREEZE_HOURS:
        raise DaybreakError(
            f"A freeze of {hours:g} hours is not allowed.",
            hint=f"give more than 0 and at most {LONGEST_FREEZE_HOURS:,} hours (a year).",
        )
    return timedelta(hours=hours)


def unfreeze(arguments: argparse.Namespace) -> Answer:
    """Lift the freeze."""
    from include.pipeline import holding

    return _told(holding.lift(load_settings(), getpass.getuser(), "freeze"))


def pin(arguments: argparse.Namespace) -> Answer:
    """Pin the champion."""
    from include.pipeline import holding

    return _told(holding.pin(load_settings(), getpass.getuser(), arguments.version, arguments.reason))


def unpin(arguments: argparse.Namespace) -> Answer:
    """Lift the pin."""
    from include.pipeline import holding

    return _told(holding.lift(load_settings(), getpass.getuser(), "pin"))


def approve(arguments: argparse.Namespace) -> Answer:
    """Answer a question about a challenger."""
    from include import pipeline

    run = new_run("approve", now())
    question = pipeline.find_question(run.settings, arguments.verdict)
    if question is None:
        raise DaybreakError("No verdict needs a decision.", hint="`bin/daybreak status` shows the last verdicts.")
    if arguments.verdict and question["verdict_id"] != arguments.verdict:
        raise DaybreakError(
            f"Verdict {arguments.verdict} needs no decision.",
            hint=f"{question['verdict_id']} does; without an id, `bin/daybreak approve` answers that one.",
        )
    choice: Literal["promote", "keep"] = "keep" if arguments.keep else "promote"
    champion = pipeline.answer(run, question["verdict_id"], choice, run.actor, arguments.reason)
    return Answer(champion.facts, (champion.facts or {})["sentence"])


def announce_question(run: Run, verdict: Reference) -> str:
    """Start the DAG `approve` for this verdict if Airflow answers; return how to answer the question."""
    from include.adapters.airflow_api import Airflow
    from include.pipeline.orders import tell_how_to_answer

    airflow, settings, how = Airflow(run.settings), run.settings, tell_how_to_answer(run, verdict)
    trouble = "" if airflow.answers() else f"Airflow does not answer at {airflow.address}."
    if not trouble:
        try:
            airflow.emit("question", {"verdict_id": verdict.id, "reason": (verdict.facts or {})["sentence"]})
        except ServiceError as error:
            trouble = error.fact
    if trouble:
        return (
            f"{how} The question is not under Required Actions and stays open until it is answered or the champion "
            f"changes: {trouble}"
        )
    return (
        f"{how} It is also under Required Actions in Airflow ({settings.airflow_url}/required_actions); without an "
        f"answer within {settings.ask_hours} h the champion stays. The next run of `monitor` mails on-call."
    )


def shadow(arguments: argparse.Namespace) -> Answer:
    """Make a shadow batch and compare it with the live lists."""
    from include import pipeline

    made = show_stage(new_run("shadow", now()), pipeline.shadow, arguments.version)
    return Answer(made.facts, (made.facts or {})["sentence"])


def _told(sentence: str) -> Answer:
    return Answer({"sentence": sentence}, sentence)
