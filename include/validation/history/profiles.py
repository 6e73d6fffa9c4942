"""Profiles: figures of a table, small enough to keep forever and to compare.

Belongs here: measuring columns, day by day and over the newest 24 hours, and saving the figures. Does not belong here:
deciding what is usual (volume, change). A day's file is measured once, because its content names it; a run measures
only new days and its newest 24 hours.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import duckdb
from duckdb import (
    CaseExpression,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
)

from include.adapters import duck
from include.core.contract import TABLES, SourceTable
from include.core.settings import Settings
from include.data.day_files import WHOLE
from include.data.snapshot import Snapshot
from include.data.store import object_path, read_json, write_json

VERSION = "p1"  # of the figures; another version measures everything again
NEWEST_HOURS = 24
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_WORDS = 50
LONGEST_WORD = 80
TEXTS = ("title", "summary")  # free text: its length is measured, its words do not recur
IGNORED = ("filename", "file_row_number", "created")
LARGEST_NUMBER = 1e15  # beyond it, and for NaN, squares do not add up
DIGITS = 6  # significant ones; beyond them a mean depends on the order in which threads add

Figures = dict[str, Any]  # of one column
Profile = dict[str, Any]  # {"rows": …, "columns": {name: Figures}}


def profile_snapshot(settings: Settings, snapshot: Snapshot) -> dict[str, Any]:
    """Return the profile of a snapshot: every day's file and the newest 24 hours.

    It is saved as `profile.json` beside the manifest. The content names the snapshot, so a saved profile is valid.
    """
    path = settings.home / "snapshots" / snapshot.id / "profile.json"
    if path.exists() and (known := read_json(path))["version"] == VERSION:
        return known
    days: dict[str, dict[str, Profile]] = {table.name: {} for table in TABLES}
    for file in snapshot.files:
        days[file.table][_place(days[file.table], file.day)] = profile_file(settings, file.sha256)
    found = {
        "version": VERSION,
        "snapshot_id": snapshot.id,
        "as_of": snapshot.as_of.isoformat(),
        "window_start": snapshot.window_start.isoformat(),
        "newest": profile_newest(settings, snapshot),
        "days": days,
    }
    write_json(path, found)
    return read_json(path)


def _place(taken: dict[str, Profile], day: str) -> str:
    """Return the day, numbered when a table has several files of it."""
    return day if day not in taken else f"{day}#{sum(one.partition('#')[0] == day for one in taken) + 1}"


def profile_file(settings: Settings, sha256: str) -> Profile:
    """Return the profile of one stored file, measured when its content is first seen."""
    path = settings.home / "snapshots" / "profiles" / VERSION / sha256[:2] / f"{sha256}.json"
    if not path.exists():
        with duck.connect() as connection:
            write_json(path, measure(connection.read_parquet(str(object_path(settings, sha256)))))
    return read_json(path)


def profile_newest(settings: Settings, snapshot: Snapshot) -> dict[str, Profile]:
    """Return each table's profile of the 24 hours before `as_of`; a table without a day column is measured whole."""
    begin = snapshot.as_of - timedelta(hours=NEWEST_HOURS)
    found = {}
    for table in TABLES:
        files = [file for file in snapshot.files if file.table == table.name]
        newest = [file for file in files if not table.day_column or begin.date().isoformat() <= file.day < WHOLE]
        paths = [str(object_path(settings, file.sha256)) for file in newest or files[:1]]
        with duck.connect() as connection:
            found[table.name] = measure(newest_rows(connection.read_parquet(paths), table, snapshot.as_of))
    return found


def newest_rows(rows: duckdb.DuckDBPyRelation, table: SourceTable, as_of: datetime) -> duckdb.DuckDBPyRelation:
    """Return the rows of the newest 24 hours; of a table without a day column, all."""
    if not table.day_column:
        return rows
    at, begin = ColumnExpression(table.day_column), as_of - timedelta(hours=NEWEST_HOURS)
    return rows.filter((at >= ConstantExpression(begin)) & (at < ConstantExpression(as_of)))


