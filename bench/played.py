"""Play the demo newsroom's world into the tables of the source contract, without a database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from include.core.contract import MOMENT, TABLES
from include.operations.demo.newsroom import headlines
from include.operations.demo.newsroom import readers as people
from include.operations.demo.newsroom.events import Memory, join
from include.operations.demo.newsroom.play import make_chunk
from include.operations.demo.newsroom.readers import HOUR
from include.operations.demo.newsroom.words import LANGUAGES, REGIONS
from include.operations.demo.newsroom.world import World, to_us

CHUNK_US = 6 * HOUR
KINDS = ("impression", "click", "read")
SURFACES = ("front", "list", "search")


def play_tables(world: World, until: datetime) -> dict[str, pa.Table]:
    """Return subscribers, articles and reading events of a world from its start, without lists of ours."""
    begin, end = world.parameters.started_us, to_us(until)
    memory, parts = Memory(*(np.empty(0, np.int64) for _ in range(3))), []
    while begin < end:
        chunk_end = min(begin + CHUNK_US, end)
        parts.append(make_chunk(world, begin, chunk_end, memory, lambda readers: None).events)
        begin = chunk_end
    return {
        "subscribers": _subscribers(world, end),
        "articles": _articles(world, end),
        "reading_events": _reading_events(join(parts), end),
    }


def _subscribers(world: World, end_us: int) -> pa.Table:
    count = world.count_readers(end_us)
    readers = world.readers(count).pick(np.arange(count))
    return _table(
        0,
        reader_id=np.arange(1, count + 1),
        region=[REGIONS[code] for code in readers.region],
        plan=people.plan_names(readers),
        signed_up_at=_moments(readers.signed_up_us),
        interests=people.like_names(readers),
    )


def _articles(world: World, end_us: int) -> pa.Table:
    stories = world.stories(world.first_hour, end_us // HOUR + 1)
    rows = np.flatnonzero(stories.received_us < end_us)
    titles, teasers = headlines.compose(world, stories, rows)
    stories = stories.pick(rows)
    is_revised = stories.revised_us < end_us
    return _table(
        1,
        article_id=stories.first_no + rows,
        title=titles,
        summary=teasers,
        category=headlines.desk_names(stories.topic),
        publisher=[headlines.outlet_name(int(code)) for code in stories.outlet],
        language=[LANGUAGES[code] for code in stories.language],
        word_count=stories.words,
        published_at=_moments(stories.published_us),
        ingested_at=_moments(stories.received_us),
        updated_at=_moments(np.where(is_revised, stories.revised_us, stories.received_us)),
        is_flagged=stories.disputed & is_revised,
    )


def _reading_events(events: Any, end_us: int) -> pa.Table:
    events = events.pick(np.flatnonzero(events.logged_us < end_us))
    return _table(
        2,
        event_id=np.arange(1, len(events) + 1),
        reader_id=events.reader,
        article_id=events.story,
        kind=pa.array(KINDS).take(pa.array(events.action)),
        occurred_at=_moments(events.happened_us),
        ingested_at=_moments(events.logged_us),
        dwell_seconds=pa.array(events.seconds, from_pandas=True),
        position=pa.array(events.slot, mask=events.slot == 0),
        surface=pa.array(SURFACES).take(pa.array(events.place)),
        batch_id=pa.nulls(len(events), pa.string()),
        session_id=events.visit,
    )


def _table(number: int, **columns: Any) -> pa.Table:
    return pa.table(columns).cast(TABLES[number].columns)


def _moments(us: Any) -> pa.Array:
    return pa.array(np.asarray(us, np.int64)).cast(MOMENT)
