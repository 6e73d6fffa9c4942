"""Landings: the publisher says up to when its data have landed, and one run takes them.

Belongs here: what a message means, and which run takes which moment, so that neither a repeated message nor a flood
makes more runs. Does not belong here: listening to the publisher (`adapters/arrivals.py`) or starting runs, which is
Airflow's.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from include.adapters.warehouse import Connection, query
from include.core.clock import parse_moment
from include.core.errors import DaybreakError

FORM = '{"until": "2026-12-01T03:00:00Z"}'
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
# A clock of the publisher's may be ahead, and a message may be early; a year that is mistyped may not hold up others.
EARLIEST = timedelta(days=1)
# An event whose run has not begun after this time is taken for lost and sent again.
EVENT_WAITS = timedelta(hours=12)


def read_message(text: str, moment: datetime) -> datetime:
    """Return the moment up to which the data have landed; raise `DaybreakError` if the message cannot be read."""
    try:
        until = parse_moment(json.loads(text)["until"])
    except Exception as error:  # whatever a stranger sends: it may not hold up the messages after it
        raise DaybreakError(f"{text[:200]!r} is not a message that data have landed.", hint=f"send {FORM}.") from error
    if until < OLDEST:
        raise DaybreakError(f"{until:%Y-%m-%d %H:%M} UTC is too long ago.", hint=f"send {FORM}.")
    if until > moment + EARLIEST:
        raise DaybreakError(
            f"{until:%Y-%m-%d %H:%M} UTC is more than a day ahead; it is {moment:%Y-%m-%d %H:%M} UTC now.",
            hint="send the moment up to which all data are there.",
        )
    return until


def keep_messages(warehouse: Connection, told: Collection[datetime], moment: datetime) -> None:
    """Keep up to when the publisher said that its data have landed, and when it last said so."""
    warehouse.execute(query("data/keep_messages"), {"told": [*told], "moment": moment})


def find_next(warehouse: Connection, moment: datetime, *, is_first: bool = False) -> datetime | None:
    """Return the newest moment that no run has taken and that needs an event now, and note that it gets one.

    `is_first`: whoever sends events has just begun, so an event that no run has taken may have been lost.
    """
    lost_before = moment if is_first else moment - EVENT_WAITS
    row = warehouse.execute(query("data/next_landing"), {"moment": moment, "lost_before": lost_before}).fetchone()
    return row[0] if row else None


def find_told(warehouse: Connection, moment: datetime) -> datetime | None:
    """Return the latest moment up to which the publisher has said that its data are there."""
    row = warehouse.execute(query("data/told_until"), {"moment": moment}).fetchone()
    return row[0] if row else None


def take(warehouse: Connection, until: datetime, run_id: str) -> str | None:
    """Let a run take what has landed; return the other run that has taken it already, if one has.

    A run that is cleared or tried again has what it took the first time.
    """
    asked = {"until": until, "run_id": run_id}
    warehouse.execute(query("data/lock_landings"))
    row = warehouse.execute(query("data/landing_taken_by"), asked).fetchone()
    if row is None:
        warehouse.execute(query("data/take_landing"), asked)
    return row[0] if row else None
