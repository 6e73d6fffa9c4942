"""Feast's entities, feature views and versioned feature services: declarations only, no computing.

`include/features/build.py` computes exactly these columns (a test compares the two, both ways). Each build has a
registry over its own files; that of the installation is over all builds. `feast plan`, `feast ui` and the other
commands work in this folder: docs/development.md.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float32, Float64, Int64, String

sys.path.append(str(Path(__file__).resolve().parents[1]))  # the command `feast` looks for modules in this folder only

from include.core.settings import Settings, load_settings

VERSION = "v3"


def declare(root: Path, step: timedelta) -> list[Entity | FeatureView | FeatureService]:
    """Return all declarations, over files below `root/<view>/`; a value counts until the next step of list times."""
    reader = Entity(name="reader", join_keys=["reader_id"], value_type=ValueType.INT64)
    article = Entity(name="article", join_keys=["article_id"], value_type=ValueType.INT64)

    def source(view: str) -> FileSource:
        return FileSource(
            name=view,
            path=str(root / view / "*.parquet"),
            timestamp_field="event_timestamp",
            created_timestamp_column="created",
        )

    reader_profile = FeatureView(
        name="reader_profile",
        entities=[reader],
        ttl=step,
        source=source("reader_profile"),
        schema=[
            Field(name="reader_id", dtype=Int64),
            Field(name="region", dtype=String),
            Field(name="plan", dtype=String),
            Field(name="interests", dtype=Array(String)),
            Field(name="tenure_days", dtype=Float64),
        ],
    )
    reader_activity = FeatureView(
        name="reader_activity",
        entities=[reader],
        ttl=step,
        source=source("reader_activity"),
        schema=[
            Field(name="reader_id", dtype=Int64),
            Field(name="impression_count", dtype=Int64),
            Field(name="read_count", dtype=Int64),
            Field(name="read_count_1d", dtype=Int64),
            Field(name="read_seconds", dtype=Float64),
            Field(name="mean_read_seconds", dtype=Float64),
            Field(name="active_day_count", dtype=Int64),
        ],
    )
    reader_taste = FeatureView(
        name="reader_taste",
        entities=[reader],
        ttl=step,
        source=source("reader_taste"),
        schema=[
            Field(name="reader_id", dtype=Int64),
            Field(name="categories", dtype=Array(String)),
            Field(name="category_shares", dtype=Array(Float32)),
            Field(name="publishers", dtype=Array(String)),
            Field(name="publisher_shares", dtype=Array(Float32)),
            Field(name="languages", dtype=Array(String)),
            Field(name="language_shares", dtype=Array(Float32)),
        ],
    )
    article_stats = FeatureView(
        name="article_stats",
        entities=[article],
        ttl=step,
        source=source("article_stats"),
        schema=[
            Field(name="article_id", dtype=Int64),
            Field(name="impression_count_1d", dtype=Int64),
            Field(name="click_count_1d", dtype=Int64),
            Field(name="read_count_1d", dtype=Int64),
            Field(name="read_count_6h", dtype=Int64),
            Field(name="read_count_3h", dtype=Int64),
            Field(name="read_count_1h", dtype=Int64),
            Field(name="read_seconds_1d", dtype=Float64),
        ],
    )
    return [
        reader,
        article,
        reader_profile,
        reader_activity,
        reader_taste,
        article_stats,
        FeatureService(name=f"readers_{VERSION}", features=[reader_profile, reader_activity, reader_taste]),
        FeatureService(name=f"articles_{VERSION}", features=[article_stats]),
    ]


def declare_all(settings: Settings) -> list[Entity | FeatureView | FeatureService]:
    """Return all declarations of an installation, over every build that it keeps."""
    return declare(settings.home / "features" / "*", timedelta(hours=settings.list_step_hours))


(reader, article, reader_profile, reader_activity, reader_taste, article_stats, readers_v3, articles_v3) = declare_all(
    load_settings()
)
