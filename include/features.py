"""Features: what was known about readers and articles at each moment, computed once, in SQL, for training and scoring.

A build is a folder: one Parquet file per Feast view, the side tables that are not features (reads, co-reads, articles,
and for training the outcomes), and the Feast registry that describes exactly this build. The same code serves both
purposes; only the moments differ: training replays the list times of the past days, scoring asks for now. Whoever needs
the scenes of other moments, and no files, asks `describe` and `make_scenes` for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters import duck
from include.adapters.feast_store import retrieve, seal
from include.adapters.warehouse import query
from include.errors import SourceError
from include.settings import Settings
from include.snapshot import Snapshot, find_read_kind, open_tables

VERSION = "v3"
VIEWS = ("reader_activity", "reader_taste", "article_stats")
SIDE_TABLES = ("articles", "reads", "shown", "co_reads", "requests", "moments", "outcomes")
METADATA = ["article_id", "title", "category", "publisher", "language", "word_count", "published_at"]
MICROSECONDS = pa.timestamp("us", tz="UTC")

OURS_TO_FEAST = {"list_at": "event_timestamp"}
FEAST_TO_OURS = {"event_timestamp": "list_at"}

Purpose = Literal["training", "scoring"]

# How the SQL in include/sql/features/ counts; part of the feature version.
COUNTING = {
    "fresh_hours": 6,
    "longest_counted_seconds": 600.0,
    "unknown_read_seconds": 30.0,
    "taste_half_life_days": 3.0,
    "most_names": 20,
    "most_reads": 20,
    "most_others": 50,
    "together_hours": 6.0,
    "lately_hours": 4.0,
    "shrink": 3.0,
}


@dataclass(frozen=True)
class Scenes:
    """What a model sees: for every request (reader_id, list_at) the world as it was known at that moment.

    `readers` has one row per request with the reader's features, `articles` one per moment and live article with its
    metadata and features, `reads` what those who ask had read when and `shown` what they were shown, `co_reads` which
    articles go together at a moment. `all_reads` is what everybody had read when: the very table `reads`, unless
    requests are sessions and not readers. `catalogue` tells what articles say, of those no longer live, too.
    """

    requests: pa.Table
    readers: pa.Table
    articles: pa.Table
    reads: pa.Table
    co_reads: pa.Table
    all_reads: pa.Table
    shown: pa.Table
    catalogue: pa.Table

    def between(self, start: datetime, end: datetime) -> Scenes:
        """The scenes with `start <= list_at < end`; reads stay whole, models look only at those before each moment."""
        return Scenes(
            **{
                field.name: rows_between(table, start, end) if "list_at" in table.column_names else table
                for field in fields(self)
                for table in [getattr(self, field.name)]
            }
        )


def rows_between(table: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """The rows with `start <= list_at < end`."""
    list_at = pc.field("list_at")
    return table.filter((list_at >= pa.scalar(start, MICROSECONDS)) & (list_at < pa.scalar(end, MICROSECONDS)))


def list_times(settings: Settings, as_of: datetime, purpose: Purpose) -> list[datetime]:
    """The moments a build describes: now for scoring, every step of the training and hold-out days for training."""
    if purpose == "scoring":
        return [as_of]
    step = timedelta(hours=settings.list_step_hours)
    count = (timedelta(days=settings.train_days) + timedelta(hours=settings.holdout_hours)) // step
    return [as_of - step * back for back in range(count, 0, -1)]


def counting(settings: Settings) -> dict[str, Any]:
    """The parameters of the feature queries."""
    return {
        **COUNTING,
        "lookback_days": settings.lookback_days,
        "article_max_age_hours": settings.article_max_age_hours,
    }


def compute_features(settings: Settings, snapshot: Snapshot, purpose: Purpose, folder: Path, home: Path) -> None:
    """All tables of a build as Parquet files in `folder`, and the Feast registry that describes them at `home`."""
    with open_tables(settings, snapshot) as connection:
        moments = list_times(settings, snapshot.as_of, purpose)
        tables = describe(connection, moments, purpose, counting(settings))
    if not tables["requests"].num_rows:
        raise SourceError(
            f"No reader can be described as of {snapshot.as_of:%Y-%m-%d %H:%M} UTC: snapshot {snapshot.id} holds "
            f"{snapshot.rows('subscribers'):,} subscribers and {snapshot.rows('reading_events'):,} events.",
            hint="widen the window, or check that events and articles belong together.",
        )
    created = pa.scalar(snapshot.as_of, MICROSECONDS)
    for name, table in tables.items():
        place = folder / name
        place.mkdir(parents=True)
        if name in VIEWS:
            table = table.append_column("created", pa.repeat(created, table.num_rows))
        pq.write_table(table, place / "part.parquet", compression="zstd", compression_level=1)
    seal(folder, home)


def describe(
    connection: duckdb.DuckDBPyConnection,
    moments: Sequence[datetime],
    asked: Purpose | pa.Table,
    parameters: Mapping[str, Any],
) -> dict[str, pa.Table]:
    """Every table of a build, by name, from the tables `subscribers`, `articles` and `reading_events`.

    `asked` are the requests (reader_id, list_at), or the purpose that says who is asked for.
    """
    tables = describe_world(connection, moments, parameters)
    match asked:
        case "training":
            tables["outcomes"] = describe_part(connection, "outcomes", parameters)
            tables["requests"] = describe_part(connection, "requests_training", parameters)
        case "scoring":
            tables["requests"] = describe_part(connection, "requests_scoring", parameters)
        case _:
            tables["requests"] = asked.sort_by([("list_at", "ascending"), ("reader_id", "ascending")])
    return tables | describe_readers(connection, tables["requests"], parameters)


def describe_world(
    connection: duckdb.DuckDBPyConnection, moments: Sequence[datetime], parameters: Mapping[str, Any]
) -> dict[str, pa.Table]:
    """What is the same for everybody who asks at these moments; `read_kind` as in `describe_readers`."""
    tables = {
        "moments": pa.table({"list_at": pa.array(moments, MICROSECONDS)}),
        "articles": connection.table("articles").to_arrow_table(),
    }
    connection.register("moments", tables["moments"])
    parameters = {"read_kind": find_read_kind(connection), **parameters}
    return tables | {
        name: describe_part(connection, name, parameters) for name in ("reads", "shown", "article_stats", "co_reads")
    }


def describe_readers(
    connection: duckdb.DuckDBPyConnection, requests: pa.Table, parameters: Mapping[str, Any]
) -> dict[str, pa.Table]:
    """What is known about those who ask; `read_kind` among the parameters says what counts as a read elsewhere."""
    connection.register("requests", requests)
    parameters = {"read_kind": find_read_kind(connection), **parameters}
    return {name: describe_part(connection, name, parameters) for name in ("reader_activity", "reader_taste")}


def describe_part(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, Any]) -> pa.Table:
    """The result of one feature query, which later queries may name as a table."""
    table = duck.fetch(connection, query(f"features/{name}"), parameters)
    connection.register(name.split("_training")[0].split("_scoring")[0], table)
    return table


def make_scenes(tables: Mapping[str, pa.Table]) -> Scenes:
    """The scenes of described tables, the same that a build of them gives."""
    with duck.connect() as connection:
        for name in ("requests", "reader_activity", "reader_taste"):
            connection.register(name, tables[name])
        readers = duck.fetch(connection, query("features/readers"))
    return _assemble(tables, readers, tables["article_stats"].rename_columns(FEAST_TO_OURS))


def open_scenes(folder: Path) -> Scenes:
    """The scenes of a build, its features retrieved point-in-time through Feast."""
    side = {name: pq.read_table(folder / name) for name in ("requests", "articles", "reads", "shown", "co_reads")}
    live = pq.read_table(folder / "article_stats", columns=["article_id", "event_timestamp"])
    stats = retrieve(folder, f"articles_{VERSION}", live).rename_columns(FEAST_TO_OURS)
    readers = retrieve(folder, f"readers_{VERSION}", side["requests"].rename_columns(OURS_TO_FEAST))
    return _assemble(side, readers.rename_columns(FEAST_TO_OURS), stats)


def _assemble(side: Mapping[str, pa.Table], readers: pa.Table, stats: pa.Table) -> Scenes:
    metadata = side["articles"].select(METADATA)
    return Scenes(
        requests=side["requests"],
        readers=readers,
        articles=stats.join(metadata, "article_id", join_type="inner").combine_chunks(),
        reads=side["reads"],
        co_reads=side["co_reads"],
        all_reads=side.get("all_reads", side["reads"]),
        shown=side["shown"],
        catalogue=side["articles"].select([*METADATA[:2], "summary", *METADATA[2:]]),
    )


def open_outcomes(folder: Path) -> pa.Table:
    """What readers did after each moment of a training build, a row per request and article."""
    return pq.read_table(folder / "outcomes")
