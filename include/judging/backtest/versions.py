"""Versions: a digest of everything that a step or a fit of a backtest can see, and of nothing later.

The content itself is in `ground.py`. Days are identified by the digests of their files, so a row that arrives late, no
matter how late, makes a new version of its day and of every step that sees the day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import duckdb

from include.adapters import duck
from include.core.contract import READING_EVENTS, SUBSCRIBERS
from include.core.settings import Settings
from include.data.day_files import WHOLE
from include.data.snapshot import Snapshot, open_snapshot_tables
from include.data.store import digest_of
from include.judging.backtest.ground import Ground
from include.judging.backtest.plan import Plan

MICROSECOND = timedelta(microseconds=1)


class Versions:
    """The content of each day of a snapshot; subscribers, which are in one file, are grouped by their sign-up day."""

    def __init__(self, settings: Settings, snapshot: Snapshot) -> None:
        self.files = sorted((f.table, f.day, f.sha256) for f in snapshot.files if f.table != SUBSCRIBERS.name)
        with open_snapshot_tables(settings, snapshot) as connection:
            rows = _fetch(connection, duck.query("judging/backtest/subscribers_by_day"))
        self.subscribers = sorted((day or WHOLE, str(count), str(content)) for day, count, content in rows)
        self._found: dict[tuple[str, str], str] = {}

    def before(self, end: datetime, start: datetime | None = None) -> str:
        """Return the digest of the days up to a moment, with events from the day of `start` on; whole days count."""
        first, last = start.date().isoformat() if start else "", (end - MICROSECOND).date().isoformat()
        if (first, last) not in self._found:
            files = [
                (table, day, sha256)
                for table, day, sha256 in self.files
                if day == WHOLE or (day <= last and (table != READING_EVENTS.name or day >= first))
            ]
            subscribers = [one for one in self.subscribers if one[0] == WHOLE or one[0] <= last]
            self._found[first, last] = digest_of(files, subscribers)
        return self._found[first, last]


def find_asked(ground: Ground, plan: Plan) -> dict[int, str]:
    """Return a digest of the sessions asked at each step of next-read mode, by step number.

    A session may end long after the step.
    """
    with duck.borrow() as connection:
        connection.register("first_reads", ground.first_reads)
        bounds = {"start": plan.start, "end": plan.end, "every_us": plan.every // MICROSECOND}
        rows = _fetch(connection, duck.query("judging/backtest/asked_by_step"), bounds)
    return {number: f"{count} {content}" for number, count, content in rows}


def _fetch(
    connection: duckdb.DuckDBPyConnection, text: str, parameters: dict[str, object] | None = None
) -> list[tuple[Any, ...]]:
    return duck.ask(connection, text, parameters).fetchall()
