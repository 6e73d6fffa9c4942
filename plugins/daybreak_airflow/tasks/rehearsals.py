"""The task that plays a rehearsal on the demo."""

from __future__ import annotations

from airflow.sdk import get_current_context, task

from daybreak_airflow.passing import log
from daybreak_airflow.runs import current_run
from include.operations.demo.rehearsals.descriptions import REHEARSALS

LABELS = {name: one.title for name, one in REHEARSALS.items()}  # as the form shows them


@task
def rehearse() -> str:
    """Play the rehearsal of the form and return what it saw; fail if that is not what it should be."""
    from include.core.errors import DaybreakError
    from include.operations.demo.rehearsals.rehearse import rehearse as play

    outcome = play(current_run().settings, get_current_context()["params"]["name"], log.info)
    for line in outcome.tell().splitlines():
        log.info("%s", line)
    if not outcome.passed:
        raise DaybreakError(f"Rehearsal “{outcome.title}” failed.", hint="read in the log what it did not see.")
    return outcome.tell()
