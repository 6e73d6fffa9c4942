"""Scenes: the view of the world that a model gets for each request, opened from a build or made from tables.

Belongs here: the one form in which features reach models. Does not belong here: how a feature is computed (build.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters import duck
from include.adapters.feast_store import retrieve
from include.core.contract import MOMENT
from include.core.errors import ArtifactDamaged

VERSION = "v3"
METADATA = ["article_id", "title", "category", "publisher", "language", "word_count", "published_at"]
KEYS = ["reader_id", "list_at"]
ASKED_AT = "asked_at"  # when a reader came in the step
MOST_MISSING_SHARE = 0.01
FEAST_TO_OURS = {"event_timestamp": "list_at"}


@dataclass(frozen=True)
class Scenes:
    """The input of a model: for every request (reader_id, list_at) the world as it was known at that moment.

    `readers` has one row per request with the reader's features, `articles` one per moment and live article with its
    metadata and features. `reads` and `shown` hold what the requests' readers read and were shown, and when; `co_reads`
    which articles go together at a moment. `all_reads` holds the reads of all readers: the same table as `reads`,
    unless requests are sessions and not readers. `catalogue` holds texts, also of articles that are no longer live.
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
        """Return the scenes with `start <= list_at < end`; reads stay whole, models use those before each moment."""
        return Scenes(
            **{
                field.name: rows_between(table, start, end) if "list_at" in table.column_names else table
                for field in fields(self)
                for table in [getattr(self, field.name)]
            }
        )


def rows_between(table: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """Return the rows with `start <= list_at < end`."""
    list_at = pc.field("list_at")
    return table.filter((list_at >= pa.scalar(start, MOMENT)) & (list_at < pa.scalar(end, MOMENT)))


def make_scenes(tables: Mapping[str, pa.Table]) -> Scenes:
    """Return the scenes of described tables, equal to those of a build."""
    with duck.connect() as connection:
        for name in ("requests", "reader_profile", "reader_activity", "reader_taste"):
            connection.register(name, tables[name])
        readers = duck.fetch(connection, duck.query("features/readers"))
    share = _share(tables, tables["article_stats"].rename_columns(FEAST_TO_OURS))
    own = {name: tables[name] for name in ("reads", "shown")}
    requests, all_reads = tables["requests"].select(KEYS), tables.get("all_reads", tables["reads"])
    return share(**own, requests=requests, readers=readers, all_reads=all_reads)


def open_scenes(folder: Path) -> Scenes:
    """Return the scenes of a build, its features retrieved point-in-time through Feast.

    Feast is asked for what was known when a reader came in the step after each list time, and answers with what was
    known at that list time, because no later value is there until the next one.
    """
    asked = _read_requests(folder)
    own = {name: pq.read_table(folder / name) for name in ("reads", "shown")}
    share, readers = _open_world(folder, asked), _open_readers(folder, asked)
    return share(**own, requests=asked.select(KEYS), readers=readers, all_reads=own["reads"])


def open_scenes_in_parts(folder: Path, at_once: int) -> Iterator[Scenes]:
    """Yield the scenes of a build in parts of `at_once` requests, with what only their readers read and were shown;
    shared tables are the same object in each part."""
    all_requests = _read_requests(folder)
    share, all_reads = _open_world(folder, all_requests), pq.read_table(folder / "reads")
    for start in range(0, all_requests.num_rows, at_once):
        asked = all_requests.slice(start, at_once)
        first, last = (one.as_py() for one in pc.min_max(asked.column("reader_id")).values())
        between = [("reader_id", ">=", first), ("reader_id", "<=", last)]
        own = {name: pq.read_table(folder / name, filters=between) for name in ("reads", "shown")}
        yield share(**own, requests=asked.select(KEYS), readers=_open_readers(folder, asked), all_reads=all_reads)


def _read_requests(folder: Path) -> pa.Table:
    """Return the requests and when Feast is asked for them: in scoring, which has no step, at the list time."""
    requests = pq.read_table(folder / "requests")
    if ASKED_AT in requests.column_names:
        return requests
    return requests.append_column(ASKED_AT, requests.column("list_at"))


def _open_world(folder: Path, requests: pa.Table) -> Callable[..., Scenes]:
    with duck.connect() as connection:
        connection.register("requests", requests)
        connection.read_parquet(str(folder / "article_stats" / "*.parquet")).create_view("article_stats")
        asked = duck.fetch(connection, duck.query("features/asked_articles"))
    stats = _retrieve(folder, f"articles_{VERSION}", asked, "impression_count_1d")
    return _share({name: pq.read_table(folder / name) for name in ("articles", "co_reads")}, stats)


def _open_readers(folder: Path, requests: pa.Table) -> pa.Table:
    asked = requests.rename_columns({ASKED_AT: "event_timestamp"})
    return _retrieve(folder, f"readers_{VERSION}", asked, "impression_count")


def _retrieve(folder: Path, service: str, asked: pa.Table, always: str) -> pa.Table:
    """Return what Feast knows of each row at its event_timestamp, in the same order; raise `ArtifactDamaged` if more
    rows than a few have no value in `always`, which every row of the view has: it is missing, or stale by its TTL."""
    found = retrieve(folder, service, asked)
    missing = found.column(always).null_count
    if missing > MOST_MISSING_SHARE * asked.num_rows:
        raise ArtifactDamaged(
            f"Feast has no fresh {service} for {missing:,} of {asked.num_rows:,} rows of {folder.name}.",
            hint="remove the folder and build the features again.",
        )
    place = found.column_names.index("list_at")
    return found.set_column(place, "list_at", asked.column("list_at")).drop_columns(["event_timestamp"])


def _share(side: Mapping[str, pa.Table], stats: pa.Table) -> Callable[..., Scenes]:
    """Return a function that makes the scenes of requests in this world."""
    return partial(
        Scenes,
        articles=stats.join(side["articles"].select(METADATA), "article_id", join_type="inner").combine_chunks(),
        co_reads=side["co_reads"],
        catalogue=side["articles"].select([*METADATA[:2], "summary", *METADATA[2:]]),
    )


def open_outcomes(folder: Path) -> pa.Table:
    """Return what readers did after each moment of a training build, a row per request and article."""
    return pq.read_table(folder / "outcomes")
