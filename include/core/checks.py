"""A coded check: what validation, audit and verdict all consist of.

"Not applicable" never passes a blocking check, and a missing number fails: a check passes only when it was really made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["block", "warn", "info"]
Outcome = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """One answer: observed value against a limit, and one sentence with the numbers."""

    code: str
    title: str
    subject: str
    severity: Severity
    outcome: Outcome
    observed: float | None
    limit_is: str
    sentence: str

    @property
    def blocks(self) -> bool:
        """True when nothing may go on past this check."""
        return self.severity == "block" and self.outcome != "passed"

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON-ready data."""
        return dict(vars(self))


def at_least(
    code: str,
    title: str,
    subject: str,
    observed: float | None,
    limit: float,
    sentence: str,
    severity: Severity = "block",
) -> Check:
    """Passed when a finite observation reaches the limit."""
    return _compare(code, title, subject, observed, f">= {limit:g}", sentence, severity, lambda value: value >= limit)


def at_most(
    code: str,
    title: str,
    subject: str,
    observed: float | None,
    limit: float,
    sentence: str,
    severity: Severity = "block",
) -> Check:
    """Passed when a finite observation does not exceed the limit."""
    return _compare(code, title, subject, observed, f"<= {limit:g}", sentence, severity, lambda value: value <= limit)


def _compare(
    code: str,
    title: str,
    subject: str,
    observed: float | None,
    limit: str,
    sentence: str,
    severity: Severity,
    holds: Any,
) -> Check:
    real = observed is not None and math.isfinite(observed)
    outcome: Outcome = "passed" if real and holds(observed) else "failed"
    return Check(code, title, subject, severity, outcome, observed if real else None, limit, sentence)


def blocking(checks: Iterable[Check]) -> list[Check]:
    """The checks that nothing may go past."""
    return [check for check in checks if check.blocks]
