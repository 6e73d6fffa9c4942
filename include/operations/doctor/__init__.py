"""Check everything a run depends on: a finding and a fix for each, whatever else is down.

Belongs here: asking the questions in order, and printing the findings. A question that cannot be asked because
something else is down is `unknown`, never fine. Nothing is changed. docs/checks.md explains the codes.
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
    """A finding and its fix; a `note` is worth knowing and stops nothing."""

    code: str
    title: str
    state: State
    found: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Question:
    """A check: `ask` returns state, finding and fix; `needs` are the codes of the checks it depends on."""

    code: str
    title: str
    ask: Callable[[Settings, datetime], tuple[State, str, str]]
    needs: tuple[str, ...] = ()


def examine(settings: Settings, moment: datetime, questions: Sequence[Question]) -> list[Finding]:
    """Return a finding for every question. One whose needs fail is not asked; one that raises is a finding too."""
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
            except Exception as error:  # any error: the other questions must still be asked
                answer = (
                    "FIX",
                    f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
                    "read the error above.",
                )
        found[question.code] = Finding(question.code, question.title, *answer)
    return list(found.values())


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Return whether nothing has to be fixed; a question that could not be asked counts as not healthy."""
    return all(finding.state in ("fine", "note") for finding in findings)


def tell(findings: Sequence[Finding]) -> str:
    """Return the findings as a table, each fix in a line below."""
    lines = []
    for one in findings:
        lines.append(f"{one.code}  {one.state:<8}{one.title:<37}{one.found}")
        if one.fix and one.state != "fine":
            lines.append(f"{'':15}-> {one.fix}")
    bad = sum(one.state in ("FIX", "unknown") for one in findings)
    lines.append(f"{len(findings)} checks, {bad} to look at." if bad else f"{len(findings)} checks, nothing to fix.")
    return "\n".join(lines)
