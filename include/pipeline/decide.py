"""Choose the step after a verdict, with one rule for Airflow and the command line.

Pure. This rule only chooses the step: a promotion still rechecks the saved verdict (`deciding.py`) and may be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from include.judging.verdict import Decision

Mode = Literal["off", "dry_run", "enforce"]
Step = Literal["promote", "ask", "shadow", "nothing"]


@dataclass(frozen=True)
class NextStep:
    """The step after a verdict, and why the other steps are not taken."""

    step: Step
    reason: str = ""


def decide(mode: Mode, decision: Decision, *, is_backfill: bool) -> NextStep:
    """Return the step that follows a verdict.

    `is_backfill` is True for a run that may change nothing live: a backfill whose form does not ask to publish.
    """
    if mode == "off":
        return NextStep("nothing", "The gate is off: the version is registered, but not judged or promoted.")
    if mode == "dry_run":
        return NextStep("shadow", "Dry run: nothing is promoted.")
    if is_backfill:
        return NextStep("nothing", "Backfill: nothing is promoted unless the form says so.")
    if decision == "promote":
        return NextStep("promote")
    if decision == "ask":
        return NextStep("ask", "Nothing is promoted until a person decides.")
    return NextStep("nothing", "Nothing is promoted.")
