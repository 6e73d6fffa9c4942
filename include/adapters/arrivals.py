"""Asks the publisher's PostgreSQL whether a window is complete, without blocking whoever waits for the answer.

As `daybreak_extract`, on a connection per question: a wait of hours holds nothing open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg

from include.adapters.warehouse import query, uri
from include.core.errors import ServiceError, SourceError
from include.core.settings import Settings


@dataclass(frozen=True)
class Arrival:
    """What has arrived: an event from after the window, how far the publisher vouches, the window's newest event."""

    is_followed: bool
    complete_until: datetime | None
    newest_event_at: datetime | None


async def ask(settings: Settings, window_end: datetime) -> Arrival:
    """What has arrived for the window that ends then; `ServiceError` when nobody answers."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            uri(settings, "daybreak_extract"), connect_timeout=10, autocommit=True, options="-c timezone=UTC"
        )
        async with connection:
            end = {"window_end": window_end}
            has_deliveries = await _one(connection, query("adapters/has_deliveries"))
            until = await _one(connection, query("adapters/complete_until")) if has_deliveries else None
            is_followed = bool(await _one(connection, query("adapters/is_followed"), end))
            newest = None if is_followed else await _one(connection, query("adapters/newest_event"), end)
            return Arrival(is_followed, until, newest)
    except psycopg.OperationalError as error:
        raise ServiceError(
            f"The source database at {settings.postgres_host}:{settings.postgres_port} does not answer: "
            f"{_last_line(error)}",
            hint="is it running? `bin/daybreak status` tells.",
        ) from error
    except psycopg.Error as error:
        raise SourceError(
            f"The source cannot be asked what has arrived: {_last_line(error)}.",
            hint="mend the views in schema source (docs/mapping.md), then run again.",
        ) from error


async def _one(connection: psycopg.AsyncConnection[Any], text: LiteralString, values: Any = None) -> Any:
    row = await (await connection.execute(text, values)).fetchone()
    return row[0] if row else None


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
