"""The only module that reads the wall clock; it also parses and formats times.

Code that makes a decision takes `as_of` as an argument; `now()` is for the time stamps of records and for the edges
that choose an `as_of`. A test enforces this in every other module.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from include.core.errors import DaybreakError, SettingsError

CLOCK_SKEW = timedelta(minutes=5)


def now() -> datetime:
    """Return the current time as an aware UTC datetime."""
    return datetime.now(UTC)


def parse_moment(text: str) -> datetime:
    """Return an ISO date or datetime in UTC, timezone-aware; a date means its midnight, a naive time counts as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"{text!r} is not a date or time.", hint="write it as 2026-11-20 or 2026-11-20T03:00:00Z."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def refuse_future(moment: datetime, present: datetime) -> datetime:
    """Return the moment; raise `DaybreakError` if it is in the future. Two clocks may differ by five minutes."""
    if moment > present + CLOCK_SKEW:
        raise DaybreakError(
            f"{moment:%Y-%m-%d %H:%M} UTC is in the future; it is {present:%Y-%m-%d %H:%M} UTC now.",
            hint="give a time in the past, or leave it out.",
        )
    return moment


def parse_length(text: str) -> timedelta:
    """Return the length of time that a text such as 30m, 1h or 7d names."""
    found = re.fullmatch(r"([1-9]\d{0,5})([mhd])", text.strip())
    if found is None:
        raise SettingsError(f"{text!r} is not a length of time.", hint="write it as 30m, 1h or 7d.")
    return int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]


def compact(moment: datetime) -> str:
    """Return a moment as it appears in ids and paths: 20261120T030000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


FORMAT = "%Y-%m-%d %H:%M UTC"


def in_words(age: timedelta) -> str:
    """Return an age as people write it: 40 min, 3 h, 2 days."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def write_seconds(seconds: float) -> str:
    """Return a duration as people write it: 0.4 s, 36 s, 3 min 10 s."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
