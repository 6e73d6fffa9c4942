"""Whether a window's data has arrived: when it is complete, until when a run waits, and what to say when it is late.

Belongs here: the rule and the words. Does not belong here: how a run waits without holding a worker (the plugin's
`waiting.py`) or how the publisher is asked (`adapters/arrivals.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from include.adapters.arrivals import Arrival, ask
from include.core.clock import FORMAT, in_words
from include.core.errors import SourceLate
from include.core.settings import Settings


async def look(settings: Settings, window_end: datetime) -> tuple[bool, str]:
    """Ask the publisher once: whether the window is complete, and what has arrived in one sentence."""
    arrival = await ask(settings, window_end)
    return is_complete(arrival, window_end), tell(arrival, window_end)


def is_complete(arrival: Arrival, window_end: datetime) -> bool:
    """True when the next window's first event is there, or the publisher vouches for all up to the window's end."""
    return arrival.is_followed or (arrival.complete_until is not None and arrival.complete_until >= window_end)


def deadline(settings: Settings, window_end: datetime, asked_minutes: int | None = None) -> datetime:
    """Until when a run waits: so long after the window's end, whenever the run began."""
    minutes = settings.wait_deadline_minutes if asked_minutes is None else asked_minutes
    return window_end + timedelta(minutes=minutes)


def tell(arrival: Arrival, window_end: datetime) -> str:
    """What has arrived, in one sentence."""
    end = window_end.strftime(FORMAT)
    if arrival.is_followed:
        return f"Complete: events from after {end} are there."
    until = arrival.complete_until
    if until is not None and until >= window_end:
        return f"Complete: source.deliveries vouches for all up to {until.strftime(FORMAT)}."
    newest = arrival.newest_event_at
    vouched = f" source.deliveries vouches for all up to {until.strftime(FORMAT)}." if until else ""
    return (
        f"source.reading_events has no event from {end} on; its newest before that is "
        f"{'of ' + newest.strftime(FORMAT) if newest else 'not there either'}.{vouched}"
    )


def too_late(window_end: datetime, moment: datetime, last_answer: str) -> SourceLate:
    """The error that ends a wait in vain."""
    return SourceLate(
        f"The window that ends at {window_end.strftime(FORMAT)} is not complete {in_words(moment - window_end)} "
        f"after its end. {last_answer}",
        hint="ask the publisher when the rest comes; once it is there, clear `wait_for_data` and the run goes on. "
        "To work with what is there, trigger a run with this as_of and wait_minutes 0.",
    )
