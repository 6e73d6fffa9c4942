"""Scenes written down by hand: a few readers, a few articles, one moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from include.core.contract import ARTICLES, MOMENT
from include.features.scenes import METADATA, Scenes
from include.models import RANKED

NOW = datetime(2025, 3, 9, 12, tzinfo=UTC)

_KEYS = [("reader_id", pa.int64()), ("list_at", MOMENT)]
REQUESTS = pa.schema(_KEYS)
READERS = pa.schema(
    [
        *_KEYS,
        ("region", pa.string()),
        ("plan", pa.string()),
        ("interests", pa.list_(pa.string())),
        ("tenure_days", pa.float64()),
        ("impression_count", pa.int64()),
        ("read_count", pa.int64()),
        ("read_count_1d", pa.int64()),
        ("read_seconds", pa.float64()),
        ("mean_read_seconds", pa.float64()),
        ("active_day_count", pa.int64()),
        *((name, pa.list_(pa.string())) for name in ("categories", "publishers", "languages")),
        *((f"{name}_shares", pa.list_(pa.float32())) for name in ("category", "publisher", "language")),
    ]
)
COUNTS = ("impression_count_1d", "click_count_1d", "read_count_1d", "read_count_6h", "read_count_3h", "read_count_1h")
LIVE = pa.schema(
    [
        ("article_id", pa.int64()),
        ("list_at", MOMENT),
        ("read_seconds_1d", pa.float64()),
        *((name, pa.int64()) for name in COUNTS),
        *((name, pa.string()) for name in ("title", "category", "publisher", "language")),
        ("word_count", pa.int32()),
        ("published_at", MOMENT),
    ]
)
READS = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("article_id", pa.int64()),
        ("read_at", MOMENT),
        ("known_at", MOMENT),
        ("read_seconds", pa.float64()),
        ("seconds_known_at", MOMENT),
    ]
)
SHOWN = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("article_id", pa.int64()),
        ("shown_at", MOMENT),
        ("known_at", MOMENT),
        ("position", pa.int16()),
    ]
)
CO_READS = pa.schema(
    [
        ("list_at", MOMENT),
        ("article_id", pa.int64()),
        ("other_id", pa.int64()),
        *((name, pa.float32()) for name in ("weight", "together", "following")),
    ]
)
CATALOGUE = ARTICLES.columns.empty_table().select([*METADATA[:2], "summary", *METADATA[2:]])


def an_article(article_id: int, **values: object) -> dict:
    """An article published an hour ago, by a publisher and in a category of its own."""
    published = NOW - timedelta(hours=values.pop("age_hours", 1))
    row = {
        "article_id": article_id,
        "title": f"Title {article_id}",
        "category": f"category {article_id}",
        "publisher": f"publisher {article_id}",
        "language": "en",
        "word_count": 500,
        "published_at": published,
        "ingested_at": published,
        "updated_at": published,
        "is_flagged": False,
    }
    return {**row, **values}


def scenes(readers: list[int], articles: list[dict], read: dict[int, list[int]] | None = None) -> Scenes:
    """The scenes of these readers now; `read` is what each had read by an hour ago. Articles name their own counts."""
    hour_ago = NOW - timedelta(hours=1)
    zero = {**dict.fromkeys(COUNTS, 0), "read_seconds_1d": 0.0, "list_at": NOW}
    reads = [
        {"reader_id": reader, "article_id": article, "read_at": hour_ago, "known_at": hour_ago}
        for reader, read_by in (read or {}).items()
        for article in read_by
    ]
    return Scenes(
        requests=pa.Table.from_pylist([{"reader_id": reader, "list_at": NOW} for reader in readers], REQUESTS),
        readers=pa.Table.from_pylist([{"reader_id": reader, "list_at": NOW} for reader in readers], READERS),
        articles=pa.Table.from_pylist([{**zero, **article} for article in articles], LIVE),
        reads=pa.Table.from_pylist(reads, READS),
        co_reads=CO_READS.empty_table(),
        all_reads=pa.Table.from_pylist(reads, READS),
        shown=SHOWN.empty_table(),
        catalogue=pa.Table.from_pylist(articles, CATALOGUE.schema),
    )


def catalogue(articles: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(articles, ARTICLES.columns)


def ranking(order: dict[int, list[int]]) -> pa.Table:
    """A model's ranking: reader -> articles, best first."""
    rows = [
        {"reader_id": r, "list_at": NOW, "rank": n, "article_id": a, "score": 1.0 / n, "reason": "model"}
        for r, articles in order.items()
        for n, a in enumerate(articles, 1)
    ]
    return pa.Table.from_pylist(rows, RANKED)
