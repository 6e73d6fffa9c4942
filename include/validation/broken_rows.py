"""Find the rows that break a rule, fetch them whole, and make the snapshot without them.

Belongs here: one DuckDB pass by the conditions with which Great Expectations counts (`conditions.py`), and rewriting
the files that rows leave. Does not belong here: deciding how many broken rows are acceptable (`judgement.py`).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import (
    CaseExpression,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
    SQLExpression,
    StarExpression,
)

from include.core.contract import TABLES, Rule, SourceTable
from include.core.settings import Settings
from include.data.day_files import DayFile, store_by_day
from include.data.snapshot import Snapshot, open_snapshot_tables
from include.data.store import object_path
from include.validation.conditions import create_facts, create_window, find_conditions
from include.validation.suites import suite

MOST_PUBLISHERS, MOST_LETTERS = 20, 80  # told by name
OTHERS = "others"


@dataclass(frozen=True)
class BrokenRow:
    """A row that breaks rules: its place, the rules' codes, and its content as JSON."""

    table: str
    file_sha256: str
    row_no: int
    primary_key: str | None
    codes: tuple[str, ...]
    original: str


@dataclass(frozen=True)
class BrokenCount:
    """The number of a table's rows that break a rule, in total and by code."""

    rows: int
    by_code: dict[str, int]


def open_rows(settings: Settings, snapshot: Snapshot) -> duckdb.DuckDBPyConnection:
    """Open a snapshot's tables, each with a view `<table>_window` that adds everything its rules need."""
    connection = open_snapshot_tables(settings, snapshot, name_rows=True)
    conditions = find_conditions(settings)
    for table in TABLES:
        rules = [rule for rule in applying(connection, table) if quarantines(rule) and rule.spans == "row"]
        is_sound = _is_sound(conditions[rule.code] for rule in rules)
        create_facts(connection, table)
        facts = connection.view(f"{table.name}_facts")
        facts.select(StarExpression(), is_sound.alias("is_sound")).create_view(f"{table.name}_rows")
    create_window(connection, snapshot.window_start, snapshot.as_of)
    return connection


def applying(connection: duckdb.DuckDBPyConnection, table: SourceTable) -> list[Rule]:
    """Return the table's rules on columns that the publisher delivers."""
    missing = undelivered(connection, table)
    return [rule for rule in suite(table) if (rule.about or rule.column) not in missing]


def undelivered(connection: duckdb.DuckDBPyConnection, table: SourceTable) -> frozenset[str]:
    """Return the optional columns that are empty in every row."""
    names = sorted(table.optional)
    sums = [FunctionExpression("count", ColumnExpression(name)) for name in names]
    (counts,) = connection.table(table.name).aggregate(sums).fetchall()
    return frozenset(name for name, count in zip(names, counts, strict=True) if not count)


def quarantines(rule: Rule) -> bool:
    """Return whether the rule quarantines rows; only blocking rules do, others are noted."""
    return rule.severity == "block"


def quarantining(settings: Settings, connection: duckdb.DuckDBPyConnection, table: SourceTable) -> dict[str, str]:
    """Return the conditions of the table's rows to quarantine, by code of the rule."""
    conditions = find_conditions(settings)
    codes = [rule.code for rule in applying(connection, table) if quarantines(rule)]
    return {code: conditions[code] for code in codes if code in conditions}


def find_broken_rows(settings: Settings, connection: duckdb.DuckDBPyConnection) -> list[BrokenRow]:
    """Return every row that breaks a rule, from a connection that `open_rows` made."""
    counts = mark_broken_rows(settings, connection)
    return [row for table in TABLES for row in fetch_broken_rows(connection, table, counts[table.name].rows)]


def mark_broken_rows(
    settings: Settings, connection: duckdb.DuckDBPyConnection, suspected: Container[str] | None = None
) -> dict[str, BrokenCount]:
    """Count each table's rows that break a rule, and keep them in the connection.

    `suspected` names the codes of the rules that some row breaks; without it, every rule is suspected.
    """
    return {table.name: _mark(settings, connection, table, suspected) for table in TABLES}


