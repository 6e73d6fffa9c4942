"""Probes of the publisher's views: they must exist with the right columns and be fast to read."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from include.adapters.warehouse import Connection, connect, query, source_query
from include.core.contract import ACCEPTED_TYPES, TABLES
from include.core.numbers import write_count
from include.core.settings import Settings
from include.data.snapshot import source_window
from include.operations.doctor import State

BIG_TABLE_ROWS = 50_000
ALIKE = 0.6

Answer = tuple[State, str, str]


def are_there(settings: Settings, moment: datetime) -> Answer:
    """Check that the three views exist."""
    offered = _offered(settings)
    missing = [settings.view(table.name) for table in TABLES if table.name not in offered]
    if not missing:
        return "fine", ", ".join(settings.view(table.name) for table in TABLES), ""
    fix = "create them over your tables (docs/mapping.md), or load a log from files: `bin/daybreak load`."
    return "FIX", f"{len(missing)} of {len(TABLES)} views are missing: {', '.join(missing)}", fix


def columns(settings: Settings, moment: datetime) -> Answer:
    """Check that every column of the contract exists, in a type that converts without loss."""
    offered, faults = _offered(settings), []
    for table in TABLES:
        there = offered[table.name]
        spare = set(there) - set(table.columns.names)
        for column in table.columns:
            accepted = ACCEPTED_TYPES[str(column.type)]
            kind = there.get(column.name)
            if kind is None:
                likely = _likely(column.name, {name for name in spare if there[name].split("(")[0] in accepted})
                faults.append(
                    f"{settings.view(table.name)} lacks {column.name}" + (f" (is it {likely}?)" if likely else "")
                )
            elif kind.split("(")[0] not in accepted:
                cure = _cure(kind, sorted(accepted)[0])
                is_not = " or ".join(sorted(accepted))
                faults.append(f"{settings.view(table.name)}.{column.name} is {kind}, not {is_not}{cure}")
    if not faults:
        return "fine", f"{sum(len(table.columns) for table in TABLES)} columns match", ""
    return "FIX", f"{write_count(len(faults), 'column')}: {'; '.join(faults)}", "correct the views (docs/mapping.md)."


def indexes(settings: Settings, moment: datetime) -> Answer:
    """Check that PostgreSQL plans no full read of a large table to find one day, or the rows outside every window."""
    with connect(settings, "daybreak_extract") as source:
        row = source.execute(source_query(settings, "operations/doctor/newest"), {"moment": moment}).fetchone()
        if row is None or row[0] is None:
            return "note", "there are no events yet", "load or map some reading first."
        for name, value in source_window(settings, row[0], timedelta(days=1)).items():
            source.execute("select set_config(%s, %s, true)", [f"daybreak.{name}", value])
        read_whole = sorted(
            {
                f"{scan['Relation Name']} for {settings.view(name.removeprefix('stray_'))}"
                for name in ("reading_events", "stray_reading_events", "articles", "stray_articles")
                for scan in _scans(settings, source, name)
                if scan["Node Type"] == "Seq Scan" and scan["Plan Rows"] < _size(source, scan) / 2
            }
        )
    if not read_whole:
        return "fine", "one day is read by index", ""
    fix = (
        "index (occurred_at, event_id, ingested_at) and (ingested_at, occurred_at) of the events table, and "
        "published_at and ingested_at of the articles table; then run `analyze`."
    )
    return "FIX", f"to find one day, PostgreSQL reads all of {', '.join(read_whole)}", fix


def _offered(settings: Settings) -> dict[str, dict[str, str]]:
    with connect(settings, "daybreak_extract") as source:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in source.execute(source_query(settings, "adapters/columns")):
            found.setdefault(table, {})[column] = kind
        return found


def _likely(wanted: str, spare: set[str]) -> str | None:
    """Return the column that was probably meant: one that shares a word, else one spelt alike."""
    words = set(wanted.split("_")) - {"id", "at", "is"}
    sharing = sorted(name for name in spare if words & set(name.lower().split("_")))
    return next(iter(sharing or difflib.get_close_matches(wanted, sorted(spare), 1, ALIKE)), None)


def _cure(kind: str, accepted: str) -> str:
    if kind == "timestamp without time zone":
        return " (write `column at time zone 'Europe/Oslo'`, with the zone it is in)"
    return f" (write `column::{accepted}`)" if kind in ("numeric", "bigint", "integer", "uuid") else ""


def _scans(settings: Settings, source: Connection, view: str) -> Iterator[dict[str, Any]]:
    """Yield the nodes of the plan that read a table."""
    question = sql.SQL("explain (format json) {}").format(source_query(settings, f"adapters/{view}"))
    row = source.execute(question).fetchone()
    plans = [row[0][0]["Plan"] if not isinstance(row[0], str) else json.loads(row[0])[0]["Plan"]] if row else []
    while plans:
        plan = plans.pop()
        plans += plan.get("Plans", [])
        if "Relation Name" in plan:
            yield plan


def _size(source: Connection, scan: dict[str, Any]) -> float:
    """Return PostgreSQL's estimate of the table's rows; 0 for a small table, which may be read in full."""
    row = source.execute(query("operations/doctor/table_rows"), [scan["Relation Name"]]).fetchone()
    rows = float(row[0]) if row and row[0] is not None else 0.0
    return rows if rows >= BIG_TABLE_ROWS else 0.0
