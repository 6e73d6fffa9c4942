"""Asynchronous questions to the publisher's PostgreSQL: what has arrived for a window, and what it says by itself.

They run as `daybreak_extract`. A question has a connection of its own, so a wait of hours keeps none open; listening
needs one that stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    async with _connected(settings) as connection:
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


async def listen(settings: Settings, seconds: float) -> AsyncIterator[list[str]]:
    """Yield what the publisher has sent on `landing_channel`, every so many seconds, for as long as it answers.

    PostgreSQL keeps no message for a listener who is away.
    """
    async with _connected(settings) as connection:
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(settings.landing_channel)))
        while True:
            yield [message.payload async for message in connection.notifies(timeout=seconds)]


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """Yield a connection to the publisher; raise `ServiceError` if it is down, `SourceError` if it refuses."""
    try:
        async with await psycopg.AsyncConnection.connect(
            conninfo(settings, "daybreak_extract"),
            autocommit=True,
            connect_timeout=10,
            keepalives_idle=60,
            options="-c timezone=UTC",
        ) as connection:
            yield connection
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
