"""A log like those of open news sites: clicks and nothing else, short sessions, readers who mostly come once.

Each article belongs to a story of a few articles that come out within a day; it draws readers by an appeal of its own
that halves every `HALF_LIFE_HOURS`. A session begins with an article by appeal; each further click stays in the story
of the one before with chance `STAY`, else goes by appeal again. So what was read together in the last hours tells what
comes next, what is popular tells less, and what was popular yesterday tells little. Nobody clicks an article twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from include.core.contract import MOMENT, TABLES

START = datetime(2025, 5, 5, tzinfo=UTC)
STAY = 0.6
MORE_CLICKS = 0.62  # chance of a further click in a session
RETURNING = 0.3  # share of sessions by somebody who was there before
HALF_LIFE_HOURS = 4.0
LIFETIME_HOURS = 48
STORY_SIZE = 8
HOUR_US = 3_600_000_000


def session_log(
    days: int, clicks_a_day: int, articles_a_day: int, *, seed: int = 1, with_session_ids: bool = False
) -> dict[str, pa.Table]:
    """The three tables of such a log; articles are known by id and the time of their first click only."""
    random = np.random.default_rng(seed)
    begin = int(START.timestamp()) * 1_000_000
    hours = 24 * days
    per_hour = articles_a_day / 24
    count = int(per_hour * (hours + LIFETIME_HOURS))
    published = np.sort(random.uniform(-LIFETIME_HOURS, hours, count))
    story = random.permutation(count // STORY_SIZE + 1)[_nearby_story(published, count, random)]
    appeal = random.pareto(1.2, count) + 0.05

    clicks = []
    next_reader = 1
    rhythm = 1 + 0.8 * np.sin(2 * np.pi * (np.arange(24) - 9) / 24)
    mean_clicks = 1 / (1 - MORE_CLICKS)
    next_session = 1
    for hour in range(hours):
        live = np.flatnonzero((published < hour) & (published >= hour - LIFETIME_HOURS))
        live = live[np.argsort(story[live], kind="stable")]
        weights = appeal[live] * 0.5 ** ((hour - published[live]) / HALF_LIFE_HOURS)
        reach = np.concatenate([[0.0], np.cumsum(weights)])
        number = int(clicks_a_day / 24 / mean_clicks * rhythm[hour % 24])
        returning = random.random(number) < RETURNING * (next_reader > 1)
        readers = np.where(returning, random.integers(1, max(next_reader, 2), number), 0)
        fresh = int((~returning).sum())
        readers[~returning] = np.arange(next_reader, next_reader + fresh)
        next_reader += fresh
        sessions = np.arange(next_session, next_session + number)
        next_session += number
        at = begin + hour * HOUR_US + (random.random(number) * HOUR_US).astype(np.int64)
        place = _draw(reach, 0.0, reach[-1], random, number)
        going = np.arange(number)
        for _ in range(30):
            clicks.append((readers[going], live[place], at[going], sessions[going]))
            keep = random.random(len(going)) < MORE_CLICKS
            going, place = going[keep], place[keep]
            if not len(going):
                break
            at[going] += random.integers(20, 240, len(going)) * 1_000_000
            first, last = (np.searchsorted(story[live], story[live[place]], side) for side in ("left", "right"))
            stay = random.random(len(going)) < STAY
            low, high = np.where(stay, reach[first], 0.0), np.where(stay, reach[last], reach[-1])
            place = _draw(reach, low, high, random, len(going))
    columns = [np.concatenate(parts) for parts in zip(*clicks, strict=True)]
    return _tables(*columns, with_session_ids=with_session_ids)


def _nearby_story(published: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Which story an article belongs to: stories follow each other, with half a day of overlap."""
    place = published + random.uniform(0, 12, count)
    number = np.empty(count, np.int64)
    number[np.argsort(place)] = np.arange(count) // STORY_SIZE
    return number


def _draw(reach: np.ndarray, low: object, high: object, random: np.random.Generator, number: int) -> np.ndarray:
    """Articles by weight between two places of the cumulated weights."""
    wanted = low + random.random(number) * (np.asarray(high) - low)
    return np.clip(np.searchsorted(reach, wanted, "right") - 1, 0, len(reach) - 2)


def _tables(
    readers: np.ndarray, articles: np.ndarray, at: np.ndarray, sessions: np.ndarray, *, with_session_ids: bool
) -> dict[str, pa.Table]:
    order = np.lexsort((articles, readers, at))
    pairs = readers[order] * 10_000_000 + articles[order]
    order = order[np.sort(np.unique(pairs, return_index=True)[1])]
    readers, articles, at, sessions = readers[order], articles[order] + 1, at[order], sessions[order]
    rows = len(order)
    events = {
        "event_id": np.arange(rows) + 1,
        "reader_id": readers,
        "article_id": articles,
        "kind": np.full(rows, "click"),
        "occurred_at": pa.array(at).cast(MOMENT),
        "ingested_at": pa.array(at).cast(MOMENT),
        "session_id": sessions if with_session_ids else None,
    }
    return {
        "subscribers": _first_seen(TABLES[0].columns, "reader_id", readers, at, ["signed_up_at"]),
        "articles": _first_seen(
            TABLES[1].columns, "article_id", articles, at, ["published_at", "ingested_at", "updated_at"]
        ),
        "reading_events": _filled(TABLES[2].columns, events, rows),
    }


def _first_seen(columns: pa.Schema, key: str, ids: np.ndarray, at: np.ndarray, names: list[str]) -> pa.Table:
    """One row per id; all that is known of it is when it was first seen."""
    found, first = np.unique(ids, return_index=True)
    seen = pa.array(at[first]).cast(MOMENT)
    flags = {"is_flagged": np.zeros(len(found), bool)} if "is_flagged" in columns.names else {}
    return _filled(columns, {key: found, **dict.fromkeys(names, seen), **flags}, len(found))


def _filled(columns: pa.Schema, known: dict, rows: int) -> pa.Table:
    """The table with nulls where nothing is known."""
    return pa.table(
        [
            pa.nulls(rows, c.type) if known.get(c.name) is None else pa.array(known[c.name]).cast(c.type)
            for c in columns
        ],
        schema=columns,
    )


def end_of(days: int) -> datetime:
    """When a log of so many days ends."""
    return START + timedelta(days=days)
