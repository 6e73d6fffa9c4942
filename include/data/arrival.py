"""The arrival of a window's data: when it is complete, the deadline of a waiting run, and the texts about it.

Does not belong here: waiting without occupying a worker (the plugin's `waiting.py`) or the queries to the publisher
(`adapters/arrivals.py`).
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from include.adapters.arrivals import Arrival, ask
from include.adapters.warehouse import connect
from include.core.clock import FORMAT, in_words
from include.core.errors import SourceLate
from include.core.settings import Settings
from include.data.landing import find_told


async def look(settings: Settings, window_end: datetime, moment: datetime) -> tuple[bool, str]:
    """Query the publisher once; return whether the window is complete, and a sentence on what has arrived.

    A message that the data have landed counts as well.
    """
    arrival = await ask(settings, window_end)
    if not is_complete(arrival, window_end):
        told = await asyncio.to_thread(_find_told, settings, moment)
        if told and told >= window_end:
            return True, f"Complete: the publisher sent that all data up to {told.strftime(FORMAT)} have landed."
    return is_complete(arrival, window_end), describe_arrival(arrival, window_end)


def _find_told(settings: Settings, moment: datetime) -> datetime | None:
    with connect(settings) as warehouse:
        return find_told(warehouse, moment)


def is_complete(arrival: Arrival, window_end: datetime) -> bool:
    """Return whether a later event has arrived, or the publisher vouches for all data up to the window's end."""
    return arrival.is_followed or (arrival.complete_until is not None and arrival.complete_until >= window_end)


def deadline(settings: Settings, window_end: datetime, asked_minutes: int | None = None) -> datetime:
    """Return the time until which a run waits, counted from the window's end and not from the run's start."""
    minutes = settings.wait_deadline_minutes if asked_minutes is None else asked_minutes
    return window_end + timedelta(minutes=minutes)


def describe_arrival(arrival: Arrival, window_end: datetime) -> str:
    """Return what has arrived, in words."""
    end = window_end.strftime(FORMAT)
    if arrival.is_followed:
        return f"Complete: events from after {end} have arrived."
    until = arrival.complete_until
    if until is not None and until >= window_end:
        return f"Complete: source.deliveries vouches for all data up to {until.strftime(FORMAT)}."
    newest = arrival.newest_event_at
    earlier = f"the newest earlier one is of {newest.strftime(FORMAT)}" if newest else "it has no earlier one either"
    vouched = f" source.deliveries vouches for all data up to {until.strftime(FORMAT)}." if until else ""
    return f"source.reading_events has no event from {end} or later; {earlier}.{vouched}"


def too_late(window_end: datetime, moment: datetime, last_answer: str) -> SourceLate:
    """Return the error for a window that is still incomplete at the deadline."""
    return SourceLate(
        f"The window that ends at {window_end.strftime(FORMAT)} is not complete {in_words(moment - window_end)} "
        f"after its end. {last_answer}",
        hint="ask the publisher when the rest will arrive; then clear `wait_for_data` and the run continues. "
        "To use only the data that has arrived, trigger a run with this as_of and wait_minutes 0.",
    )