def measure(rows: duckdb.DuckDBPyRelation) -> Profile:
    """Return the figures of every column, in one pass and one more per column of words."""
    kinds = {
        name: kind_of(name, str(dtype))
        for name, dtype in zip(rows.columns, rows.dtypes, strict=True)
        if name not in IGNORED
    }
    wanted: list[tuple[str, str, Expression]] = [
        (name, figure, expression) for name, kind in kinds.items() for figure, expression in _figures(name, kind)
    ]
    counted = FunctionExpression("count_star").alias("n")
    answers = rows.aggregate(
        [counted, *(expression.alias(f"f{i}") for i, (_, _, expression) in enumerate(wanted))]
    ).fetchall()[0]
    columns: dict[str, Figures] = {name: {"kind": kind} for name, kind in kinds.items()}
    for (name, figure, _), value in zip(wanted, answers[1:], strict=True):
        columns[name][figure] = [_round(one) for one in value] if isinstance(value, list) else _round(value)
    for name, kind in kinds.items():
        columns[name]["nulls"] = answers[0] - columns[name].pop("filled")
        if kind == "word":
            columns[name]["words"] = _words(rows, name)
    return {"rows": answers[0], "columns": columns}


def kind_of(column: str, dtype: str) -> str:
    """Return the kind by which a column is measured: id, text, word, number, moment, flag, or list."""
    if dtype.endswith("[]"):
        return "list"
    if column.endswith("_id"):
        return "id"
    if dtype == "VARCHAR":
        return "text" if column in TEXTS else "word"
    if dtype.startswith(("TIMESTAMP", "DATE")):
        return "moment"
    return "flag" if dtype == "BOOLEAN" else "number"


def _figures(name: str, kind: str) -> list[tuple[str, Expression]]:
    column = ColumnExpression(name)
    of = FunctionExpression
    asked: list[tuple[str, Expression]] = [("filled", of("count", column))]
    if kind != "list":
        asked.append(("distinct", of("approx_count_distinct", column)))
    match kind:
        case "id" | "moment":
            asked += [("min", of("min", column).cast("varchar")), ("max", of("max", column).cast("varchar"))]
        case "number":
            value = column.cast("double")
            finite = CaseExpression(of("abs", value) < ConstantExpression(LARGEST_NUMBER), value)
            asked += [("min", of("min", finite)), ("max", of("max", finite)), ("mean", of("avg", finite))]
            asked += [("std", of("stddev_pop", finite)), ("finite", of("count", finite))]
            asked.append(("quantiles", of("quantile_cont", finite, ConstantExpression(list(QUANTILES)))))
        case "flag":
            asked.append(("mean", of("avg", column.cast("integer"))))
        case "text" | "word" | "list":
            length = of("len", column)
            asked += [("mean_length", of("avg", length)), ("max_length", of("max", length))]
    return asked


def _words(rows: duckdb.DuckDBPyRelation, column: str) -> dict[str, int]:
    """Return the most frequent values with their counts; long values are cut."""
    word = FunctionExpression("left", ColumnExpression(column), ConstantExpression(LONGEST_WORD))
    counted = rows.filter(ColumnExpression(column).isnotnull()).aggregate(
        [word.alias("word"), FunctionExpression("count_star").alias("n")], "all"
    )
    return dict(counted.order("n desc, word").limit(MOST_WORDS).fetchall())


def _round(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def null_share(profile: Profile, column: str) -> float | None:
    """Return the share of a column's values that are missing; None without rows or without the column."""
    figures = profile["columns"].get(column)
    return figures["nulls"] / profile["rows"] if figures and profile["rows"] else None


def figures_of(profiles: dict[str, Profile]) -> list[tuple[str, str, str, float]]:
    """Return table, column, measure and value of every figure to chart; column is empty for the table itself."""
    rows: list[tuple[str, str, str, float]] = []
    for table, profile in profiles.items():
        rows.append((table, "", "rows", profile["rows"]))
        for column, figures in profile["columns"].items():
            share = null_share(profile, column)
            measured = {
                "null_share": share,
                "distinct": figures.get("distinct"),
                "mean": figures.get("mean"),
                "median": (figures.get("quantiles") or [None] * 3)[2],
                "mean_length": figures.get("mean_length"),
            }
            rows += [(table, column, name, value) for name, value in measured.items() if value is not None]
    return rows
