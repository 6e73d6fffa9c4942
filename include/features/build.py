"""Features: facts known about readers and articles at each moment, computed in SQL by the same code for both purposes.

A build is a folder: one Parquet file per Feast view, the side tables that are not features (reads, co-reads, articles,
and for training the outcomes), and the Feast registry that describes exactly this build. Training replays the list
times of past days, scoring asks for now; for scenes of other moments without files, call `describe` and `make_scenes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from include.adapters import duck
from include.core.contract import LONGEST_COUNTED_SECONDS, MOMENT
from include.core.errors import SourceError
from include.data.read_kind import find_read_kind

if TYPE_CHECKING:
    from include.core.settings import Settings
    from include.data.snapshot import Snapshot

VIEWS = ("reader_activity", "reader_taste", "article_stats")
ROWS_AT_ONCE = 131_072
Purpose = Literal["training", "scoring"]
# The queries in include/features/sql/duckdb/, each of which may name the tables of those before it.
OF_ALL = ("reads", "shown", "article_stats", "co_reads")
OF_PURPOSE: dict[Purpose, tuple[str, ...]] = {
    "training": ("outcomes", "requests_training"),
    "scoring": ("requests_scoring",),
}
OF_READERS = ("reader_activity", "reader_taste")
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
        "lookback_days": settings.lookback_days,
        "article_max_age_hours": settings.article_max_age_hours,
    }


def compute_features(settings: Settings, snapshot: Snapshot, purpose: Purpose, folder: Path, home: Path) -> None:
    """Write all tables of a build as Parquet files to `folder`, and the Feast registry that describes them at `home`.

    Each table is streamed to its file and read from there by later queries, so memory does not grow with readers.
    """
    from include.adapters.feast_store import seal  # a version on its own knows no database and no Feast
    from include.data.snapshot import open_snapshot_tables

    moments = pa.table({"list_at": pa.array(list_times(settings, snapshot.as_of, purpose), MOMENT)})
    with open_snapshot_tables(settings, snapshot) as connection:
        connection.register("moments", moments)
        parameters = {"read_kind": find_read_kind(connection), **counting(settings)}
        for name in ("moments", "articles"):
            _write(folder / name, connection.table(name).to_arrow_reader(ROWS_AT_ONCE))
        for name in (*OF_ALL, *OF_PURPOSE[purpose], *OF_READERS):
            rows = duck.ask(connection, duck.query(f"features/{name}"), parameters).to_arrow_reader(ROWS_AT_ONCE)
            known = _known_as(name)
            path = _write(folder / known, rows, **({"created": snapshot.as_of} if known in VIEWS else {}))
            connection.read_parquet(str(path)).create_view(known)
    if not pq.read_metadata(folder / "requests" / "part.parquet").num_rows:
        raise SourceError(
            f"No reader can be described as of {snapshot.as_of:%Y-%m-%d %H:%M} UTC: snapshot {snapshot.id} holds "
            f"{snapshot.rows('subscribers'):,} subscribers and {snapshot.rows('reading_events'):,} events.",
            hint="widen the window, or check that events and articles belong together.",
        )
    seal(folder, home, timedelta(hours=settings.list_step_hours))


def _write(place: Path, rows: pa.RecordBatchReader, **moments: datetime) -> Path:
    """Write the rows to a file, with a column for each of the moments, and return its path."""
    schema = rows.schema
    for name in moments:
        schema = schema.append(pa.field(name, MOMENT))
    place.mkdir(parents=True)
    with pq.ParquetWriter(place / "part.parquet", schema, compression="zstd", compression_level=1) as writer:
        for batch in rows:
            more = [pa.repeat(pa.scalar(moment, MOMENT), batch.num_rows) for moment in moments.values()]
            writer.write_batch(pa.record_batch([*batch.columns, *more], schema=schema))
    return place / "part.parquet"


def describe(
    connection: duckdb.DuckDBPyConnection,
    moments: Sequence[datetime],
    asked: Purpose | pa.Table,
    parameters: Mapping[str, Any],
) -> dict[str, pa.Table]:
    """Return every table of a build, by name, from the tables `subscribers`, `articles` and `reading_events`.

    `asked` holds the requests (reader_id, list_at), or the purpose that selects them.
    """
    tables = describe_world(connection, moments, parameters)
    if isinstance(asked, pa.Table):
        tables["requests"] = asked.sort_by([("list_at", "ascending"), ("reader_id", "ascending")])
    else:
        tables |= {_known_as(name): describe_part(connection, name, parameters) for name in OF_PURPOSE[asked]}
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
    parameters = {"read_kind": find_read_kind(connection), **parameters}
    tables |= {name: describe_part(connection, name, parameters) for name in OF_ALL if name != "co_reads"}
    # moment by moment, because the pairs of all moments at once fill the memory
    together = []
    for number in range(len(moments)):
        connection.register("moments", tables["moments"].slice(number, 1))
        together.append(describe_part(connection, "co_reads", parameters))
    connection.register("moments", tables["moments"])
    tables["co_reads"] = pa.concat_tables(together)
    connection.register("co_reads", tables["co_reads"])
    return tables


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
    connection.register(_known_as(name), table)
    return table


def _known_as(query_name: str) -> str:
    """Return the name of the table that a query makes; each purpose has its own query for requests."""
    return query_name.removesuffix("_training").removesuffix("_scoring")
