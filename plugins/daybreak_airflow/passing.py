"""Values that tasks hand on: references, events, skips with a reason, pages of failures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from daybreak_airflow.runs import current_run
from daybreak_airflow.ui.links import REPORT_KEY

if TYPE_CHECKING:
    from include.core.run import Run

Passed = dict[str, Any]  # a Reference as it travels between tasks

log = logging.getLogger(__name__)


def run_on(passed: Mapping[str, Any]) -> Run:
    """Return the run, as of what it works on: that of a replay is as of its snapshot, whenever it was started."""
    return replace(current_run(), as_of=received(passed).as_of)


def received(passed: Mapping[str, Any]) -> Any:
    """Return the reference that an earlier task handed on."""
    from include.core.references import Reference

    return Reference.from_dict(passed)


def skip(sentence: str) -> AirflowSkipException:
    """Return the skip of a task that has nothing to do, with the reason in its log."""
    log.info("%s", sentence)
    return AirflowSkipException(sentence)


def tell(**extra: Any) -> None:
    """Put facts on the event of every asset the task changes, if it changes any."""
    context = get_current_context()
    for asset in context["outlets"]:
        context["outlet_events"][asset].extra.update(extra)


@contextmanager
def keeping_report() -> Iterator[None]:
    """Keep the report of a failure, so that the task's button and the mail lead there."""
    from include.core.errors import DaybreakError

    try:
        yield
    except DaybreakError as error:
        if path := getattr(error, "report", ""):
            get_current_context()["ti"].xcom_push(key=REPORT_KEY, value=path)
        raise


@contextmanager
def skipping_without_champion() -> Iterator[None]:
    """Skip the task before the first promotion: there is nothing to score or watch yet."""
    from include.core.errors import NoChampion

    try:
        yield
    except NoChampion as nothing:
        raise skip(str(nothing)) from nothing
