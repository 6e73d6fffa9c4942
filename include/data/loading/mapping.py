"""The mapping from a publisher's files and columns to ours, read from YAML and checked as a whole.

Belongs here: the syntax of a mapping. Does not belong here: reading the mapped files. Every fault is a `SettingsError`
that names its place in the mapping. `docs/mapping.md` explains it to people.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import pyarrow as pa
import yaml

from include.core.contract import ARTICLES, KINDS, MOMENT, READING_EVENTS, SUBSCRIBERS, SourceTable
from include.core.errors import SettingsError
from include.core.numbers import write_count

TABLES: dict[str, SourceTable] = {"events": READING_EVENTS, "articles": ARTICLES, "readers": SUBSCRIBERS}
REQUIRED = {
    "events": ("reader_id", "article_id", "kind", "occurred_at"),
    "articles": ("article_id",),
    "readers": ("reader_id",),
}
NAMED = ("reader_id", "article_id")  # ids whose original text is saved if it is not a number
UNITS = {"s": (1_000_000, 1), "ms": (1000, 1), "us": (1, 1), "ns": (1, 1000)}
SKIP = "skip"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


@dataclass(frozen=True)
class Column:
    """The origin of one of our columns: a column of the file (by name, or by number from 1), or a constant."""

    column: str | int | None = None
    constant: str | None = None
    unit: str = "iso"
    zone: str = ""
    format: str = ""
    type: str = "number"
    take: str = ""
    separator: str = ","
    since: str = ""
    empty: str = "reject"
    values: Map[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def since_us(self) -> int | None:
        """Return the start of counted times in microseconds since 1970; None if `since` is not a time with a zone."""
        try:
            begin = datetime.fromisoformat(self.since) if self.since else BEGINNING
        except ValueError:
            return None
        return (begin - BEGINNING) // timedelta(microseconds=1) if begin.tzinfo else None


@dataclass(frozen=True)
class Split:
    """A column whose cells hold several articles, with a separator or as a list; each becomes a row of its own."""

    column: str | int
    separator: str = " "


@dataclass(frozen=True)
class Section:
    """One of `events`, `articles` and `readers`: its files, their format, and its columns."""

    name: str
    files: tuple[str, ...]
    columns: Map[str, Column]
    format: str = ""
    delimiter: str = ""
    quote: str = '"'
    encoding: str = "utf-8"
    header: bool = True
    nulls: tuple[str, ...] = ("", "NULL", "null", "\\N")
    split: Split | None = None
    read_without_dwell: str = "read"
    first_sight: str = "if_missing"

    @property
    def may_lack(self) -> tuple[str, ...]:
        """Return the columns that may be empty; a row without one is left out, which is not a fault."""
        return tuple(target for target, column in self.columns.items() if column.empty == SKIP)

    @property
    def table(self) -> SourceTable:
        """Return the table of the contract that this section fills."""
        return TABLES[self.name]

    def is_named(self, target: str) -> bool:
        """Return whether this id is text in the files and mapped to a number here."""
        return target in self.columns and self.columns[target].type == "text" and target in NAMED


CHOICES = {
    "format": ("csv", "jsonl", "parquet"),
    "read_without_dwell": ("read", "click"),
    "first_sight": ("if_missing", "if_earlier"),
}
SECTION_KEYS = {one.name for one in fields(Section)} - {"name"}
COLUMN_KEYS = {one.name for one in fields(Column)}


def read_mapping(path: Path) -> dict[str, Section]:
    """Return the sections of a mapping file by name."""
    try:
        text = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        _refuse(str(path), f"cannot be read: {' '.join(str(error).split())}")
    if not isinstance(text, dict) or not text or set(text) - set(TABLES):
        _refuse(str(path), f"must have some of the sections {', '.join(TABLES)}, and no other")
    sections = {name: _section(f"{path}: {name}", name, body) for name, body in text.items()}
    for target in NAMED:
        kinds = {one.columns[target].type for one in sections.values() if target in one.columns}
        if len(kinds) > 1:
            _refuse(str(path), f"{target} is text in one section and a number in another")
    return sections


def _section(place: str, name: str, body: Any) -> Section:
    if not isinstance(body, dict) or not isinstance(body.get("columns"), dict) or not body.get("files"):
        _refuse(place, "must have `files` and `columns`")
    if unknown := set(body) - SECTION_KEYS:
        _refuse(
            place, f"has {write_count(len(unknown), 'unknown key')}: {_list(unknown)}; there are {_list(SECTION_KEYS)}"
        )
    for key, choices in CHOICES.items():
        if key in body and body[key] not in choices:
            _refuse(f"{place}.{key}", f"is {body[key]!r}, not {' or '.join(choices)}")
    known = TABLES[name].columns
    if unknown := set(body["columns"]) - set(known.names):
        _refuse(
            place,
            f"has {write_count(len(unknown), 'unknown column')}: {_list(unknown)}; there are {', '.join(known.names)}",
        )
    columns = {
        target: _column(f"{place}.{target}", known.field(target), given) for target, given in body["columns"].items()
    }
    if missing := [target for target in REQUIRED[name] if target not in columns]:
        _refuse(place, f"must map {', '.join(missing)}")
    if "event_id" in columns and ("split" in body or any(len(one) > 1 for one in columns["kind"].values.values())):
        _refuse(place, "makes several events of one row, so event_id cannot be mapped; leave it out")
    given = {**body, "name": name, "columns": columns}
    given["files"] = tuple(str(one) for one in _as_list(body["files"]))
    if "nulls" in body:
        given["nulls"] = tuple("" if one is None else str(one) for one in _as_list(body["nulls"]))
    if "delimiter" in body:
        given["delimiter"] = WORDS.get(str(body["delimiter"]), str(body["delimiter"]))
    if "split" in body:
        given["split"] = _split(f"{place}.split", body["split"])
    if not isinstance(given.get("header", True), bool):
        _refuse(f"{place}.header", "must be true or false")
    return Section(**given)


def _split(place: str, given: Any) -> Split:
    if not isinstance(given, dict) or "column" not in given or set(given) - {"column", "separator"}:
        _refuse(place, "must have `column`, may have `separator`, and nothing else")
    separator = str(given.get("separator", " "))
    return Split(given["column"], WORDS.get(separator, separator))


def _column(place: str, target: pa.Field, given: Any) -> Column:
    if isinstance(given, str | int) and not isinstance(given, bool):
        given = {"column": given}
    if not isinstance(given, dict) or set(given) - COLUMN_KEYS:
        _refuse(place, f"must be a column's name or number, or have some of {_list(COLUMN_KEYS)}")
    if ("column" in given) == ("constant" in given):
        _refuse(place, "must have either `column` or `constant`")
    made = {key: str(value) for key, value in given.items() if key not in ("column", "values")}
    values = {
        str(cell).lower() if isinstance(cell, bool) else str(cell): tuple(str(one) for one in _as_list(value))
        for cell, value in (given.get("values") or {}).items()
    }
    column = Column(column=given.get("column"), values=values, **made)
    if target.type == MOMENT:
        _check_moment(place, column)
    elif {"unit", "zone", "format", "since"} & set(given) and not (
        target.name == "dwell_seconds" and column.unit in UNITS
    ):
        _refuse(place, "is not a time, so it takes no unit, zone, format or since")
    if column.empty not in ("reject", SKIP):
        _refuse(f"{place}.empty", f"is {column.empty!r}, not reject or {SKIP}")
    if column.type not in ("number", "text"):
        _refuse(f"{place}.type", f"is {column.type!r}, not number or text")
    if target.name == "kind":
        said = {one for value in values.values() for one in value} | ({column.constant} if column.constant else set())
        if wrong := said - {*KINDS, SKIP}:
            _refuse(place, f"has {_list(wrong)}; a kind is {', '.join(KINDS)}, or {SKIP} to leave the row out")
    return column


def _check_moment(place: str, column: Column) -> None:
    if column.unit not in (*UNITS, "iso"):
        _refuse(f"{place}.unit", f"is {column.unit!r}, not {', '.join(UNITS)} or iso")
    if column.since and (column.unit not in UNITS or column.since_us is None):
        _refuse(f"{place}.since", f"is {column.since!r}; it needs a unit (s, ms) and an ISO time with its zone")
    if column.format and not column.zone:
        _refuse(place, "has a format but no zone; write `zone: UTC` if it is UTC")
    if column.zone:
        try:
            ZoneInfo(column.zone)
        except (KeyError, ValueError, OSError):
            _refuse(f"{place}.zone", f"is {column.zone!r}, which is not a time zone; write it as Europe/Oslo")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _list(names: set[Any]) -> str:
    return ", ".join(sorted(str(name) for name in names))


def _refuse(place: str, fault: str) -> NoReturn:
    raise SettingsError(f"{place} {fault}.", hint="docs/mapping.md shows how a mapping is written.")
