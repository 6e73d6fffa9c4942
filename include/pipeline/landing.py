"""Before a run: hear from the publisher that data have landed, and let one run take them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from include.adapters.arrivals import listen
from include.adapters.warehouse import connect
from include.alerts.conditions import Condition
from include.alerts.guides import HEARD
from include.alerts.reporting import take_conditions
from include.core.clock import now
from include.core.errors import DaybreakError
from include.core.run import Run
from include.core.settings import Settings
from include.data import landing

__all__ = ["hear", "listen", "take"]

UNREADABLE = "MessageUnreadable"
DONE = "The message started nothing. The nightly run goes on as ever, and every other message is taken."

log = logging.getLogger(__name__)


def hear(settings: Settings, messages: Collection[str], *, is_first: bool = False) -> datetime | None:
    """Keep what the publisher said; return the moment whose data need a run now, None if no run has to start.

    A message that cannot be read opens a ticket, which the next one that can be read closes.
    """
    moment = now()
    told, faults = set[datetime](), list[DaybreakError]()
    for message in set(messages):
        try:
            told.add(landing.read_message(message, moment))
        except DaybreakError as error:
            log.warning("%s", error)
            faults.append(error)
    if messages:
        take_conditions(settings, [_as_condition(settings, faults)] if faults else [], HEARD)
    with connect(settings) as warehouse:
        landing.keep_messages(warehouse, told, moment)
        return landing.find_next(warehouse, moment, is_first=is_first)


def take(run: Run) -> str | None:
    """Let the run take what has landed; return the id of the run that has taken it already, if one has."""
    with connect(run.settings) as warehouse:
        return landing.take(warehouse, run.as_of, run.run_id)


def _as_condition(settings: Settings, faults: Collection[DaybreakError]) -> Condition:
    channel, first = settings.landing_channel, next(iter(faults))
    fact = f"{len(faults)} of the messages last heard on {channel} cannot be read. {first.fact}"
    return Condition(UNREADABLE, channel, "A message of the publisher cannot be read.", fact, DONE)