def _mark(
    settings: Settings, connection: duckdb.DuckDBPyConnection, table: SourceTable, suspected: Container[str] | None
) -> BrokenCount:
    marked = f"{table.name}_broken"
    if (marked,) not in connection.execute("show tables").fetchall():
        codes = [
            CaseExpression(SQLExpression(condition), ConstantExpression(f"{code},"))
            for code, condition in quarantining(settings, connection, table).items()
            if suspected is None or code in suspected
        ]
        key = ColumnExpression(table.key).cast("varchar").alias("primary_key")
        broken = FunctionExpression("concat", ConstantExpression(""), *codes).alias("codes")
        rows = connection.view(f"{table.name}_window").select("filename", "file_row_number", key, broken)
        rows.filter(ColumnExpression("codes") != ConstantExpression("")).create(marked)
    counted: Counter[str] = Counter()
    rows_broken = 0
    for codes_text, count in connection.table(marked).aggregate("codes, count(*)").fetchall():
        rows_broken += count
        for code in _split(codes_text):
            counted[code] += count
    return BrokenCount(rows_broken, dict(counted))


def _is_sound(conditions: Iterable[str]) -> Expression:
    """Return whether none of the conditions holds."""
    yes, no = ConstantExpression(True), ConstantExpression(False)
    first, *others = (SQLExpression(condition) for condition in conditions)
    return reduce(lambda said, one: said.when(one, no), others, CaseExpression(first, no)).otherwise(yes)


def _split(codes: str) -> tuple[str, ...]:
    return tuple(sorted(codes.strip(",").split(",")))


def fetch_broken_rows(connection: duckdb.DuckDBPyConnection, table: SourceTable, most: int) -> list[BrokenRow]:
    """Return the first `most` marked rows, whole."""
    chosen = connection.table(f"{table.name}_broken").order("filename, file_row_number").limit(most)
    files = [name for (name,) in chosen.unique("filename").fetchall()]
    if not files:
        return []
    original = FunctionExpression(
        "json_object",
        *(part for column in table.columns for part in (ConstantExpression(column.name), _as_json(column))),
    ).alias("original")
    whole = connection.read_parquet(files, file_row_number=True, filename=True).set_alias("whole")
    rows = whole.join(chosen.set_alias("chosen"), "filename, file_row_number").order("filename, file_row_number")
    found = rows.select("filename", "file_row_number", "primary_key", "codes", original).fetchall()
    return [
        BrokenRow(table.name, Path(file).stem, number, key, _split(codes), text)
        for file, number, key, codes, text in found
    ]


def _as_json(column: pa.Field) -> Expression:
    """Return the column's value as JSON; NaN and infinity become text, as JSON cannot hold them."""
    value = ColumnExpression(column.name)
    if not pa.types.is_floating(column.type):
        return value
    number, text = (FunctionExpression("to_json", part) for part in (value, value.cast("varchar")))
    return CaseExpression(FunctionExpression("isfinite", value), number).otherwise(text)


def count_by_publisher(broken: Sequence[BrokenRow]) -> dict[str, dict[str, int]]:
    """Return the number of broken rows by table and publisher, of those with most; empty for rows that name none."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in broken:
        publisher = json.loads(row.original).get("publisher") or ""
        found[row.table][str(publisher)[:MOST_LETTERS]] += 1
    counts: dict[str, dict[str, int]] = {}
    for table, publishers in found.items():
        most = dict(publishers.most_common(MOST_PUBLISHERS))
        rest = publishers.total() - sum(most.values())
        counts[table] = most | ({OTHERS: rest} if rest else {})
    return counts


def leave_out(settings: Settings, snapshot: Snapshot, broken: Sequence[BrokenRow]) -> Snapshot:
    """Return the snapshot without its broken rows; days without broken rows keep their files."""
    by_file: dict[str, list[int]] = defaultdict(list)
    for row in broken:
        by_file[row.file_sha256].append(row.row_no)
    tables = {table.name: table for table in TABLES}
    files = tuple(
        kept
        for file in snapshot.files
        for kept in (
            _rewrite(settings, tables[file.table], file, by_file[file.sha256]) if file.sha256 in by_file else [file]
        )
    )
    return replace(snapshot, files=files, parent=snapshot.id, facts={"quarantined": len(broken)})


def _rewrite(settings: Settings, table: SourceTable, file: DayFile, row_numbers: list[int]) -> list[DayFile]:
    keep = np.ones(file.rows, dtype=bool)
    keep[row_numbers] = False
    rows = pq.read_table(object_path(settings, file.sha256)).filter(pa.array(keep)).combine_chunks()
    return list(store_by_day(settings, table, rows.to_batches()))
