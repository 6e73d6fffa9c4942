"""The loaded log in PostgreSQL: written to draft tables, then merged in one transaction.

Belongs here: every statement on schema `loaded`. A load that fails or is killed leaves the log unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from include.adapters import duck
from include.adapters.ingest import copy_in
from include.adapters.warehouse import Connection, connect, query
from include.core.errors import DaybreakError
from include.core.locks import LockKey
from include.core.settings import Settings
from include.data.loading.intake import Intake
from include.data.loading.mapping import Section

ROLE, SCHEMA = "newsroom", "loaded"
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Shown:
    """The contents of the views after a load."""

    first_at: datetime
    last_at: datetime
    events: int
    articles: int
    articles_by_id_only: int
    articles_without_time: int
    readers: int
    events_too_early: int


@contextmanager
def only_one(settings: Settings) -> Iterator[Connection]:
    """Yield a connection that holds the loading lock; raise `DaybreakError` if another process holds it."""
    with connect(settings, ROLE, autocommit=True) as publisher:
        row = publisher.execute("select pg_try_advisory_lock(%s)", [LockKey.LOADING]).fetchone()
        if not row or not row[0]:
            raise DaybreakError("Another process is loading.", hint="wait until it is done, or stop it.")
        yield publisher


def write_drafts(settings: Settings, publisher: Connection, intake: Intake, sections: Mapping[str, Section]) -> None:
    """Write the rows to draft tables."""
    with publisher.transaction():
        publisher.execute(query("data/loading/create_tables"))
        publisher.execute(query("data/loading/create_drafts"))
    for name in [*sections, "names"]:
        rows = intake.connection.sql(duck.query(f"data/loading/rows_{name}")).to_arrow_reader(ROWS_AT_ONCE)
        copy_in(settings, ROLE, SCHEMA, f"draft_{name}", rows)


def take_over(publisher: Connection, sections: Mapping[str, Section], *, replace: bool) -> tuple[dict[str, int], Shown]:
    """Merge the drafts in one transaction; return the number of new rows per section and the views' contents."""
    added = {}
    with publisher.transaction():
        if replace:
            publisher.execute(query("data/loading/forget_tables"))
        clash = publisher.execute(query("data/loading/same_numbers")).fetchone()
        if clash is not None:
            raise DaybreakError(
                f"The {clash[0]} ids {clash[2]!r} and {clash[3]!r} map to the same number, {clash[1]}.",
                hint="rename one of them in the files.",
            )
        publisher.execute(query("data/loading/add_names"))
        is_empty = publisher.execute("select not exists (select from loaded.events)").fetchone() == (True,)
        if is_empty:
            publisher.execute(query("data/loading/drop_event_keys"))
        if "events" in sections:
            statement = query("data/loading/fill_events") if is_empty else query("data/loading/add_events")
            added["events"] = publisher.execute(statement).rowcount
        publisher.execute(query("data/loading/create_event_keys"))
        for name in ("articles", "readers"):
            if name in sections:
                added[name] = publisher.execute(query(f"data/loading/add_{name}")).rowcount
        publisher.execute(query("data/loading/see_articles"))
        publisher.execute(query("data/loading/see_readers"))
        if "articles" in sections and sections["articles"].first_sight == "if_earlier":
            publisher.execute(query("data/loading/prefer_first_sight"))
        publisher.execute(query("data/loading/stand_in"))
        publisher.execute(query("data/loading/drop_drafts"))
        publisher.execute(query("data/loading/show"))
        publisher.execute(query("data/loading/analyze"))
        row = publisher.execute(query("data/loading/summary")).fetchone()
        if row is None or row[0] is None:
            raise DaybreakError("There are no events.", hint="load events first, or together with the rest.")
    return added, Shown(*row)
