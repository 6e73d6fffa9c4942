"""The doctor: one look at everything a run stands on, a finding and a fix for each, whatever else is down.

Belongs here: which checks there are, in which order, and how they are told. What cannot be asked because something else
is down is `unknown`, never fine. Nothing is changed. Codes are explained in docs/checks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include.core.errors import DaybreakError
from include.core.settings import Settings

State = Literal["fine", "note", "FIX", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What was found and what to do about it; a `note` is worth knowing and stops nothing."""

    code: str
    title: str
    state: State
    found: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON-ready data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Question:
    """One check: `ask` answers with state, what was found, and the fix. `needs` are the codes it builds on."""

    code: str
    title: str
    ask: Callable[[Settings, datetime], tuple[State, str, str]]
    needs: tuple[str, ...] = ()


def examine(settings: Settings, moment: datetime, questions: Sequence[Question]) -> list[Finding]:
    """A finding for every question. One whose ground is not there is not asked; one that fails is a finding, too."""
    found: dict[str, Finding] = {}
    for question in questions:
        broken = [code for code in question.needs if code in found and found[code].state in ("FIX", "unknown")]
        if broken:
            answer: tuple[State, str, str] = ("unknown", f"not asked: see {', '.join(broken)}", "")
        else:
            try:
                answer = question.ask(settings, moment)
            except DaybreakError as error:
                answer = ("FIX", error.fact, error.hint)
            except Exception as error:  # whatever it is, the other questions are still to be asked
                answer = (
                    "FIX",
                    f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
                    "see the fact itself.",
                )
        found[question.code] = Finding(question.code, question.title, *answer)
    return list(found.values())


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing has to be fixed; what could not be asked was not found healthy."""
    return all(finding.state in ("fine", "note") for finding in findings)


def tell(findings: Sequence[Finding]) -> str:
    """The findings as a table, each fix in a line below."""
    lines = []
    for one in findings:
        lines.append(f"{one.code}  {one.state:<8}{one.title:<34}{one.found}")
        if one.fix and one.state != "fine":
            lines.append(f"{'':15}-> {one.fix}")
    bad = sum(one.state in ("FIX", "unknown") for one in findings)
    lines.append(f"{len(findings)} checks, {bad} to look at." if bad else f"{len(findings)} checks, nothing to fix.")
    return "\n".join(lines)
