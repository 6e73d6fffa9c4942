"""Replace quarantined rows of a raw snapshot by the publisher's present rows, and make the clean version.

Belongs here: finding those rows, asking the publisher for them, putting them in place. Does not belong here: judging
and saving the result (`include/pipeline/replaying.py`). The raw snapshot's own files are never changed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from psycopg.rows import dict_row

from include.adapters.warehouse import connect, query, source_query
from include.core.contract import TABLES, SourceTable
from include.core.errors import SourceError
from include.core.settings import Settings
from include.data.day_files import DayFile, split_days, store_by_day, store_whole
from include.data.snapshot import Snapshot
from include.data.store import object_path
from include.validation.broken_rows import BrokenRow, leave_out

Place = tuple[str, str, int]  # table, the raw file's digest, the row's number in it
# The order of a table's rows in their file, as the extract writes them.
ORDER = {
    "subscribers": ("reader_id", "signed_up_at"),
    "articles": ("published_at", "article_id", "ingested_at"),
    "reading_events": ("occurred_at", "event_id", "ingested_at"),
}
# The ids in a reading event, and the tables they refer to.
NAMED = (("reader_id", "subscribers"), ("article_id", "articles"))


@dataclass(frozen=True)
class AsideRow:
    """A quarantined row of the raw snapshot; `is_meant` marks one to try again."""

    place: Place
    key: str | None
    codes: tuple[str, ...]
    is_meant: bool
    unknown: BrokenRow | None = None  # the row itself, if today's rules found it and quarantine lacks it


@dataclass(frozen=True)
class Mended:
    """The mended snapshot: its files match the raw ones row by row; added files follow."""

    snapshot: Snapshot
    file_now: dict[tuple[str, str], str]  # digest of a raw file -> its digest after mending
    places: frozenset[Place]
    days: frozenset[tuple[str, str]]  # tables and days that lost or gained rows
    added: int

    def file_then(self) -> dict[tuple[str, str], str]:
        """Return the digest of the raw file for each mended one."""
        return {(table, now): then for (table, then), now in self.file_now.items()}


def mend(settings: Settings, raw: Snapshot, aside: Sequence[AsideRow]) -> Mended:
    """Return the raw snapshot with the publisher's present rows in place of those to try again, where they differ.

    Readers and articles that such events name and the snapshot lacks are added.
    """
    files: dict[DayFile, DayFile] = {}
    places: set[Place] = set()
    days: set[tuple[str, str]] = set()
    named: dict[str, set[Any]] = defaultdict(set)
    for table in TABLES:
        meant = [row for row in aside if row.is_meant and row.place[0] == table.name]
        keys = _typed(table, {row.key for row in meant if row.key is not None})
        keys = keys.filter(pc.invert(pc.is_in(keys, _keys_of_good_rows(settings, raw, table, keys, aside))))
        present = read_present(settings, raw, table, keys)
        free = {str(key): number for number, key in enumerate(present.column(table.key).to_pylist())}
        for file in _files(raw, table):
            here = [row for row in meant if row.place[1] == file.sha256]
            if not here:
                continue
            content = pq.read_table(object_path(settings, file.sha256)).select(table.columns.names)
            mended = {
                row.place[2]: at
                for row in here
                for at in [free.pop(str(row.key), None)]
                if at is not None and content.slice(row.place[2], 1).to_pylist() != present.slice(at, 1).to_pylist()
            }
            if mended:
                take = np.arange(content.num_rows)
                take[list(mended)] = [content.num_rows + at for at in mended.values()]
                content = pa.concat_tables([content, present]).take(take).combine_chunks()
                files[file] = _store(settings, table, file, content)
                places |= {(table.name, file.sha256, number) for number in mended}
                days |= {(table.name, file.day), *_days(table, present.take(list(mended.values())))}
            for column, owner in NAMED if table.name == "reading_events" else ():
                named[owner] |= set(content.column(column).take([row.place[2] for row in here]).to_pylist()) - {None}
    added = [file for table in TABLES for file in _missing(settings, raw, table, named[table.name])]
    days |= {(file.table, file.day) for file in added}
    kept = tuple(files.get(file, file) for file in raw.files)
    file_now = {(file.table, file.sha256): files.get(file, file).sha256 for file in raw.files}
    snapshot = replace(raw, files=(*kept, *added), parent=raw.id)
    return Mended(snapshot, file_now, frozenset(places), frozenset(days), sum(file.rows for file in added))


def read_present(settings: Settings, raw: Snapshot, table: SourceTable, keys: pa.Array) -> pa.Table:
    """Return the publisher's present rows with these keys within the window; keys that occur twice are left out."""
    rows: list[dict[str, Any]] = []
    if len(keys):
        values = {"keys": keys.to_pylist(), "window_start": raw.window_start, "window_end": raw.as_of}
        with connect(settings, "daybreak_extract") as source, source.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query("adapters/read_one_moment"))
            present = source_query(settings, f"validation/quarantine/present_{table.name}")
            rows = cursor.execute(present, values).fetchall()
    copies = Counter(row[table.key] for row in rows)
    once = [{name: row.get(name) for name in table.columns.names} for row in rows if copies[row[table.key]] == 1]
    try:
        return pa.Table.from_pylist(once, table.columns)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise SourceError(
            f"{settings.view(table.name)} returns {len(once):,} of the quarantined rows, and they cannot be read: "
            f"{error}.",
            hint="fix the view, then replay again.",
        ) from error


