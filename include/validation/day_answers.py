"""Great Expectations' answers to the rules on single rows, asked once per day's content and suite, then saved.

New days are asked about many at a time, because a question costs the same for few rows: Great Expectations counts the
part, DuckDB each day, and the counts are saved only if the sums agree. When many rows are new, a second process works
through the parts from the other end; anything it leaves unanswered is asked here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb import CaseExpression, ColumnExpression, ConstantExpression, Expression, FunctionExpression

from include.adapters import duck
from include.adapters.gx import MOST_EXAMPLES, Answer, Judge, installed_version, is_shown
from include.core.contract import TABLES, Rule, SourceTable
from include.core.settings import PROJECT, Settings
from include.data.snapshot import Snapshot
from include.data.store import digest_of, object_path, read_json, write_json
from include.validation.broken_rows import breaks

PART_ROWS = 500_000  # days asked about together; a larger day is a part of its own
ROWS_AT_ONCE = 500_000  # most rows that Great Expectations gets at a time, and
BYTES_AT_ONCE = 256 * 2**20  # most bytes, so that memory grows neither with the window nor with texts
BATCH_ROWS = 20_000  # both limits are reached in batches of this size
HELP_FROM_ROWS = 1_500_000  # new rows that justify a second process, which takes seconds to start

Answers = dict[str, Answer]  # by the code of the rule


@dataclass(frozen=True)
class Part:
    """Days of one table that are asked about together, by the SHA-256 of their files."""

    table: str
    files: tuple[str, ...]


def answer_days(settings: Settings, snapshot: Snapshot) -> dict[str, dict[str, Answers]]:
    """Return the answers to the rules on single rows by table, file (SHA-256) and code, asking for the missing ones."""
    parts, new_rows = _find_new(settings, snapshot)
    with _help(settings, parts if new_rows >= HELP_FROM_ROWS else []):
        _ask(settings, parts)
    return {
        table.name: {
            file.sha256: _recall(_place(settings, table, file.sha256))
            for file in snapshot.files
            if file.table == table.name
        }
        for table in TABLES
    }


def row_rules(table: SourceTable) -> list[Rule]:
    """Return the rules that a single row keeps or breaks by itself."""
    return [rule for rule in table.rules if rule.spans == "row"]


def frames(rows: duckdb.DuckDBPyRelation, rules: Sequence[Rule]) -> Iterator[pd.DataFrame]:
    """Yield the columns that the rules read, in parts; columns of few words as categories, numbers as doubles."""
    names = list(dict.fromkeys(rule.column for rule in rules))
    types = dict(zip(rows.columns, rows.types, strict=True))
    chosen = rows.select(*(_for_pandas(name, str(types[name])) for name in names))
    words = [rule.column for rule in rules if rule.holds == "one_of"]
    held: list[pa.RecordBatch] = []
    held_rows = held_bytes = 0
    for batch in chosen.to_arrow_reader(BATCH_ROWS):
        size = batch.nbytes
        if held and (held_rows + batch.num_rows > ROWS_AT_ONCE or held_bytes + size > BYTES_AT_ONCE):
            yield pa.Table.from_batches(held).to_pandas(categories=words)
            held, held_rows, held_bytes = [], 0, 0
        if batch.num_rows:
            held.append(batch)
            held_rows, held_bytes = held_rows + batch.num_rows, held_bytes + size
    if held:
        yield pa.Table.from_batches(held).to_pandas(categories=words)


def _for_pandas(name: str, kind: str) -> Expression:
    """Return a column for Great Expectations; NaN becomes infinity, because pandas would treat it as missing."""
    column = ColumnExpression(name)
    if kind in ("DOUBLE", "FLOAT"):
        infinite = ConstantExpression("inf").cast("double")
        column = CaseExpression(FunctionExpression("isnan", column), infinite).otherwise(column)
    elif "INT" in kind:
        column = column.cast("double")
    return column.alias(name)


def _find_new(settings: Settings, snapshot: Snapshot) -> tuple[list[Part], int]:
    """Return the unanswered days, in parts of at most `PART_ROWS` rows or one day, and their total rows."""
    parts: list[Part] = []
    all_rows = 0
    for table in TABLES:
        rows = PART_ROWS
        for file in snapshot.files:
            if file.table != table.name or _place(settings, table, file.sha256).exists():
                continue
            rows += file.rows
            all_rows += file.rows
            if rows > PART_ROWS:
                parts.append(Part(table.name, ()))
                rows = file.rows
            parts[-1] = Part(table.name, (*parts[-1].files, file.sha256))
    return parts, all_rows


def _place(settings: Settings, table: SourceTable, sha256: str) -> Path:
    """Return the path of a day's answers; it changes with content, suite and Great Expectations' version."""
    digest = digest_of(_suite(table.name), sha256)
    return settings.home / "validation" / digest[:2] / f"{digest}.json"


@cache
def _suite(name: str) -> str:
    (table,) = (table for table in TABLES if table.name == name)
    return digest_of([asdict(rule) for rule in row_rules(table)], duck.query(f"validation/{name}"), installed_version())


def _recall(place: Path) -> Answers:
    return {code: Answer(**{**of, "examples": tuple(of["examples"])}) for code, of in read_json(place).items()}


def _ask(settings: Settings, parts: Sequence[Part]) -> None:
    """Save an answer for every day of the parts, except those that the other process has answered by then."""
    if not parts:
        return
    judge = Judge()
    tables = {table.name: table for table in TABLES}
    for part in parts:
        table = tables[part.table]
        if all(_place(settings, table, sha256).exists() for sha256 in part.files):
            continue
        for sha256, answers in _answer_part(settings, judge, table, part).items():
            write_json(_place(settings, table, sha256), {code: asdict(answer) for code, answer in answers.items()})


def _answer_part(settings: Settings, judge: Judge, table: SourceTable, part: Part) -> dict[str, Answers]:
    rules = row_rules(table)
    with duck.connect() as connection:
        paths = {str(object_path(settings, sha256)): sha256 for sha256 in part.files}
        files = connection.read_parquet(list(paths), filename=True, file_row_number=True)
        files.create_view(table.name)
        rows = connection.sql(duck.query(f"validation/{table.name}"))
        told = judge.ask(frames(rows, rules), rules)
        by_day = {paths[path]: answers for path, answers in _count(rows, rules)}
    for rule in rules:
        summed = sum((answers[rule.code] for answers in by_day.values()), Answer(0, 0, 0))
        if summed.counts != told[rule.code].counts:
            raise RuntimeError(
                f"{rule.code} on {table.name}: of rows, missing and broken values Great Expectations counts "
                f"{told[rule.code].counts}, DuckDB {summed.counts} in {len(part.files)} day(s)."
            )
    return by_day


def _count(rows: duckdb.DuckDBPyRelation, rules: Sequence[Rule]) -> Iterator[tuple[str, Answers]]:
    """Yield DuckDB's answers by file."""
    of, number = FunctionExpression, ColumnExpression("file_row_number")
    shown = [rule for rule in rules if rule.holds not in ("not_null", "is_true") and is_shown(rule)]
    first = [of("arg_min", _example(rule), number, ConstantExpression(MOST_EXAMPLES)) for rule in shown]
    filled = [of("count", ColumnExpression(rule.column)) for rule in rules]
    broken = [of("count_if", breaks(rule)) for rule in rules]
    told = rows.aggregate([ColumnExpression("filename"), of("count_star"), *filled, *broken, *first], "filename")
    for filename, count, *figures in told.fetchall():
        examples = dict(zip(shown, figures[2 * len(rules) :], strict=True))
        by_rule = zip(rules, figures, figures[len(rules) : 2 * len(rules)], strict=False)
        yield (
            filename,
            {
                rule.code: Answer(
                    count,
                    0 if rule.holds == "not_null" else count - filled_count,
                    broken_count or 0,  # null when all values are unknown
                    tuple(examples.get(rule) or ()),
                )
                for rule, filled_count, broken_count in by_rule
            },
        )


