"""Wait in the triggerer until a run's window is complete, without holding a worker slot.

A run checks at once and continues if the window is complete, as it mostly is. Scheduled runs, backfills and runs whose
form names a moment wait. A run that works as of its own trigger, or because of an event, uses the data that is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from daybreak_airflow.runs import as_of, current_run, form_as_of, is_landing, run_type

if TYPE_CHECKING:
    from include.core.settings import Settings

POLL_SECONDS = 15.0
# After the deadline, in case the triggerer is down when it passes.
GRACE = timedelta(minutes=10)

log = logging.getLogger(__name__)


class WaitForData(BaseOperator):
    """A task that succeeds once the window is complete and raises `SourceLate` at the deadline."""

    def execute(self, context: Any) -> str:
        """Return what has arrived if the window is complete; else defer to the trigger."""
        from daybreak_airflow.connections import connected_settings
        from include.core.clock import now
        from include.pipeline import waiting

        settings, end = connected_settings(), as_of(context)
        asked = (context.get("params") or {}).get("wait_minutes")
        why = why_not_waiting(context, settings.wait_deadline_minutes if asked is None else asked)
        if why:
            return taken(context, why)
        is_complete, answer = asyncio.run(waiting.look(settings, end, now()))
        if is_complete:
            return taken(context, answer)
        until, moment = waiting.deadline(settings, end, asked), now()
        if moment >= until:
            raise waiting.too_late(end, moment, answer)
        said(f"Waiting until {until:%H:%M} UTC. {answer}")
        trigger = WindowComplete(end.isoformat(), until.isoformat())
        raise TaskDeferred(trigger=trigger, method_name="go_on", timeout=until - moment + GRACE)

    def go_on(self, context: Any, event: Mapping[str, Any]) -> str:
        """Return the trigger's answer, or raise `SourceLate` if the deadline has passed."""
        from include.core.clock import now
        from include.pipeline.waiting import too_late

        if not event["is_complete"]:
            raise too_late(as_of(context), now(), event["answer"])
        return taken(context, event["answer"])


class WindowComplete(BaseTrigger):
    """A trigger that fires when the window ending at `window_end` is complete, or at `deadline`; both ISO 8601.

    A database that does not answer is asked again until the deadline.
    """

    def __init__(self, window_end: str, deadline: str, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__()
        self.window_end, self.deadline, self.poll_seconds = window_end, deadline, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path and arguments from which the triggerer recreates this trigger, also after a restart."""
        values = {"window_end": self.window_end, "deadline": self.deadline, "poll_seconds": self.poll_seconds}
        return "daybreak_airflow.tasks.waiting.WindowComplete", values

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: whether the window is complete, and the last answer."""
        settings = await sync_to_async(prepared)()  # in a thread: imports would hold up the other triggers
        from include.core.clock import now, parse_moment
        from include.core.errors import DaybreakError
        from include.pipeline.waiting import look

        end, until = parse_moment(self.window_end), parse_moment(self.deadline)
        while True:
            is_complete = False
            try:
                is_complete, answer = await look(settings, end, now())
            except DaybreakError as error:
                answer = error.fact
            if is_complete or now() >= until:
                yield TriggerEvent({"is_complete": is_complete, "answer": answer})
                return
            log.info("%s", answer)
            await asyncio.sleep(min(self.poll_seconds, max(0.0, (until - now()).total_seconds())))


def prepared() -> Settings:
    """Import every needed module and return the settings."""
    import include.pipeline.waiting  # noqa: F401
    from daybreak_airflow.connections import connected_settings

    return connected_settings()


def why_not_waiting(context: Mapping[str, Any], minutes: int) -> str:
    """Return the reason why the run does not wait; empty if it does."""
    if not minutes:
        return "Not waiting: this run uses the data that is there (wait_minutes 0)."
    if run_type(context) in ("scheduled", "backfill") or form_as_of(context):
        return ""
    return "Not waiting: this run works as of its trigger, with the data that is there."


def taken(context: Mapping[str, Any], sentence: str) -> str:
    """Take what has landed, log the sentence and return it; skip a run whose data another run has taken.

    A nightly run takes them as well, so that a message about its window starts no second run; but it is never skipped.
    """
    from include.pipeline.landing import take

    if run_type(context) == "scheduled" or is_landing(context):
        other = take(current_run(context))
        if other and is_landing(context):
            raise AirflowSkipException(f"The data up to {as_of(context):%Y-%m-%d %H:%M} UTC were taken by {other}.")
    return said(sentence)


def said(sentence: str) -> str:
    """Log the sentence and return it."""
    log.info("%s", sentence)
    return sentence
