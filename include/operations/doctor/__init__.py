"""Check everything a run depends on and give a diagnosis and a fix for each, whatever else is down.

Belongs here: running the probes in order and printing their results. A probe that cannot run because something else is
down is `unknown`, never fine. Probes change nothing. docs/checks.md explains the codes.
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
class Diagnosis:
    """The result of a probe and its fix; a `note` is worth knowing and stops nothing."""

    code: str
    title: str
    state: State
    found: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as JSON-ready data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Probe:
    """A check of one thing; `look` returns state, result and fix, and `needs` are the codes of probes it depends on."""

    code: str
    title: str
    look: Callable[[Settings, datetime], tuple[State, str, str]]
    needs: tuple[str, ...] = ()


def examine(settings: Settings, moment: datetime, probes: Sequence[Probe]) -> list[Diagnosis]:
    """Return a diagnosis for every probe. A probe whose needs failed does not run; a probe's error is its result."""
    found: dict[str, Diagnosis] = {}
    for probe in probes:
        broken = [code for code in probe.needs if code in found and found[code].state in ("FIX", "unknown")]
        if broken:
            answer: tuple[State, str, str] = ("unknown", f"not checked: see {', '.join(broken)}", "")
        else:
            try:
                answer = probe.look(settings, moment)
            except DaybreakError as error:
                answer = ("FIX", error.fact, error.hint)
            except Exception as error:  # any error: the other probes must still run
                answer = (
                    "FIX",
                    f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
                    "read the error above.",
                )
        found[probe.code] = Diagnosis(probe.code, probe.title, *answer)
    return list(found.values())


def is_healthy(diagnoses: Sequence[Diagnosis]) -> bool:
    """Return whether nothing has to be fixed; a probe that could not run counts as not healthy."""
    return all(one.state in ("fine", "note") for one in diagnoses)


def render_table(diagnoses: Sequence[Diagnosis]) -> str:
    """Return the diagnoses as a table, with each fix on a line below."""
    lines = []
    for one in diagnoses:
        lines.append(f"{one.code}  {one.state:<8}{one.title:<37}{one.found}")
        if one.fix and one.state != "fine":
            lines.append(f"{'':15}-> {one.fix}")
    bad = sum(one.state in ("FIX", "unknown") for one in diagnoses)
    lines.append(f"{len(diagnoses)} checks, {bad} to look at." if bad else f"{len(diagnoses)} checks, nothing to fix.")
    return "\n".join(lines)
