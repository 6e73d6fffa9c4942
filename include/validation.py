"""Validation: what may go on, what is set aside, what stops the run.

Row rules (contract.py) are used twice from the same declaration: Great Expectations gives the verdict on the share of
broken rows, one DuckDB pass finds the rows themselves. While the share stays under the cap the broken rows leave the
snapshot for `quarantine.*`; above it the run stops with `ValidationBlocked` and nothing downstream runs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb import (
    CaseExpression,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
    StarExpression,
)

from include.adapters.gx import check_frames
from include.adapters.warehouse import Connection, connect, query
from include.checks import Check
from include.contract import TABLES, Rule, SourceTable
from include.day_files import DayFile, store_by_day
from include.settings import Settings
from include.snapshot import Snapshot
from include.store import object_path

MOST_EXAMPLES = 1000


@dataclass(frozen=True)
class BrokenRow:
    """A row that breaks rules: where it lies, which rules, and the whole of it as JSON."""

    table: str
    file_sha256: str
    row_no: int
    primary_key: str | None
    codes: tuple[str, ...]
    original: str


def find_broken_rows(connection: duckdb.DuckDBPyConnection) -> list[BrokenRow]:
    """Every row of the snapshot's tables that breaks a rule."""
    return [row for table in TABLES for row in find_broken_rows_of(connection, table)]


def find_broken_rows_of(connection: duckdb.DuckDBPyConnection, table: SourceTable) -> list[BrokenRow]:
    """Every row of a table that breaks a rule, in one pass generated from the table's blocking rules."""
    codes = [CaseExpression(breaks(rule), ConstantExpression(rule.code)) for rule in table.rules if quarantines(rule)]
    found = (
        connection.sql(query(f"contract/{table.name}"))
        .select(
            ColumnExpression("filename"),
            ColumnExpression("file_row_number"),
            ColumnExpression(table.key).cast("varchar").alias("primary_key"),
            FunctionExpression("concat_ws", ConstantExpression(","), *codes).alias("codes"),
            FunctionExpression(
                "json_object",
                *(part for column in table.columns for part in (ConstantExpression(column.name), _as_json(column))),
            ).alias("original"),
        )
        .filter(ColumnExpression("codes") != ConstantExpression(""))
        .order("filename, file_row_number")
    )
    return [
        BrokenRow(table.name, Path(file).stem, number, key, tuple(codes.split(",")), original)
        for file, number, key, codes, original in found.fetchall()
    ]


def _as_json(column: pa.Field) -> Expression:
    """The column's value; JSON has no word for a number that is none, so that becomes text."""
    value = ColumnExpression(column.name)
    if not pa.types.is_floating(column.type):
        return value
    number, text = (FunctionExpression("to_json", part) for part in (value, value.cast("varchar")))
    return CaseExpression(FunctionExpression("isfinite", value), number).otherwise(text)


def quarantines(rule: Rule) -> bool:
    """A rule at `warn` is noted; only a blocking one sets rows aside."""
    return rule.severity == "block"


def breaks(rule: Rule) -> Expression:
    """The predicate that finds the rows which break a rule. Unknown is not broken, except where null is the point."""
    column = ColumnExpression(rule.column)
    match rule.holds:
        case "not_null":
            return column.isnull()
        case "unique":
            return ColumnExpression("copy_no") > ConstantExpression(1)
        case "between":
            low, high = (ConstantExpression(limit) for limit in rule.limits)
            outside = (column < low) | (column > high)
            # NaN is above everything, but DuckDB leaves the comparison out where a file's statistics deny larger values
            return outside | FunctionExpression("isnan", column) if isinstance(rule.limits[0], float) else outside
        case "one_of":
            return column.isnotin(*(ConstantExpression(value) for value in rule.limits))
        case "is_true":
            return ~column


def check_rules(connection: duckdb.DuckDBPyConnection, cap_share: float, docs: Path) -> list[Check]:
    """Great Expectations' answer to every rule, with its Data Docs in `docs`."""
    frames = {table.name: _frame(connection, table) for table in TABLES}
    return check_frames(frames, {table.name: table.rules for table in TABLES}, cap_share, docs)


def _frame(connection: duckdb.DuckDBPyConnection, table: SourceTable) -> pd.DataFrame:
    """The table for Great Expectations. To pandas NaN is missing, which no rule minds; so it goes there as infinite."""
    rows = connection.sql(query(f"contract/{table.name}"))
    for column in table.columns:
        if pa.types.is_floating(column.type):
            value = ColumnExpression(column.name)
            number = CaseExpression(FunctionExpression("isnan", value), ConstantExpression(math.inf)).otherwise(value)
            rows = rows.select(StarExpression(exclude=[column.name]), number.alias(column.name))
    return cast(pd.DataFrame, rows.df())


def leave_out(settings: Settings, snapshot: Snapshot, broken: Sequence[BrokenRow]) -> Snapshot:
    """The snapshot without its broken rows; days that have none keep their very files."""
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


def examples(broken: Sequence[BrokenRow]) -> list[BrokenRow]:
    """The first broken rows of each table: enough to see what is wrong when nothing goes on."""
    return [row for table in TABLES for row in [one for one in broken if one.table == table.name][:MOST_EXAMPLES]]


def set_aside(settings: Settings, snapshot: Snapshot, broken: Sequence[BrokenRow], run_id: str) -> None:
    """The broken rows in `quarantine.*`, replacing what an earlier try of the same snapshot left there."""
    titles = {rule.code: rule.title for table in TABLES for rule in table.rules}
    with connect(settings) as warehouse:
        for table in TABLES:
            warehouse.execute(query(f"quarantine/forget_{table.name}"), [snapshot.id])
            rows = [row for row in broken if row.table == table.name]
            _copy_rows(warehouse, table.name, snapshot.id, run_id, rows, titles)


def _copy_rows(
    warehouse: Connection, table: str, snapshot_id: str, run_id: str, rows: Sequence[BrokenRow], titles: dict[str, str]
) -> None:
    with warehouse.cursor() as cursor, cursor.copy(query(f"quarantine/copy_{table}")) as copy:
        for row in rows:
            for code in row.codes:
                where = (snapshot_id, code, row.primary_key, row.file_sha256, row.row_no)
                copy.write_row((*where, titles[code], run_id, row.original))
