"""The one place that reads the wall clock, and the words for time.

Everything that decides anything takes `as_of` as an argument; `now()` is for time stamps of records ("when was this
written") and for the edges that choose an `as_of`. A test holds every other module to that.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from include.errors import SettingsError


def now() -> datetime:
    """The present moment, UTC, timezone-aware."""
    return datetime.now(UTC)


def parse_moment(text: str) -> datetime:
    """An ISO date or datetime as an aware UTC datetime; a date means its midnight, a naive time is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"{text!r} is not a date or time.", hint="write it as 2026-11-20 or 2026-11-20T03:00:00Z."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_length(text: str) -> timedelta:
    """A length of time as people write it: 30m, 1h, 7d."""
    found = re.fullmatch(r"([1-9]\d{0,5})([mhd])", text.strip())
    if found is None:
        raise SettingsError(f"{text!r} is not a length of time.", hint="write it as 30m, 1h or 7d.")
    return int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]


def compact(moment: datetime) -> str:
    """A moment as it appears in ids and paths: 20261120T030000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
