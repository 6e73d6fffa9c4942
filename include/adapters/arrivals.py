"""Asynchronous queries to the publisher's PostgreSQL about the data that has arrived for a window.

They run as `daybreak_extract`, with one connection per question, so a wait of hours keeps no connection open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from include.adapters.warehouse import conninfo, how_to_reach, place, source_query
from include.core.errors import ServiceError, SourceError
from include.core.settings import Settings


@dataclass(frozen=True)
class Arrival:
    """The state of a window's data.

    `is_followed`: an event from after the window has arrived. `complete_until`: the publisher's promise, if any.
    """

    is_followed: bool
    complete_until: datetime | None
    newest_event_at: datetime | None


async def ask(settings: Settings, window_end: datetime) -> Arrival:
    """Return the state of the data for the window that ends then; raise `ServiceError` if the database is down."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            conninfo(settings, "daybreak_extract"), connect_timeout=10, autocommit=True, options="-c timezone=UTC"
        )
        async with connection:
            end = {"window_end": window_end}
            has_deliveries = await _one(connection, source_query(settings, "adapters/has_deliveries"))
            until = None
            if has_deliveries:
                until = await _one(connection, source_query(settings, "adapters/complete_until"))
            is_followed = bool(await _one(connection, source_query(settings, "adapters/is_followed"), end))
            newest = None
            if not is_followed:
                newest = await _one(connection, source_query(settings, "adapters/newest_event"), end)
            return Arrival(is_followed, until, newest)
    except psycopg.OperationalError as error:
        raise ServiceError(
            f"The source database at {place(settings, 'daybreak_extract')} does not answer: {_last_line(error)}",
            hint=how_to_reach(settings, "daybreak_extract"),
            about="source database",
        ) from error
    except psycopg.Error as error:
        raise SourceError(
            f"The query for arrived data failed in the source database: {_last_line(error)}.",
            hint="fix the views (docs/mapping.md), then run again.",
        ) from error


async def _one(connection: psycopg.AsyncConnection[Any], text: sql.Composed, values: Any = None) -> Any:
    row = await (await connection.execute(text, values)).fetchone()
    return row[0] if row else None


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
