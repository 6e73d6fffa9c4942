"""Errors a person can act on: the fact with numbers first, then `Hint:` with the next step.

Raise `DaybreakError` (or a subclass) for everything that a user, a publisher or a machine can cause. Programming
mistakes stay ordinary exceptions with their traceback.
"""

from __future__ import annotations

from dataclasses import dataclass


class DaybreakError(Exception):
    """What went wrong, where, how many; `hint` says what to do next, `report` is the page that shows it, if any.

    `exit_code` is what the CLI ends with.
    """

    exit_code = 1

    def __init__(self, fact: str, *, hint: str, report: str = "") -> None:
        super().__init__(f"{fact} Hint: {hint}")
        self.fact = fact
        self.hint = hint
        self.report = report


class SettingsError(DaybreakError):
    """A setting is unknown, missing or has a value that cannot be used."""

    exit_code = 2


class StateFolderError(DaybreakError):
    """The state folder cannot be used: read-only, full, or held by another instance."""

    exit_code = 3


class ServiceError(DaybreakError):
    """A service (PostgreSQL, MLflow, Airflow, mail) does not start or does not answer."""

    exit_code = 4


class SourceError(DaybreakError):
    """The publisher's views are missing, lack a column, have a wrong type, or are empty for the window."""

    exit_code = 5


class SourceLate(DaybreakError):
    """The window's data is not complete, and the time to wait for it is over."""

    exit_code = 10


@dataclass(frozen=True)
class Finding:
    """A check that stops a run: of which table, how many rows broke it, and the keys of up to three of them."""

    table: str
    code: str
    title: str
    sentence: str
    count: int
    examples: tuple[str, ...]


class ValidationBlocked(DaybreakError):
    """A blocking check failed: nothing downstream may run. `findings` has the facts of each that did."""

    exit_code = 6

    def __init__(self, fact: str, *, hint: str, report: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(fact, hint=hint, report=report)
        self.findings = findings


class NoChampion(DaybreakError):
    """No model has been promoted yet, so there is nothing to score, publish or watch."""

    exit_code = 7


class ArtifactDamaged(DaybreakError):
    """A stored artifact is missing, or is not what its digest says."""

    exit_code = 8


class AuditFailed(DaybreakError):
    """A recommendation batch did not pass its audit; the live batch stays."""

    exit_code = 9


class NotReproduced(DaybreakError):
    """A version that was trained again came out as another model."""

    exit_code = 11


class BadInput(DaybreakError):
    """What a caller handed in cannot be used: a column, a row, a moment or a number."""

    exit_code = 12
