"""How far a run goes, and the step after its verdict: one rule for Airflow and the command line.

Pure. This rule only chooses the step: a promotion still rechecks the saved verdict (`deciding.py`) and may be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from include.core.errors import FormRefused

if TYPE_CHECKING:
    from include.judging.verdict import Decision

Mode = Literal["data", "features", "off", "dry_run", "enforce"]
Step = Literal["promote", "ask", "shadow", "nothing"]


# mode -> how far a run goes, from the least to the most
REACHES: dict[Mode, str] = {
    "data": "data only: snapshot and validation",
    "features": "data and features",
    "off": "data, features and training",
    "dry_run": "training and verdict; promotes nothing",
    "enforce": "training and verdict, and promotion if the verdict says so",
}
OF_BACKFILL: Mode = "dry_run"  # unless its form says otherwise
CONFIRMED = "publish"  # the word without which no backfill promotes or publishes
# mode -> its last stage, and why nothing follows
LAST_STAGES = {
    "data": ("validate", "Data only: no features are built and nothing is trained."),
    "features": ("build_features", "Data and features only: nothing is trained."),
    "off": ("train", "The gate is off: the version is registered, but not judged or promoted."),
}


def why_end_after(stage: str, mode: str) -> str:
    """Return why a run in this mode ends with the stage; empty if it goes on."""
    last, why = LAST_STAGES.get(mode, ("", ""))
    return why if stage == last else ""


def stops_early(mode: str, setting: str) -> bool:
    """Return whether a run in this mode leaves out stages that the setting wants; it shows nothing of them."""
    return mode in LAST_STAGES and mode != setting


def mode_before_last(mode: Mode) -> Mode:
    """Return the mode of the days before the last one in a backfill that trains once."""
    return "data" if mode == "data" else "features"


def refuse_unconfirmed(mode: str | None, word: str | None) -> None:
    """Raise `FormRefused` when a backfill is to promote without its word, or has a word and promotes nothing."""
    if mode == "enforce" and word != CONFIRMED:
        raise FormRefused(
            "A backfill in mode enforce promotes, and that is not confirmed.",
            hint=f"confirm it with the word {CONFIRMED}, or choose a mode that promotes nothing.",
        )
    if word and mode != "enforce":
        raise FormRefused(
            f"The backfill is confirmed with the word {word}, and its mode promotes nothing.",
            hint="choose the mode enforce, or leave the word out.",
        )


@dataclass(frozen=True)
class NextStep:
    """The step after a verdict, and why the other steps are not taken."""

    step: Step
    reason: str = ""


def decide(mode: Mode, decision: Decision, *, is_backfill: bool) -> NextStep:
    """Return the step that follows a verdict.

    `is_backfill` is True for a run that may change nothing live: a backfill whose form does not confirm that it may.
    """
    if mode in LAST_STAGES:
        return NextStep("nothing", LAST_STAGES[mode][1])
    if is_backfill:
        return NextStep("nothing", "Backfill: nothing is promoted unless the form says so.")
    if mode == "dry_run":
        return NextStep("shadow", "Dry run: nothing is promoted.")
    if decision == "promote":
        return NextStep("promote")
    if decision == "ask":
        return NextStep("ask", "Nothing is promoted until a person decides.")
    return NextStep("nothing", "Nothing is promoted.")
