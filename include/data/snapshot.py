"""Snapshots: immutable, content-addressed copies of a window of the source.

Belongs here: taking a snapshot, writing its manifest, opening it. Does not belong here: judging its rows (validation)
or the connection (adapters/source). A snapshot is a manifest plus Parquet files named by their SHA-256, one per table
and day, so the same data gives the same id and an unchanged day is stored once. `ops.snapshot_days` lists the versions
of days in each snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from include.adapters import duck
from include.adapters.source import check_columns, identify, read_source, set_parameter, stream
from include.adapters.warehouse import connect, query
from include.core.clock import compact, parse_moment
from include.core.contract import ARTICLES, READING_EVENTS, SUBSCRIBERS, TABLES
from include.core.errors import ArtifactDamaged, SourceError
from include.core.locks import LockKey
from include.core.references import Reference
from include.core.settings import Settings
from include.data.day_files import DayFile, store_by_day, store_whole
from include.data.read_kind import find_read_kind
from include.data.store import digest_file, digest_of, manifest_uri, object_path, read_manifest, write_manifest

MOST_TOLD = 3
STRAYS_DAYS = 1  # a snapshot collects strays that arrived in this many days before its end


@dataclass(frozen=True)
class Snapshot:
    """A window of the source as it was known at `as_of`.

    `parent` is the raw snapshot that a clean one was made from, `replaces` the previous version of the same window,
    `source` the identity of the database and its views.
    """

    as_of: datetime
    window_start: datetime
    files: tuple[DayFile, ...]
    parent: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    replaces: str | None = None

    @property
    def fingerprint(self) -> str:
        """Return the digest of the content: window, files and parent only."""
        return digest_of(self.as_of, self.window_start, [vars(file) for file in self.files], self.parent)

    @property
    def id(self) -> str:
        """Return the id, readable and content-addressed: the same data has the same id."""
        return f"{compact(self.as_of)}-{self.fingerprint[:12]}"

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        return sum(file.rows for file in self.files if file.table == table)

    @property
    def missing_days(self) -> list[str]:
        """Return the whole days of the window without reading events."""
        first = self.window_start.date() + timedelta(days=self.window_start.time() > time.min)
        days = {(first + timedelta(days=n)).isoformat() for n in range((self.as_of.date() - first).days)}
        return sorted(days - {file.day for file in self.files if file.table == READING_EVENTS.name})

    def paths(self, settings: Settings, table: str) -> list[str]:
        """Return the paths of a table's Parquet files."""
        return [str(object_path(settings, file.sha256)) for file in self.files if file.table == table]


def take_snapshot(settings: Settings, as_of: datetime, length: timedelta) -> Snapshot:
    """Take, store and return the snapshot of `[as_of - length, as_of)`, all tables from one moment of the database.

    It includes strays: rows that arrived recently but are dated outside every window, for validation to quarantine;
    they lie in one file per table, of the day `whole`. A table without rows in the window raises `SourceError`, so a
    run never continues without data.
    """
    start = as_of - length
    taken: dict[str, list[DayFile]] = {}
    with read_source(settings, source_window(settings, as_of, length)) as cursor:
        check_columns(settings, cursor)
        source = identify(settings, cursor)
        read = _Read()
        for table in (READING_EVENTS, ARTICLES, SUBSCRIBERS):
            if table is ARTICLES:
                set_parameter(cursor, "read_articles", read.as_array())
            rows = stream(settings, cursor, table)
            found = list(store_by_day(settings, table, read.watch(rows) if table is READING_EVENTS else rows))
            if not found:
                raise SourceError(
                    f"{settings.view(table.name)} has no row for the window {start:%Y-%m-%d %H:%M} to "
                    f"{as_of:%Y-%m-%d %H:%M} UTC.",
                    hint="check that the publisher delivers and that the window is the one you meant.",
                    is_empty=True,
                )
            if table.day_column:
                found += store_whole(settings, table, stream(settings, cursor, table, strays=True))
            taken[table.name] = found
    files = tuple(file for table in TABLES for file in taken[table.name])
    return keep_snapshot(settings, Snapshot(as_of, start, files, source=source))


