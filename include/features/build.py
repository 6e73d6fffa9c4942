"""Features: facts known about readers and articles at each moment, computed in SQL by the same code for both purposes.

A build is a folder: a folder of Parquet files per Feast view and per side table that is no feature (reads, co-reads,
articles, and for training the outcomes), and the Feast registry that describes exactly this build. Training replays the
list times of past days, whose tables are kept by day (`days.py`); scoring asks for now. For scenes of other moments
without files, call `describe` and `make_scenes`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa

from include.adapters import duck
from include.core.contract import LONGEST_COUNTED_SECONDS, MOMENT
from include.core.errors import SourceError
from include.data.read_kind import find_read_kind
from include.features.days import (
    ROWS_AT_ONCE,
    file_of,
    known_as,
    link_day,
    open_day,
    split_days,
    write_table,
    write_tables,
)

if TYPE_CHECKING:
    from include.core.settings import Settings
    from include.data.snapshot import Snapshot

log = logging.getLogger(__name__)
Purpose = Literal["training", "scoring"]
# The queries in include/features/sql/duckdb/, each of which may name the tables of those before it.
OF_ALL = ("reads", "shown", "article_stats", "co_reads")
OF_PURPOSE: dict[Purpose, tuple[str, ...]] = {
    "training": ("outcomes", "requests_training"),
    "scoring": ("requests_scoring",),
}
OF_READERS = ("reader_profile", "reader_activity", "reader_taste")
OF_SCORING = ("article_stats", "co_reads", "requests_scoring", "reader_activity", "reader_taste")
# Parameters of the SQL in include/features/sql/duckdb/; part of the feature version.
COUNTING = {
    "fresh_hours": 6,
    "longest_counted_seconds": LONGEST_COUNTED_SECONDS,
    "unknown_read_seconds": 30.0,
    "taste_half_life_days": 3.0,
    "most_names": 20,
    "most_reads": 20,
    "most_others": 50,
    "together_hours": 6.0,
    "lately_hours": 4.0,
    "shrink": 3.0,
}


def list_times(settings: Settings, as_of: datetime, purpose: Purpose) -> list[datetime]:
    """Return the moments a build describes: now for scoring, each step of training and hold-out days for training."""
    if purpose == "scoring":
        return [as_of]
    step = timedelta(hours=settings.list_step_hours)
    count = (timedelta(days=settings.train_days) + timedelta(hours=settings.holdout_hours)) // step
    return [as_of - step * back for back in range(count, 0, -1)]


def counting(settings: Settings) -> dict[str, Any]:
    """Return the parameters of the feature queries."""
    return {
        **COUNTING,
        "lookback_days": find_lookback_days(settings),
        "article_max_age_hours": settings.article_max_age_hours,
    }


def find_lookback_days(settings: Settings) -> int:
    """Return how many days before a moment its features look back: as many as the window of a training run has before
    its first moment, so that training and scoring see the same."""
    replayed = timedelta(days=settings.train_days, hours=settings.holdout_hours)
    before = timedelta(days=settings.window_days) - replayed
    return max(1, min(settings.lookback_days, before // timedelta(days=1)))


def find_log_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the parameters that the feature queries take from the log as a whole."""
    ((knows_seconds,),) = connection.sql(duck.query("features/knows_seconds")).fetchall()
    return {"read_kind": find_read_kind(connection), "knows_seconds": knows_seconds}


def describe_outcomes(
    connection: duckdb.DuckDBPyConnection, moments: Sequence[datetime], parameters: Mapping[str, Any]
) -> pa.Table:
    """Return what readers did after each of these moments, from the same tables as `describe`, and their reads."""
    parameters = {**find_log_facts(connection), "since": min(moments), **parameters}
    return describe_part(connection, "outcomes", parameters)


