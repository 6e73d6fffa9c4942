"""The coded check, the building block of validation, audit and verdict.

"Not applicable" never passes a blocking check, and a missing number fails: only a check that was made can pass.
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
    """The result of one check: the observed value, its limit, and one sentence with the numbers."""

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
        """Return whether this check stops the run."""
        return self.severity == "block" and self.outcome != "passed"

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON-ready data."""
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
    """Return a check that passes when the observation is finite and reaches the limit."""
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
    """Return a check that passes when the observation is finite and does not exceed the limit."""
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
    """Return the checks that stop the run."""
    return [check for check in checks if check.blocks]
