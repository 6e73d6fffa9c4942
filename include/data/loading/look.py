"""A look at the beginning of a file: its first rows by column, and its format.

Belongs here: what can be read without a mapping. Does not belong here: the meaning of columns (`guess.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from include.core.errors import SourceError
from include.data.loading.files import Source, delimiter_of, first_rows, format_of, head

ROWS_LOOKED_AT = 2000
DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "pipe"}
WHOLE = re.compile(r"[+-]?\d+(\.0*)?")


@dataclass(frozen=True)
class Look:
    """The first rows of a file, cells as text; `written` holds the lines of a mapping that describe its format.

    A table of one line has no rows, because the line may be a header. `titles` are the columns of a file without rows.
    """

    rows: list[dict[str, str]]
    is_headless: bool = False
    written: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns, or numbers from 1 if they have none."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def cells(self, column: str) -> list[str]:
        """Return the cells of a column that are not empty."""
        return [row[column] for row in self.rows if row.get(column)]

    def empty_share(self, column: str) -> float:
        """Return the share of rows in which the column is empty."""
        return 1 - len(self.cells(column)) / max(1, len(self.rows))


def look_at(source: Source) -> Look:
    """Return the first rows and the format of a file."""
    form = format_of(None, source)
    written = () if source.suffix else (f"format: {form}",)
    if form == "parquet":
        file = pq.ParquetFile(source.path)
        batch = next(file.iter_batches(ROWS_LOOKED_AT), None)
        found = batch.to_pylist() if batch is not None else []
        rows = [{name: _text(cell) for name, cell in row.items()} for row in found]
        return Look(rows, written=written, titles=tuple(file.schema_arrow.names))
    text = head(source)
    if form == "jsonl":
        lines = text.splitlines()[:ROWS_LOOKED_AT]
        return Look([dict(_flat("", _object(line, source))) for line in lines if line.strip()], written=written)
    return _look_at_table(source, text)


def _look_at_table(source: Source, text: str) -> Look:
    first = text.partition("\n")[0]
    usual = delimiter_of(None, source)
    delimiter = (
        usual if usual in first else max([usual, *DELIMITERS], key=lambda sign: (first.count(sign), sign == usual))
    )
    written = [] if delimiter == usual else [f"delimiter: {DELIMITERS[delimiter]}"]
    quote = _find_quote(text, delimiter)
    if not quote:
        written.append('quote: ""')
    rows = [row for row in first_rows(text, delimiter, ROWS_LOOKED_AT + 1, quote) if row]
    if len(rows) < 2:
        return Look([], titles=tuple(cell.strip() for row in rows for cell in row))
    is_headless = any(any(sign.isdigit() for sign in cell) and not cell.strip().isidentifier() for cell in rows[0])
    is_headless = is_headless or _is_data(rows)
    titles = [str(number) for number in range(1, len(rows[0]) + 1)]
    if is_headless:
        written.append("header: false")
    else:
        titles = [cell.strip() for cell in rows[0]]
    found = [dict(zip(titles, row, strict=False)) for row in (rows if is_headless else rows[1:])]
    return Look(found, is_headless, tuple(written))


def _is_data(rows: list[list[str]]) -> bool:
    """Return whether the first row is data: like the second it has an id of letters and digits, such as N123 or U7."""
    ids = re.compile(r"[A-Za-z]{1,3}\d+")
    return any(ids.fullmatch(cell) and ids.fullmatch(below) for cell, below in zip(rows[0], rows[1], strict=False))


def _find_quote(text: str, delimiter: str) -> str:
    """Return the quote of a table; empty if quotes are part of the text: a cell continues after its closing quote."""
    loose = re.compile(
        rf'(?:^|{re.escape(delimiter)})"[^"{re.escape(delimiter)}\n]*"(?!"|\r?\n|$|{re.escape(delimiter)})', re.M
    )
    return "" if delimiter == "\t" and loose.search(text) else '"'


def _object(line: str, source: Source) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(row, dict):
        raise SourceError(f"{source.name} has a line that is not a JSON object.", hint="write one object per line.")
    return row


def _flat(place: str, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(f"{place}{name}.", value)
        else:
            yield f"{place}{name}", _text(value)


def _text(cell: Any) -> str:
    if isinstance(cell, list):
        return json.dumps(cell, default=str, ensure_ascii=False)
    return "" if cell is None else str(cell)
