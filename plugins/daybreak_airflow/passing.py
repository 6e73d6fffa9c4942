"""Pass results between tasks: references, facts on events, skips with a reason, reports of failures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from daybreak_airflow.logs import add_version
from daybreak_airflow.runs import current_run, mode
from daybreak_airflow.ui.links import REPORT_KEY

if TYPE_CHECKING:
    from include.core.run import Run

Passed = dict[str, Any]  # a Reference as it travels between tasks

log = logging.getLogger(__name__)


def run_on(passed: Mapping[str, Any]) -> Run:
    """Return the run as of its input: a replay works as of its snapshot, whenever it was started."""
    return replace(current_run(), as_of=received(passed).as_of)


def received(passed: Mapping[str, Any]) -> Any:
    """Return the reference that an earlier task returned."""
    from include.core.references import Reference

    add_version(passed)
    return Reference.from_dict(passed)


def skip(sentence: str) -> AirflowSkipException:
    """Log the reason and return the exception that skips the task."""
    log.info("%s", sentence)
    return AirflowSkipException(sentence)


def skip_unless_after(stage: str) -> None:
    """Skip the task, which follows this stage, if the run's mode ends with the stage."""
    from include.pipeline.decide import why_end_after

    if why := why_end_after(stage, mode(get_current_context())):
        raise skip(why)


def add_to_events(**extra: Any) -> None:
    """Add facts to the event of every asset that the task changes."""
    context = get_current_context()
    for asset in context["outlets"]:
        context["outlet_events"][asset].extra.update(extra)


@contextmanager
def keeping_report() -> Iterator[None]:
    """Save the report's path when a stage fails with one, so that the task's button and the mail link to it."""
    from include.core.errors import DaybreakError

    try:
        yield
    except DaybreakError as error:
        if path := getattr(error, "report", ""):
            get_current_context()["ti"].xcom_push(key=REPORT_KEY, value=path)
        raise


@contextmanager
def skipping_in_first_days() -> Iterator[None]:
    """Skip the task while there is too little reading for it, or no champion yet."""
    from include.core.errors import NoChampion, TooEarly

    try:
        yield
    except (NoChampion, TooEarly) as nothing:
        raise skip(str(nothing)) from nothing
