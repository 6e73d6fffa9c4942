"""The tiny world: a publisher whose readers' tastes are planted, small enough to compute anything by hand.

240 readers in four groups; each group reads one category and nothing else. Every half hour each category gets one
article, by turns long and short, and shows it for twelve hours. Readers come four times a day and see two articles of
each category. Of their own they open a short one with chance 0.8 and stay 20 s, a long one with chance 0.4 and stay
200 s: who counts clicks takes the short ones for the best, who counts time the long ones. Nobody reads an article
twice. Six days of this, then `AS_OF`, then a quarter of a day that nobody may look at yet.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.adapters.warehouse import connect
from include.core.contract import MOMENT, TABLES
from include.core.settings import Settings
from include.data.day_files import store_by_day
from include.data.snapshot import Snapshot, save_manifest
from include.features.build import Purpose, compute_features
from include.features.crowd import keep_crowd
from include.validation.broken_rows import find_broken_rows, leave_out, open_rows

AS_OF = datetime(2025, 3, 9, tzinfo=UTC)
START = AS_OF - timedelta(days=6)
CATEGORIES = ("politics", "sport", "science", "culture")
REGIONS = ("Latin America", "Africa", "North America")
READERS = 240
COLD_READERS = (241, 242, 243, 244)
LATE_READER = 245  # signs up after AS_OF
LONG_SECONDS, SHORT_SECONDS = 200.0, 20.0
LONG_CHANCE, SHORT_CHANCE = 0.4, 0.8
LIFETIME = timedelta(hours=12)
EVERY = timedelta(minutes=30)
VISIT_HOURS = (1, 7, 13, 19)
LATE_SHARE = 0.01

# How an installation is set up for this world.
TINY = {
    "window_days": 5,
    "lookback_days": 2,
    "article_lookback_days": 2,
    "train_days": 2,
    "holdout_hours": 24,
    "list_step_hours": 3,
    "max_train_rows": 50_000,
    "min_judged_readers": 100,
    "article_max_age_hours": 24,
    "drift_sample_rows": 2_000,
    "drift_min_rows": 500,
    "min_free_mb": 0,
}

World = dict[str, pa.Table]


def group_of(reader_id: int) -> int:
    """Which category a reader reads."""
    return reader_id % 4


def tiny(*, tastes: str = "planted", seed: int = 1) -> World:
    """The world's three tables. Tastes may have `turned`: everybody reads science, and the long articles. Or they have
    `moved`: each group reads the next one's category, so that all in all the same is read as before.
    """
    articles = _articles()
    events = _events(articles, tastes, np.random.default_rng(seed))
    return {"subscribers": _subscribers(), "articles": articles, "reading_events": events}


def _subscribers() -> pa.Table:
    ids = [*range(1, READERS + 1), *COLD_READERS, LATE_READER]
    joined = {**dict.fromkeys(COLD_READERS, AS_OF - timedelta(hours=6)), LATE_READER: AS_OF + timedelta(hours=1)}
    rows = [
        {
            "reader_id": reader,
            "region": REGIONS[reader % 3],
            "plan": "full" if reader % 5 else "trial",
            "signed_up_at": joined.get(reader, AS_OF - timedelta(days=30 + reader % 50)),
            "interests": [CATEGORIES[group_of(reader)]] if reader <= READERS else [],
        }
        for reader in ids
    ]
    return pa.Table.from_pylist(rows, TABLES[0].columns)


def _articles() -> pa.Table:
    first = AS_OF - timedelta(days=6, hours=12)
    rows = []
    for slot in range(int((AS_OF + timedelta(hours=6) - first) / EVERY)):
        at = first + slot * EVERY
        for number, category in enumerate(CATEGORIES):
            rows.append(
                {
                    "article_id": 1000 + 4 * slot + number,
                    "title": f"{category.title()}, story {slot}",
                    "summary": None if slot % 3 else f"What is new in {category}.",
                    "category": category,
                    "publisher": f"Publisher {(slot + number) % 5}",
                    "language": "en" if number < 2 else "es",
                    "word_count": 1200 if is_long(1000 + 4 * slot) else 200,
                    "published_at": at,
                    "ingested_at": at + timedelta(minutes=2),
                    "updated_at": at + timedelta(minutes=2),
                    "is_flagged": slot % 40 == 39,
                }
            )
    return pa.Table.from_pylist(rows, TABLES[1].columns)


def is_long(article_id: int) -> bool:
    """Whether readers stay longer and open it less often."""
    return (article_id - 1000) // 4 % 2 == 0


def _events(articles: pa.Table, tastes: str, random: np.random.Generator) -> pa.Table:
    published = articles.column("published_at").cast(pa.int64()).to_numpy().reshape(-1, 4)[:, 0]
    flagged = articles.column("is_flagged").to_numpy().reshape(-1, 4)[:, 0]
    reader, visit_us = _visits(days=6.25)
    live = int(LIFETIME / EVERY)
    newest = np.searchsorted(published + 120_000_000, visit_us) - 1
    slots = newest[:, None] - np.arange(live)
    keys = random.random((len(reader), 4, live)) + flagged[slots][:, None, :]  # those that are flagged come last
    chosen = np.argpartition(keys, 2, axis=2)[:, :, :2]
    slot = np.take_along_axis(np.broadcast_to(slots[:, None, :], keys.shape), chosen, axis=2)
    place = random.permuted(np.tile(np.arange(1, 9), (len(reader), 1)), axis=1)

    shown = {
        "reader_id": np.repeat(reader, 8),
        "article_id": (1000 + 4 * slot + np.arange(4)[None, :, None]).reshape(-1),
        "occurred_us": np.repeat(visit_us, 8),
        "position": place.reshape(-1),
        "session_id": np.repeat(np.arange(len(reader)) + 1, 8),
    }
    own = (
        shown["article_id"] % 4
        == {
            "planted": shown["reader_id"] % 4,
            "moved": (shown["reader_id"] + 1) % 4,
            "turned": 2,
        }[tastes]
    )
    long = (shown["article_id"] - 1000) // 4 % 2 == 0
    chance = np.where(long != (tastes == "turned"), LONG_CHANCE, SHORT_CHANCE)
    wanted = np.flatnonzero(own & (random.random(len(own)) < chance))
    pair = shown["reader_id"][wanted] * 1_000_000 + shown["article_id"][wanted]
    wanted = wanted[np.sort(np.unique(pair, return_index=True)[1])]  # nobody reads an article twice
    clicks = {name: column[wanted] for name, column in shown.items()}
    clicks["occurred_us"] = clicks["occurred_us"] + 5_000_000
    dwell = np.where(long[wanted], LONG_SECONDS, SHORT_SECONDS)
    reads = {**clicks, "occurred_us": clicks["occurred_us"] + (dwell * 1e6).astype(np.int64)}

    parts = [("impression", shown, None), ("click", clicks, None), ("read", reads, dwell)]
    columns = {name: np.concatenate([part[name] for _, part, _ in parts]) for name in shown}
    kind = np.concatenate([np.full(len(part["reader_id"]), name) for name, part, _ in parts])
    seconds = np.concatenate([np.full(len(p["reader_id"]), np.nan) if d is None else d for _, p, d in parts])
    order = np.lexsort((columns["article_id"], columns["reader_id"], columns["occurred_us"]))
    moments = columns["occurred_us"][order]
    late = random.random(len(order)) < LATE_SHARE
    rows = pa.table(
        {
            "event_id": np.arange(len(order)) + 1,
            "reader_id": columns["reader_id"][order],
            "article_id": columns["article_id"][order],
            "kind": kind[order],
            "occurred_at": pa.array(moments).cast(MOMENT),
            "ingested_at": pa.array(moments + np.where(late, 30 * 3_600_000_000, 60_000_000)).cast(MOMENT),
            "dwell_seconds": pa.array(seconds[order], from_pandas=True),
            "position": columns["position"][order].astype(np.int16),
            "surface": np.full(len(order), "front"),
            "batch_id": pa.nulls(len(order), pa.string()),
            "session_id": columns["session_id"][order],
        }
    )
    return rows.cast(TABLES[2].columns)


def _visits(days: float) -> tuple[np.ndarray, np.ndarray]:
    """Who comes when: every reader, four times a day, at minutes of their own."""
    reader = np.arange(1, READERS + 1)
    hours = np.array([24 * day + hour for day in range(8) for hour in VISIT_HOURS])
    hours = hours[hours < 24 * days]
    minutes = 60 * hours[:, None] + reader[None, :] * 7 % 120
    begin = int(START.timestamp()) * 1_000_000
    return np.tile(reader, len(hours)), (begin + minutes * 60_000_000).reshape(-1)


def known_at(world: World, as_of: datetime, days: int) -> World:
    """What a snapshot of the `days` before `as_of` holds, picked by plain comparisons."""
    start, end = (pa.scalar(moment, MOMENT) for moment in (as_of - timedelta(days=days), as_of))
    joined, published, received, happened, arrived = (
        pc.field(name) for name in ("signed_up_at", "published_at", "ingested_at", "occurred_at", "ingested_at")
    )
    return {
        "subscribers": world["subscribers"].filter(joined < end),
        "articles": world["articles"].filter((published < end) & (received < end)),
        "reading_events": world["reading_events"].filter((happened >= start) & (happened < end) & (arrived < end)),
    }


def store(settings: Settings, world: World, as_of: datetime = AS_OF, days: int = 5, order="ascending") -> Snapshot:
    """These tables as a stored snapshot, without a database."""
    files = [
        file
        for table in TABLES
        for rows in [world[table.name].sort_by([(table.day_column or table.key, order)])]
        for file in store_by_day(settings, table, rows.combine_chunks().to_batches())
    ]
    snapshot = Snapshot(as_of, as_of - timedelta(days=days), tuple(files))
    save_manifest(settings, snapshot)
    return snapshot


AHEAD = {"ART122", "ART123", "EVT113", "EVT114", "EVT115"}


def build(
    settings: Settings, world: World, purpose: Purpose, as_of: datetime = AS_OF, kept: Path | None = None
) -> Path:
    """The folder with the features of this world, its broken rows left out as a run would.

    Those that are only ahead of their time stay: a query that looks ahead must be able to find them.
    """
    raw = store(settings, world, as_of)
    with open_rows(settings, raw) as connection:
        broken = [row for row in find_broken_rows(settings, connection) if not AHEAD.issuperset(row.codes)]
    clean = leave_out(settings, raw, broken)
    folder = settings.home / "builds" / f"{raw.id}-{purpose}-{len(list(settings.home.glob('builds/*')))}"
    compute_features(settings, clean, purpose, folder, folder, kept)
    keep_crowd(settings, clean, folder)
    return folder


def changed(world: World, table: str, rows: list[dict]) -> World:
    """The world with more rows in one table; a column that a row does not name is null."""
    more = pa.Table.from_pylist(rows, world[table].schema)
    return {**world, table: pa.concat_tables([world[table], more])}


def publish(settings: Settings, world: World) -> None:
    """The publisher's own tables, filled, and the three views that map them; what was there before is replaced."""
    with connect(settings, "newsroom") as newsroom:
        for table in TABLES:
            newsroom.execute(CREATE[table.name])
        for table in TABLES:
            add(newsroom, table.name, world[table.name].to_pylist())


