"""Days of features: everything said about the moments of one calendar day (UTC), computed once per content.

A day sees the events from its look-back to the end of its last step, the readers and articles that these events name,
and the articles that its lists could contain. Nothing else is there when its queries run, and its key is the digest of
exactly this, so a day is found again as long as it would come out the same. A build holds hard links to its days (or
copies on another file system) and stays whole when a kept day is removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from include.adapters import duck
from include.core.contract import ARTICLES, MOMENT, READING_EVENTS, SUBSCRIBERS
from include.data.day_files import WHOLE, DayFile
from include.data.store import digest_file, digest_of, object_path, whole_folder

if TYPE_CHECKING:
    from include.core.settings import Settings
    from include.data.snapshot import Snapshot

VIEWS = ("reader_profile", "reader_activity", "reader_taste", "article_stats")
ROWS_AT_ONCE = 131_072
# Queries in include/features/sql/duckdb/, each of which may name the tables of those before it.
OF_DAY = ("article_stats", "co_reads", "outcomes", "requests_training", "reader_activity", "reader_taste")
SEEN = ("reads", "day_articles", "day_readers")


@dataclass(frozen=True)
class Day:
    """The moments of one day, and the end of the last one's step."""

    on: date
    moments: tuple[datetime, ...]
    until: datetime


def split_days(moments: Sequence[datetime], step: timedelta) -> list[Day]:
    """Return the days of these moments, which are in order."""
    days = [(on, tuple(group)) for on, group in groupby(moments, key=datetime.date)]
    return [Day(on, of_day, of_day[-1] + step) for on, of_day in days]


def link_day(
    settings: Settings, snapshot: Snapshot, day: Day, parameters: Mapping[str, Any], kept: Path, build: Path
) -> bool:
    """Link a day's tables from `kept` into a build, computing them if needed; return whether they were found."""
    with open_day(settings, snapshot, day, parameters) as connection:
        _see_own_rows_only(connection, day, parameters)
        (content,) = duck.fetch(connection, duck.query("features/day_content")).to_pylist()
        seen = [file.sha256 for file in _visible(snapshot, day, parameters)]
        key = digest_of(_code(), day.moments, day.until, parameters, seen, content)
        place = kept / f"{day.on}-{key[:16]}"
        try:
            os.utime(place)  # retention keeps days that were used lately
            _link(place, day, build)
        except FileNotFoundError:
            created = content["newest_at"] or day.until
            with whole_folder(settings, place) as draft:
                write_tables(connection, day, OF_DAY, parameters, created, lambda name: draft / f"{name}.parquet")
                _link(draft, day, build)  # before another run can replace the folder
            return False
    return True


@contextmanager
def open_day(
    settings: Settings, snapshot: Snapshot, day: Day, parameters: Mapping[str, Any]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with the events that a day sees, its moments, and all readers and articles of the snapshot."""
    with duck.connect() as connection:
        paths = [str(object_path(settings, file.sha256)) for file in _visible(snapshot, day, parameters)]
        events = (
            connection.read_parquet(paths) if paths else connection.from_arrow(READING_EVENTS.columns.empty_table())
        )
        until = duckdb.ConstantExpression(day.until).cast("timestamptz")
        events.filter(duckdb.ColumnExpression("occurred_at") < until).create_view("reading_events")
        for table in (ARTICLES, SUBSCRIBERS):
            rows = connection.read_parquet(snapshot.paths(settings, table.name))
            rows.create_view(f"all_{table.name}")
            rows.create_view(table.name)
        connection.register("moments", pa.table({"list_at": pa.array(day.moments, MOMENT)}))
        yield connection


def _visible(snapshot: Snapshot, day: Day, parameters: Mapping[str, Any]) -> list[DayFile]:
    """Return the day files of events from the day's look-back to the end of its last step."""
    first = day.moments[0] - timedelta(days=parameters["lookback_days"])
    last = day.until - timedelta(microseconds=1)
    between = f"{first.date()}", f"{last.date()}"
    events = [file for file in snapshot.files if file.table == READING_EVENTS.name]
    return [file for file in events if file.day == WHOLE or between[0] <= file.day <= between[1]]


def _see_own_rows_only(connection: duckdb.DuckDBPyConnection, day: Day, parameters: Mapping[str, Any]) -> None:
    """Replace the readers and articles of the snapshot by those that the day sees."""
    span = {**parameters, "first": day.moments[0], "last": day.moments[-1]}
    for name, query in ((ARTICLES.name, "day_articles"), (SUBSCRIBERS.name, "day_readers")):
        connection.register(name, duck.fetch(connection, duck.query(f"features/{query}"), span))


def write_tables(
    connection: duckdb.DuckDBPyConnection,
    day: Day,
    queries: Sequence[str],
    parameters: Mapping[str, Any],
    created: datetime,
    place_of: Callable[[str], Path],
) -> None:
    """Write the result of each query to its file, and open it as a view for those that follow.

    Each table is streamed to its file and read from there, so memory does not grow with readers.
    """
    parameters = {**parameters, "since": day.moments[0]}
    duck.ask(connection, duck.query("features/reads"), parameters).create("reads")
    for query in queries:
        rows = duck.ask(connection, duck.query(f"features/{query}"), parameters).to_arrow_reader(ROWS_AT_ONCE)
        name = known_as(query)
        path = write_table(place_of(name), rows, created if name in VIEWS else None)
        connection.read_parquet(str(path)).create_view(name)


def write_table(path: Path, rows: pa.RecordBatchReader, created: datetime | None = None) -> Path:
    """Write the rows to a file, views with the moment when they came to be known, and return its path."""
    schema = rows.schema if created is None else rows.schema.append(pa.field("created", MOMENT))
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for batch in rows:
            more = [] if created is None else [pa.repeat(pa.scalar(created, MOMENT), batch.num_rows)]
            writer.write_batch(pa.record_batch([*batch.columns, *more], schema=schema))
    return path


def known_as(query: str) -> str:
    """Return the name of the table that a query makes; each purpose has its own query for requests."""
    return query.removesuffix("_training").removesuffix("_scoring")


def file_of(build: Path, table: str, day: Day) -> Path:
    """Return the place of a day's table in a build."""
    return build / table / f"{day.on}.parquet"


def _link(folder: Path, day: Day, build: Path) -> None:
    """Link every table of a kept day into a build; raise FileNotFoundError if the day is not whole."""
    for table in map(known_as, OF_DAY):
        source, target = folder / f"{table}.parquet", file_of(build, table, day)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(source, target)


def _code() -> str:
    """Return the digest of the code that a day follows from."""
    queries = [duck.query(f"features/{name}") for name in (*SEEN, *OF_DAY, "day_content")]
    return digest_of(queries, digest_file(Path(__file__)), duckdb.__version__)
