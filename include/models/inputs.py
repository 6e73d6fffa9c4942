"""Inputs of `Artifact.recommend`, checked and converted: histories, readers, candidates, moment and depth.

Errors name the fault in an input, the number of rows, and the remedy. Unknown readers and articles are valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.core.contract import KINDS, MOMENT, READING_EVENTS, SUBSCRIBERS
from include.core.errors import BadInput
from include.core.numbers import write_count

NEEDED = ("reader_id", "article_id", "occurred_at")
OPTIONAL = ("event_id", "kind", "dwell_seconds", "position", "ingested_at")


def read_histories(table: Any, as_of: datetime, read_kind: str) -> pa.Table:
    """Return events in the shape of the contract; events exactly at `as_of` count as just before it.

    A row without a kind is a read; one without `ingested_at` was known at once.
    """
    given = _open(table, "histories")
    _name_columns(given, "histories", NEEDED, READING_EVENTS.columns.names)
    columns = {
        name: _convert(given, name, READING_EVENTS.columns.field(name).type, "histories")
        for name in (*NEEDED, *OPTIONAL)
        if name in given.column_names
    }
    for name in NEEDED:
        _refuse(pc.is_null(columns[name]), given, f"have no {name}", "leave such rows out.")
    rows = given.num_rows
    kinds = pc.fill_null(columns.get("kind", pa.nulls(rows, pa.string())), read_kind)
    strange = pc.invert(pc.is_in(kinds, pa.array(KINDS)))
    _refuse(strange, given, "have an unknown kind", f"use {', '.join(KINDS)}.")
    dwell = columns.get("dwell_seconds", pa.nulls(rows, pa.float64()))
    dwell = pc.if_else(pc.is_nan(dwell), pa.scalar(None, pa.float64()), dwell)
    odd = pc.or_(pc.less(dwell, 0), pc.is_inf(dwell))
    _refuse(odd, given, "have a negative or infinite dwell_seconds", "give seconds, or null where unknown.")
    happened = columns["occurred_at"]
    known = pc.coalesce(columns.get("ingested_at", pa.nulls(rows, MOMENT)), happened)
    now, just_before = (pa.scalar(one, MOMENT) for one in (as_of, as_of - timedelta(microseconds=1)))
    moved = pc.equal(happened, now)
    return pa.table(
        {
            "event_id": columns.get("event_id", pa.array(np.arange(rows), pa.int64())),
            "reader_id": columns["reader_id"],
            "article_id": columns["article_id"],
            "kind": kinds,
            "occurred_at": pc.if_else(moved, just_before, happened),
            "ingested_at": pc.if_else(pc.and_(moved, pc.equal(known, now)), just_before, known),
            "dwell_seconds": dwell,
            "position": columns.get("position", pa.nulls(rows, pa.int16())),
        }
    )


def before(events: pa.Table, as_of: datetime) -> pa.Table:
    """Return the events before `as_of`."""
    return events.filter(pc.less(events.column("occurred_at"), pa.scalar(as_of, MOMENT)))


def read_readers(readers: Any) -> pa.Table:
    """Return the asking readers, once each, in the shape of the contract, from ids or from rows about them."""
    if _are_ids(readers):
        given = pa.table({"reader_id": pc.unique(pa.chunked_array([_numbers(readers, "readers")]))})
    else:
        given = _open(readers, "readers")
    _name_columns(given, "readers", ("reader_id",), SUBSCRIBERS.columns.names)
    columns = {
        field.name: _convert(given, field.name, field.type, "readers")
        if field.name in given.column_names
        else pa.nulls(given.num_rows, field.type)
        for field in SUBSCRIBERS.columns
    }
    _refuse(pc.is_null(columns["reader_id"]), given, "have no reader_id", "leave such rows out.", "readers")
    twice = given.num_rows - len(pc.unique(columns["reader_id"]))
    if twice:
        raise BadInput(f"{twice:,} of {given.num_rows:,} rows of readers repeat a reader.", hint="give one row each.")
    return pa.table(columns, schema=SUBSCRIBERS.columns).sort_by("reader_id")


def read_candidates(candidates: Any, readers: pa.Table, as_of: datetime, events: pa.Table) -> pa.Table:
    """Return unread candidates per request, from article ids for all readers or from rows of reader and article."""
    if _are_ids(candidates):
        ids = pc.unique(_numbers(candidates, "candidates")).to_numpy(zero_copy_only=False)
        who = readers.column("reader_id").to_numpy()
        pairs = pa.table({"reader_id": np.repeat(who, len(ids)), "article_id": np.tile(ids, len(who))})
    else:
        given = _open(candidates, "candidates")
        _name_columns(given, "candidates", ("reader_id", "article_id"), ("reader_id", "article_id"))
        pairs = pa.table(
            {name: _convert(given, name, pa.int64(), "candidates") for name in ("reader_id", "article_id")}
        )
        pairs = pairs.group_by(pairs.column_names).aggregate([])
    read = events.filter(pc.not_equal(events.column("kind"), "impression")).select(["reader_id", "article_id"])
    pairs = pairs.join(read, ["reader_id", "article_id"], join_type="left anti")
    list_at = pa.repeat(pa.scalar(as_of, MOMENT), pairs.num_rows)
    return pairs.append_column("list_at", list_at).select(["reader_id", "list_at", "article_id"])


def read_moment(as_of: datetime | None, otherwise: datetime) -> datetime:
    """Return the moment to ask about in UTC; a naive one is taken as UTC."""
    if as_of is None:
        return otherwise
    if not isinstance(as_of, datetime) or as_of != as_of:  # NaT differs from itself
        raise BadInput(f"as_of is {as_of!r}.", hint="give a datetime; without a time zone it is taken as UTC.")
    plain = datetime.fromisoformat(as_of.isoformat(timespec="microseconds"))  # pandas moments have nanoseconds
    return plain.replace(tzinfo=UTC) if plain.tzinfo is None else plain.astimezone(UTC)


def read_depth(k: int) -> int:
    """Return the number of articles per reader, checked."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise BadInput(f"k is {k!r}.", hint="give a whole number of at least 1.")
    return int(k)