CREATE = {
    "subscribers": """
        drop table if exists newsroom.subscribers cascade;
        create table newsroom.subscribers (reader_id bigint, region text, plan text, signed_up_at timestamptz,
            interests text[]);
        create view source.subscribers as select * from newsroom.subscribers""",
    "articles": """
        drop table if exists newsroom.articles cascade;
        create table newsroom.articles (article_id bigint, title text, summary text, category text, publisher text,
            language text, word_count integer, published_at timestamptz, ingested_at timestamptz,
            updated_at timestamptz, is_flagged boolean);
        create view source.articles as select * from newsroom.articles""",
    "reading_events": """
        drop table if exists newsroom.reading_events cascade;
        create table newsroom.reading_events (event_id bigint, reader_id bigint, article_id bigint, kind text,
            occurred_at timestamptz, ingested_at timestamptz, dwell_seconds double precision, position smallint,
            surface text, batch_id text, session_id bigint);
        create view source.reading_events as select * from newsroom.reading_events""",
}
COPY = {
    "subscribers": "copy newsroom.subscribers from stdin",
    "articles": "copy newsroom.articles from stdin",
    "reading_events": "copy newsroom.reading_events from stdin",
}


def add(newsroom, table: str, rows: list[dict]) -> None:
    """More rows in one of the publisher's tables; a column that a row does not name is null."""
    (columns,) = (one.columns.names for one in TABLES if one.name == table)
    with newsroom.cursor() as cursor, cursor.copy(COPY[table]) as copy:
        for row in rows:
            copy.write_row([row.get(name) for name in columns])


