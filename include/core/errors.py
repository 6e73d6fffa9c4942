"""Errors that a person can act on: first the fact with numbers, then `Hint:` with the next step.

Raise `DaybreakError` or a subclass for everything that a user, a publisher or a machine can cause. Programming errors
stay ordinary exceptions with a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass


class DaybreakError(Exception):
    """An error with a `fact` (what is wrong, where, how many), a `hint` (what to do next) and a `report` page, if any.

    `exit_code` is the exit code of the CLI. `about` names what is broken (v3, MLflow, source) where that is not the run
    itself: failures of several runs about the same thing are one incident.
    """

    exit_code = 1
    about = ""

    def __init__(self, fact: str, *, hint: str, report: str = "", about: str = "") -> None:
        super().__init__(f"{fact} Hint: {hint}")
        self.fact = fact
        self.hint = hint
        self.report = report
        self.about = about or self.about


class SettingsError(DaybreakError):
    """A setting is unknown, is missing or has an invalid value."""

    exit_code = 2
    about = "settings"


class StateFolderError(DaybreakError):
    """The state folder cannot be used: read-only, full, or held by another instance."""

    exit_code = 3
    about = "state folder"


class ServiceError(DaybreakError):
    """A service (PostgreSQL, MLflow, Airflow, mail) does not start or does not answer."""

    exit_code = 4


class SourceError(DaybreakError):
    """The publisher's views are missing, lack a column, have a wrong type, or are empty for the window (`is_empty`)."""

    exit_code = 5
    about = "source"

    def __init__(self, fact: str, *, hint: str, report: str = "", is_empty: bool = False) -> None:
        super().__init__(fact, hint=hint, report=report)
        self.is_empty = is_empty


class SourceLate(DaybreakError):
    """The window's data is incomplete and the deadline has passed."""

    exit_code = 10
    about = "source"


@dataclass(frozen=True)
class Finding:
    """A check that stops a run: its table, the number of rows that broke it, and the keys of up to three of them."""

    table: str
    code: str
    title: str
    sentence: str
    count: int
    examples: tuple[str, ...]


class ValidationBlocked(DaybreakError):
    """A blocking check failed, so nothing downstream may run. `findings` has one entry per failed check."""

    exit_code = 6

    def __init__(self, fact: str, *, hint: str, report: str = "", findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(fact, hint=hint, report=report, about=findings[0].table if findings else "source")
        self.findings = findings


class NoChampion(DaybreakError):
    """No model has been promoted yet, so there is none to pin or to go back from."""

    exit_code = 7


class ArtifactDamaged(DaybreakError):
    """A stored artifact is missing or does not match its digest."""

    exit_code = 8


class AuditFailed(DaybreakError):
    """A recommendation batch failed its audit; the live batch stays."""

    exit_code = 9


class NotReproduced(DaybreakError):
    """Training a version again gave a different model."""

    exit_code = 11


class BadInput(DaybreakError):
    """A caller passed a column, row, moment or number that cannot be used."""

    exit_code = 12


class FormRefused(DaybreakError):
    """A form asks for what no run can do. Whoever filled it in sees it; on-call gets no mail."""

    exit_code = 13


class TooEarly(DaybreakError):
    """A new publisher's reading does not reach back far enough for this stage; a later run does it."""

    exit_code = 14