class _Read:
    """The ids of the articles in a stream of events."""

    def __init__(self) -> None:
        self.ids = pa.array([], pa.int64())

    def watch(self, events: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass the events through, collecting their article ids."""
        for batch in events:
            self.ids = pc.unique(pa.chunked_array([self.ids, batch.column("article_id").drop_null()]))
            yield batch

    def as_array(self) -> str:
        """Return the ids as a PostgreSQL array literal."""
        return f"{{{','.join(map(str, self.ids.to_pylist()))}}}"


def source_window(settings: Settings, as_of: datetime, length: timedelta) -> dict[str, str]:
    """Return the parameters of the source queries (`include/adapters/sql/postgres/`): moments, and no read articles."""
    start, late = as_of - length, timedelta(days=settings.late_days)
    strays_since = as_of - timedelta(days=STRAYS_DAYS)
    moments = {
        "window_start": start,
        "window_end": as_of,
        "known_until": as_of + timedelta(minutes=settings.arrival_grace_minutes),
        "articles_start": start - timedelta(days=settings.article_lookback_days),
        "strays_since": strays_since,
        "too_far_back": min(start, strays_since - late),
        "too_far_ahead": as_of + late,
    }
    return {"read_articles": "{}", **{name: moment.isoformat() for name, moment in moments.items()}}


def keep_snapshot(settings: Settings, snapshot: Snapshot) -> Snapshot:
    """Save the manifest and the row in `ops.snapshots`, and return the snapshot; one saved earlier stays unchanged."""
    with connect(settings) as warehouse:
        window = {"as_of": snapshot.as_of, "window_start": snapshot.window_start, "parent_id": snapshot.parent}
        warehouse.execute(query("data/lock_snapshots"), {"key": LockKey.SNAPSHOTS})
        newest = warehouse.execute(query("data/version_before"), window).fetchone()
        try:
            kept = find_snapshot(settings, snapshot.id)
        except ArtifactDamaged:
            kept = replace(snapshot, replaces=newest[0] if newest and newest[0] != snapshot.id else None)
            save_manifest(settings, kept)
        about = {**window, "snapshot_id": kept.id, "replaces_id": kept.replaces, "source": json.dumps(kept.source)}
        warehouse.execute(query("data/keep_snapshot"), about)
        with warehouse.cursor() as cursor:
            kept_id = kept.id  # computed once, because it is slow for a thousand days
            days = [{"snapshot_id": kept_id, **vars(file)} for file in kept.files]
            cursor.executemany(query("data/keep_day"), days)
    return replace(kept, facts=snapshot.facts)


def save_manifest(settings: Settings, snapshot: Snapshot) -> None:
    """Write the manifest; call this last, so that a manifest always has its files."""
    write_manifest(
        settings,
        snapshot.id,
        {
            "id": snapshot.id,
            "as_of": snapshot.as_of.isoformat(),
            "window_start": snapshot.window_start.isoformat(),
            "parent": snapshot.parent,
            "replaces": snapshot.replaces,
            "source": snapshot.source,
            "schema": {table.name: {c.name: str(c.type) for c in table.columns} for table in TABLES},
            "rows": {table.name: snapshot.rows(table.name) for table in TABLES},
            "files": [vars(file) for file in snapshot.files],
            "facts": snapshot.facts,
        },
    )


def open_snapshot(reference: Reference) -> Snapshot:
    """Return the snapshot that a reference names."""
    return _read(reference.uri)


def find_snapshot(settings: Settings, snapshot_id: str) -> Snapshot:
    """Return the stored snapshot with this id."""
    return _read(manifest_uri(settings, snapshot_id))


def find_validation(settings: Settings, snapshot_id: str) -> str | None:
    """Return the path of the report on a snapshot's validation, below the reports; None for a lost snapshot."""
    try:
        found = find_snapshot(settings, snapshot_id)
    except ArtifactDamaged:
        return None
    return f"validation/{found.parent or found.id}/index.html"


def verify_files(settings: Settings, snapshot: Snapshot) -> None:
    """Raise an `ArtifactDamaged` that lists the changed files, unless each file matches the digest in its name."""
    wrong = [
        f"{file.table} of {file.day}"
        for file in snapshot.files
        if digest_file(object_path(settings, file.sha256)) != file.sha256
    ]
    if wrong:
        raise ArtifactDamaged(
            f"{len(wrong)} of the {len(snapshot.files)} files of snapshot {snapshot.id} have changed: "
            f"{', '.join(wrong[:MOST_TOLD])}.",
            hint="remove them and run extract for that window again.",
        )


def _read(uri: str) -> Snapshot:
    data = read_manifest(uri)
    return Snapshot(
        parse_moment(data["as_of"]).astimezone(UTC),
        parse_moment(data["window_start"]).astimezone(UTC),
        tuple(DayFile(**file) for file in data["files"]),
        data["parent"],
        data["facts"],
        data.get("source", {}),
        data.get("replaces"),
    )


def open_snapshot_tables(
    settings: Settings, snapshot: Snapshot, *, name_rows: bool = False
) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with the snapshot's tables as views; `name_rows` adds file name and row number."""
    connection = duck.connect()
    for table in TABLES:
        rows = connection.read_parquet(
            snapshot.paths(settings, table.name),
            file_row_number=name_rows,
            filename=name_rows,
        )
        rows.create_view(table.name)
    return connection


def refer_to(settings: Settings, snapshot: Snapshot, kind: str, **facts: Any) -> Reference:
    """Return the reference to a stored snapshot."""
    return Reference(
        kind,
        snapshot.id,
        manifest_uri(settings, snapshot.id),
        snapshot.as_of,
        snapshot.fingerprint,
        (snapshot.parent,) if snapshot.parent else (),
        {**{table.name: snapshot.rows(table.name) for table in TABLES}, **snapshot.facts, **facts},
    )


def read_kind_of(settings: Settings, trained_on: Snapshot) -> str:
    """Return the kind of event that counts as a read in the champion's snapshot, and so in every later window."""
    with open_snapshot_tables(settings, trained_on) as connection:
        return find_read_kind(connection)