# Broken rows, a few per rule; `codes` are the rules a row breaks. All but the subscribers lie inside the window.
_AT = AS_OF - timedelta(days=2, hours=3)
_OLD = AS_OF - timedelta(days=4)
_COPIED = AS_OF - timedelta(hours=30, minutes=55)  # article 2000 came five minutes before
_COPY = dict.fromkeys(("published_at", "ingested_at", "updated_at"), _COPIED)
_READER = {"reader_id": 9001, "region": "Africa", "plan": "full", "signed_up_at": _OLD, "interests": []}
_ARTICLE = {
    "article_id": 9001, "title": "T", "summary": "S", "category": "sport", "publisher": "P", "language": "en",
    "word_count": 300, "published_at": _OLD, "ingested_at": _OLD, "updated_at": _OLD, "is_flagged": False,
}  # fmt: skip
_EVENT = {
    "event_id": 900_001, "reader_id": 7, "article_id": 1001, "kind": "impression", "occurred_at": _AT,
    "ingested_at": _AT, "dwell_seconds": None, "position": 1, "surface": "front", "batch_id": None,
    "session_id": 900_001,
}  # fmt: skip
_READ = {**_EVENT, "kind": "read", "dwell_seconds": 30.0}

# (table, row, the codes of the rules it breaks)
BROKEN: list[tuple[str, dict, set[str]]] = [
    ("subscribers", {**_READER, "reader_id": None}, {"SUB101"}),
    ("subscribers", {**_READER, "reader_id": 7}, {"SUB102"}),
    ("subscribers", {**_READER, "reader_id": 9002, "signed_up_at": None}, {"SUB104"}),
    ("articles", {**_ARTICLE, "article_id": None}, {"ART101"}),
    ("articles", {**_ARTICLE, "article_id": 2000, **_COPY}, {"ART102"}),
    ("articles", {**_ARTICLE, "article_id": 9003, "title": None}, {"ART103"}),
    ("articles", {**_ARTICLE, "article_id": 9004, "category": None}, {"ART104"}),
    ("articles", {**_ARTICLE, "article_id": 9005, "published_at": None}, {"ART105"}),
    ("articles", {**_ARTICLE, "article_id": 9006, "word_count": 0}, {"ART106"}),
    ("articles", {**_ARTICLE, "article_id": 9007, "word_count": 50_001}, {"ART106"}),
    ("articles", {**_ARTICLE, "article_id": 9008, "is_flagged": None}, {"ART107"}),
    ("articles", {**_ARTICLE, "article_id": 9010, "ingested_at": None}, {"ART108"}),
    ("articles", {**_ARTICLE, "article_id": 9011, "title": "\u00a0 \u200b"}, {"ART109"}),
    ("articles", {**_ARTICLE, "article_id": 9012, "title": "long " * 101}, {"ART110"}),
    ("articles", {**_ARTICLE, "article_id": 9013, "title": "SÃ£o Paulo <b>\x07"}, {"ART111", "ART112", "ART113"}),
    ("articles", {**_ARTICLE, "article_id": 9014, "summary": "long " * 2001}, {"ART114"}),
    ("articles", {**_ARTICLE, "article_id": 9015, "summary": "\ufffd\x07<i>"}, {"ART115", "ART116", "ART117"}),
    ("articles", {**_ARTICLE, "article_id": 9016, "category": "<i>"}, {"ART118"}),
    ("articles", {**_ARTICLE, "article_id": 9017, "category": "polÃ­tica"}, {"ART119"}),
    ("articles", {**_ARTICLE, "article_id": 9018, "language": "english"}, {"ART120"}),
    ("articles", {**_ARTICLE, "article_id": 9019, "updated_at": _OLD - timedelta(hours=1)}, {"ART122"}),
    ("articles", {**_ARTICLE, "article_id": 9020, "ingested_at": _OLD - timedelta(days=40)}, {"ART123"}),
    ("articles", {**_ARTICLE, "article_id": 9021, "publisher": "P\n"}, {"ART125"}),
    ("articles", {**_ARTICLE, "article_id": 9009, "title": None, "word_count": -1}, {"ART103", "ART106"}),
    ("reading_events", {**_EVENT, "event_id": None, "position": 2}, {"EVT101"}),
    ("reading_events", {**_EVENT, "event_id": 900_002}, set()),
    ("reading_events", {**_EVENT, "event_id": 900_002, "occurred_at": _AT + timedelta(minutes=1)}, {"EVT102"}),
    ("reading_events", {**_EVENT, "event_id": 900_003, "kind": "teleported"}, {"EVT103"}),
    ("reading_events", {**_EVENT, "event_id": 900_004, "kind": None}, {"EVT104"}),
    ("reading_events", {**_EVENT, "event_id": 900_005, "reader_id": 800_000}, {"EVT105"}),
    ("reading_events", {**_EVENT, "event_id": 900_006, "reader_id": None}, {"EVT105"}),
    ("reading_events", {**_EVENT, "event_id": 900_007, "article_id": 800_000}, {"EVT106"}),
    ("reading_events", {**_READ, "event_id": 900_008, "dwell_seconds": -1.0}, {"EVT107"}),
    ("reading_events", {**_READ, "event_id": 900_009, "dwell_seconds": 14_401.0}, {"EVT107"}),
    ("reading_events", {**_READ, "event_id": 900_010, "dwell_seconds": float("nan")}, {"EVT107"}),
    ("reading_events", {**_READ, "event_id": 900_011, "dwell_seconds": None}, {"EVT108"}),
    ("reading_events", {**_EVENT, "event_id": 900_012, "position": 0}, {"EVT109"}),
    ("reading_events", {**_EVENT, "event_id": 900_013, "article_id": 2000}, {"EVT110"}),
    ("reading_events", {**_EVENT, "event_id": 900_014, "ingested_at": None, "position": 3}, {"EVT111"}),
    ("reading_events", {**_READ, "event_id": 900_016, "ingested_at": _AT - timedelta(hours=2)}, {"EVT114"}),
    ("reading_events", {**_EVENT, "event_id": 900_017, "surface": "copied"}, set()),
    ("reading_events", {**_EVENT, "event_id": 900_018, "surface": "copied"}, {"EVT116"}),
    ("reading_events", {**_READ, "event_id": 900_019, "dwell_seconds": 9000.0}, {"EVT117"}),
    ("reading_events", {**_EVENT, "event_id": 900_020, "dwell_seconds": 3.0}, {"EVT118"}),
    ("reading_events", {**_EVENT, "event_id": 900_021, "surface": "<script>"}, {"EVT120"}),
    ("reading_events", {**_EVENT, "event_id": 900_022, "batch_id": "\x01"}, {"EVT121"}),
    ("reading_events", {**_READ, "event_id": 900_015, "kind": "x", "position": 1001}, {"EVT103", "EVT109"}),
]  # fmt: skip
# Rows that only break a rule at `warn` or `info` stay.
NOTED = [
    ("subscribers", {**_READER, "reader_id": 9003, "region": None}, {"SUB103"}),
    ("subscribers", {**_READER, "reader_id": 9004, "plan": "<b>", "region": " "}, {"SUB106", "SUB107"}),
    ("reading_events", {**_EVENT, "event_id": 900_023, "kind": "click", "position": None}, {"EVT119"}),
]


def plant_broken_rows(newsroom) -> None:
    """Every row of BROKEN and NOTED among the publisher's rows."""
    for table in ("subscribers", "articles", "reading_events"):
        add(newsroom, table, [row for name, row, _ in [*BROKEN, *NOTED] if name == table])


def remove_broken_rows(newsroom) -> None:
    """The publisher's tables without them."""
    newsroom.execute("delete from newsroom.subscribers where signed_up_at = %s or signed_up_at is null", [_OLD])
    newsroom.execute("delete from newsroom.articles where publisher in ('P', E'P\\n')")
    newsroom.execute("delete from newsroom.reading_events where session_id = 900001")
