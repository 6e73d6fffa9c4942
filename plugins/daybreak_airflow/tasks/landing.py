"""Hear from the publisher that its data have landed, so that `retrain` starts without waiting for its hour.

The trigger listens in the triggerer for as long as `retrain` is scheduled, not for a task. A publisher that does not
answer is asked again; a message that it sends meanwhile is lost, and the nightly run takes its data. Messages that were
heard while the warehouse was away are kept until it answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from include.core.settings import Settings

POLL_SECONDS = 15.0
RETRY_SECONDS = 60.0

log = logging.getLogger(__name__)


class DataLanded(BaseEventTrigger):
    """A trigger that fires for each moment up to which data have landed and whose run has to start."""

    def __init__(self, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__()
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the path and arguments from which the triggerer recreates this trigger, also after a restart."""
        return "daybreak_airflow.tasks.landing.DataLanded", {"poll_seconds": self.poll_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event with `as_of` and `reason` for each run that has to start; never end."""
        while True:
            try:
                settings = await sync_to_async(prepared)()  # in a thread: imports would hold up the other triggers
                async for due in self.listen(settings):
                    reason = f"the publisher's data up to {due:%Y-%m-%d %H:%M} UTC have landed"
                    yield TriggerEvent({"as_of": due.isoformat(), "reason": reason})
            except Exception as error:  # whatever it is, it may be over in a minute
                log.warning("Not listening to the publisher for %d s: %s", RETRY_SECONDS, error)
            await asyncio.sleep(RETRY_SECONDS)

    async def listen(self, settings: Settings) -> AsyncIterator[datetime]:
        """Yield each moment whose data need a run, for as long as the publisher's database answers."""
        from include.pipeline.landing import hear, listen

        is_first, kept = True, set[str]()
        async for messages in listen(settings, self.poll_seconds):
            kept |= {*messages}
            try:
                due = await sync_to_async(hear)(settings, kept, is_first=is_first)
            except Exception as error:  # the publisher would not repeat what it has said
                log.warning("%d messages of the publisher wait: %s", len(kept), error)
                continue
            is_first, kept = False, set()
            if due:
                yield due


def prepared() -> Settings:
    """Import every needed module and return the settings, as they are now."""
    import include.pipeline.landing  # noqa: F401
    from daybreak_airflow.connections import connected_settings

    return connected_settings()