def make_version(settings: Settings, raw: Snapshot, mended: Mended, out: Sequence[BrokenRow]) -> Snapshot:
    """Return the mended snapshot without the rows `out`, one file per table and day, as an extract writes it."""
    clean = leave_out(settings, mended.snapshot, out)
    tables = {table.name: table for table in TABLES}
    files = [file for file in clean.files if (file.table, file.day) not in mended.days]
    for name in {table for table, _ in mended.days}:
        loose = [file for file in clean.files if file.table == name and file not in files]
        rows = pa.concat_tables([pq.read_table(object_path(settings, file.sha256)) for file in loose])
        files += _in_order(settings, tables[name], rows)
    files.sort(key=lambda file: (list(tables).index(file.table), file.day))
    return replace(clean, files=tuple(files), parent=raw.id)


def _files(snapshot: Snapshot, table: SourceTable) -> list[DayFile]:
    return [file for file in snapshot.files if file.table == table.name]


def _typed(table: SourceTable, keys: Iterable[Any]) -> pa.Array:
    return pa.array(sorted({str(key) for key in keys}), pa.string()).cast(table.columns.field(table.key).type)


def _keys_of_good_rows(
    settings: Settings, raw: Snapshot, table: SourceTable, keys: pa.Array, aside: Sequence[AsideRow]
) -> pa.Array:
    """Return the keys that a row outside quarantine has: copies of it stay out, whatever the publisher shows."""
    taken = []
    for file in _files(raw, table) if len(keys) else []:
        held = pq.read_table(object_path(settings, file.sha256), columns=[table.key]).column(table.key)
        is_good = np.ones(len(held), dtype=bool)
        is_good[[row.place[2] for row in aside if row.place[:2] == (table.name, file.sha256)]] = False
        taken += held.filter(pc.and_(pa.array(is_good), pc.is_in(held, keys))).to_pylist()
    return pa.array(taken, table.columns.field(table.key).type)


def _store(settings: Settings, table: SourceTable, file: DayFile, content: pa.Table) -> DayFile:
    (stored,) = store_whole(settings, table, content.to_batches())
    return replace(stored, day=file.day)


def _days(table: SourceTable, rows: pa.Table) -> set[tuple[str, str]]:
    batches = rows.combine_chunks().to_batches()
    return {(table.name, day) for batch in batches for day, _ in split_days(batch, table.day_column)}


def _missing(settings: Settings, raw: Snapshot, table: SourceTable, named: set[Any]) -> list[DayFile]:
    """Return files with the rows that events name and the snapshot lacks, as the publisher shows them."""
    keys = _typed(table, named)
    known = _keys_of_good_rows(settings, raw, table, keys, [])
    present = read_present(settings, raw, table, keys.filter(pc.invert(pc.is_in(keys, known))))
    return list(_in_order(settings, table, present)) if present.num_rows else []


def _in_order(settings: Settings, table: SourceTable, rows: pa.Table) -> Iterable[DayFile]:
    rows = rows.sort_by([(name, "ascending") for name in ORDER[table.name]]).combine_chunks()
    return store_by_day(settings, table, rows.to_batches())