def _example(rule: Rule) -> Expression:
    """Return the value where it breaks the rule, cut to fit a page; null elsewhere."""
    text = FunctionExpression("left", ColumnExpression(rule.column).cast("varchar"), ConstantExpression(80))
    return CaseExpression(breaks(rule), text)


@contextmanager
def _help(settings: Settings, parts: Sequence[Part]) -> Iterator[int]:
    """Run a second process on the parts, last one first, and yield its id (0: none was started)."""
    if len(parts) < 2:
        yield 0
        return
    task = {
        "home": str(settings.home),
        "snapshot_url": settings.snapshot_url,
        "parts": [asdict(part) for part in parts],
    }
    with TemporaryFile("w+") as file:
        json.dump(task, file)
        file.seek(0)
        command = [sys.executable, "-m", "include.validation.day_answers"]
        helper = subprocess.Popen(command, stdin=file, stdout=subprocess.DEVNULL, cwd=PROJECT)
    try:
        yield helper.pid
    finally:
        helper.kill()
        helper.wait()


def main() -> None:
    """Run the second process: read the task as JSON from standard input, save the answers in the usual place."""
    task = json.load(sys.stdin)
    settings = Settings(home=Path(task["home"]), snapshot_url=task["snapshot_url"])
    _ask(settings, [Part(part["table"], tuple(part["files"])) for part in reversed(task["parts"])])


if __name__ == "__main__":
    main()