def compute_features(
    settings: Settings, snapshot: Snapshot, purpose: Purpose, folder: Path, home: Path, kept: Path | None = None
) -> None:
    """Write all tables of a build as Parquet files to `folder`, and the Feast registry that describes them at `home`.

    The days of training are linked from the folder `kept` (default: the installation's) if they are there, and else
    computed and kept. Training and scoring run the same queries on the same look-back.
    """
    from include.adapters.feast_store import seal  # a version on its own knows no database and no Feast
    from include.data.snapshot import open_snapshot_tables

    moments, step = list_times(settings, snapshot.as_of, purpose), timedelta(hours=settings.list_step_hours)
    with open_snapshot_tables(settings, snapshot) as connection:
        parameters = {**counting(settings), **find_log_facts(connection)}
        connection.register("moments", pa.table({"list_at": pa.array(moments, MOMENT)}))
        tables = [(name, connection.table(name)) for name in ("moments", "articles")]
        tables += [(name, duck.ask(connection, duck.query(f"features/{name}"))) for name in ("reads", "shown")]
        for name, rows in tables:
            write_table(folder / name / "part.parquet", rows.to_arrow_reader(ROWS_AT_ONCE))
        if purpose == "training":
            kept = kept or settings.home / "features" / "days"
            found = [link_day(settings, snapshot, day, parameters, kept, folder) for day in split_days(moments, step)]
            log.info("%d of %d days of features were found, the others computed.", sum(found), len(found))
        else:
            (now,) = split_days(moments, timedelta(0))
            with open_day(settings, snapshot, now, parameters) as day:
                write_tables(day, now, OF_SCORING, parameters, snapshot.as_of, lambda name: file_of(folder, name, now))
        connection.read_parquet(str(folder / "requests" / "*.parquet")).create_view("requests")
        if not connection.view("requests").shape[0]:
            raise SourceError(
                f"No reader can be described as of {snapshot.as_of:%Y-%m-%d %H:%M} UTC: snapshot {snapshot.id} holds "
                f"{snapshot.rows('subscribers'):,} subscribers and {snapshot.rows('reading_events'):,} events.",
                hint="widen the window, or check that events and articles belong together.",
            )
        profiles = duck.ask(connection, duck.query("features/reader_profile")).to_arrow_reader(ROWS_AT_ONCE)
        write_table(folder / "reader_profile" / "part.parquet", profiles, snapshot.as_of)
    seal(folder, home, step)


def describe(
    connection: duckdb.DuckDBPyConnection,
    moments: Sequence[datetime],
    asked: Purpose | pa.Table,
    parameters: Mapping[str, Any],
) -> dict[str, pa.Table]:
    """Return every table of a build, by name, from the tables `subscribers`, `articles` and `reading_events`.

    `asked` holds the requests (reader_id, list_at), or the purpose that selects them.
    """
    parameters = {**find_log_facts(connection), "since": min(moments), **parameters}
    tables = describe_world(connection, moments, parameters)
    if isinstance(asked, pa.Table):
        tables["requests"] = asked.sort_by([("list_at", "ascending"), ("reader_id", "ascending")])
    else:
        tables |= {known_as(name): describe_part(connection, name, parameters) for name in OF_PURPOSE[asked]}
    return tables | describe_readers(connection, tables["requests"], parameters)


def describe_world(
    connection: duckdb.DuckDBPyConnection, moments: Sequence[datetime], parameters: Mapping[str, Any]
) -> dict[str, pa.Table]:
    """Return the tables shared by all requests at these moments; `read_kind` as in `describe_readers`."""
    tables = {
        "moments": pa.table({"list_at": pa.array(moments, MOMENT)}),
        "articles": connection.table("articles").to_arrow_table(),
    }
    connection.register("moments", tables["moments"])
    parameters = {"read_kind": find_read_kind(connection), "since": min(moments), **parameters}
    tables |= {name: describe_part(connection, name, parameters) for name in OF_ALL if name != "co_reads"}
    # moment by moment, because the pairs of all moments at once fill the memory
    together = []
    for number, moment in enumerate(moments):
        connection.register("moments", tables["moments"].slice(number, 1))
        connection.register("reads", _fetch_reads_of_day(connection, moment, parameters))
        together.append(describe_part(connection, "co_reads", parameters))
    connection.register("moments", tables["moments"])
    connection.register("reads", tables["reads"])
    tables["co_reads"] = pa.concat_tables(together)
    connection.register("co_reads", tables["co_reads"])
    return tables


def _fetch_reads_of_day(
    connection: duckdb.DuckDBPyConnection, moment: datetime, parameters: Mapping[str, Any]
) -> pa.Table:
    """Return the reads that the day of a moment sees (days.py): an article read before its look-back is read anew."""
    first = datetime.combine(moment.date(), time.min, moment.tzinfo) - timedelta(days=parameters["lookback_days"])
    seen = "with reading_events as (select * from reading_events where occurred_at >= $first)\n"
    return duck.fetch(connection, seen + duck.query("features/reads"), {**parameters, "first": first})


def describe_readers(
    connection: duckdb.DuckDBPyConnection, requests: pa.Table, parameters: Mapping[str, Any]
) -> dict[str, pa.Table]:
    """Return the tables about the requests' readers; `read_kind` in the parameters replaces the log's own kind."""
    connection.register("requests", requests)
    parameters = {"read_kind": find_read_kind(connection), **parameters}
    return {name: describe_part(connection, name, parameters) for name in OF_READERS}


def describe_part(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, Any]) -> pa.Table:
    """Return the result of one feature query, and register it as a table for later queries."""
    table = duck.fetch(connection, duck.query(f"features/{name}"), parameters)
    connection.register(known_as(name), table)
    return table