def _are_ids(given: Any) -> bool:
    is_row = isinstance(given, Sequence | np.ndarray | pa.Array | pa.ChunkedArray) and not isinstance(given, str)
    return is_row and not (len(given) and isinstance(given[0], Mapping))


def _open(table: Any, what: str) -> pa.Table:
    try:
        if isinstance(table, pa.Table):
            return table
        if isinstance(table, list):
            return pa.Table.from_pylist(table)
        if hasattr(table, "to_dict") and hasattr(table, "columns"):
            return pa.Table.from_pandas(table, preserve_index=False)
        return pa.table(table)
    except (TypeError, ValueError, pa.ArrowException) as error:
        hint = "give an Arrow table or a data frame."
        raise BadInput(f"{what} cannot be read as a table: {error}.", hint=hint) from error


def _numbers(ids: Any, what: str) -> pa.Array:
    return _convert(pa.table({"id": pa.array(ids) if len(ids) else pa.array([], pa.int64())}), "id", pa.int64(), what)


def _name_columns(given: pa.Table, what: str, needed: Sequence[str], known: Sequence[str]) -> None:
    missing = [name for name in needed if name not in given.column_names]
    if missing:
        raise BadInput(
            f"{what} have no column {', '.join(missing)}; they have {', '.join(given.column_names) or 'none'}.",
            hint=f"required: {', '.join(needed)}; known: {', '.join(known)}.",
        )
    strange = [name for name in given.column_names if name not in known]
    if strange:
        raise BadInput(
            f"{what} have {write_count(len(strange), 'unknown column')}: {', '.join(strange)}.",
            hint=f"rename or drop them; known: {', '.join(known)}.",
        )


def _convert(given: pa.Table, name: str, kind: pa.DataType, what: str) -> pa.ChunkedArray:
    column = given.column(name)
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), kind)
    try:
        if pa.types.is_timestamp(kind):
            if not pa.types.is_timestamp(column.type):
                raise pa.ArrowInvalid("it must hold timestamps")
            return column.cast(kind, safe=False)
        return column.cast(kind)
    except pa.ArrowException as error:
        raise BadInput(
            f"Column {name} of {what} ({column.type}, {len(column):,} rows) cannot be read as {kind}: {error}.",
            hint="convert it first; timestamps with pandas.to_datetime(..., utc=True).",
        ) from error


def _refuse(wrong: pa.ChunkedArray, given: pa.Table, fact: str, hint: str, what: str = "histories") -> None:
    rows = np.flatnonzero(pc.fill_null(wrong, False).to_numpy(zero_copy_only=False))
    if len(rows):
        first = ", ".join(str(row) for row in rows[:3])
        raise BadInput(f"{len(rows):,} of {given.num_rows:,} rows of {what} {fact}; the first: {first}.", hint=hint)
