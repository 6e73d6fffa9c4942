"""History: check today against earlier days, and save today's figures for later days.

Belongs here: counting a snapshot by time, saving its figures in `ops.profiles`, and asking the pure modules (volume,
change) for limits and checks. Great Expectations holds the newest 24 hours, a batch of its own, to the limits that
earlier days teach; comparisons of two snapshots are decided here. A run's history is its snapshot's earlier days and
the figures of runs of earlier moments, so the same run repeated gives the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import duckdb

from include.adapters import duck
from include.adapters.gx import Answer
from include.adapters.warehouse import Connection, connect, query
from include.core.checks import Check
from include.core.contract import TABLES, Rule, SourceTable
from include.core.errors import ArtifactDamaged
from include.core.settings import Settings
from include.data.day_files import WHOLE
from include.data.snapshot import Snapshot, find_snapshot
from include.validation.history.change import Fullness, check_null_shares, compare, learn_null_shares
from include.validation.history.profiles import figures_of, newest_rows, profile_snapshot
from include.validation.history.volume import (
    Allowed,
    Counts,
    Stream,
    allow,
    check_held,
    check_newest,
    check_parts,
    check_table,
    check_unseen,
)
from include.validation.limits import Limits, load_limits

FIRST_HOURS = 2  # a span whose first row comes this late still counts as whole


@dataclass(frozen=True)
class Past:
    """The figures of runs of earlier moments: rows of earlier spans by table, and the newest sound snapshot."""

    rows: Mapping[str, Counts]
    snapshot: Snapshot | None


@dataclass(frozen=True)
class History:
    """What earlier days say: checks that are decided, and limits that Great Expectations holds the newest day to."""

    decided: tuple[Check, ...]
    streams: tuple[Stream, ...]
    allowed: Mapping[str, list[Allowed]]
    fullness: Mapping[str, Fullness]
    min_days: int

    def suites(self) -> dict[str, tuple[str, list[Rule]]]:
        """Return the view with the newest 24 hours of each table, and the rules for it."""
        rules = {
            table: [*(one.rule for one in allowed), *self.fullness[table].rules().values()]
            for table, allowed in self.allowed.items()
        }
        return {f"{table}_newest": (f"{table}_newest", found) for table, found in rules.items() if found}

    def parameters(self) -> dict[str, float]:
        """Return the limits by the names that the rules give them."""
        learned = [one.parameters for allowed in self.allowed.values() for one in allowed]
        return {
            name: limit
            for one in (*learned, *(each.parameters() for each in self.fullness.values()))
            for name, limit in one.items()
        }

    def checks(self, answers: Mapping[str, Mapping[str, Answer]]) -> list[Check]:
        """Return every check, given Great Expectations' answers by suite and code."""
        found = list(self.decided)
        for stream in self.streams:
            answered = answers.get(f"{stream.table}_newest", {})
            kept = {code for code, answer in answered.items() if answer.is_kept}
            found += check_newest(stream, self.allowed[stream.table], kept, self.min_days)
            found.append(check_null_shares(self.fullness[stream.table], kept))
        return sorted(found, key=lambda one: one.code)


def look_back(
    settings: Settings, snapshot: Snapshot, connection: duckdb.DuckDBPyConnection, *, remember: bool = True
) -> History:
    """Return what earlier days say about a snapshot, whose tables are open in `connection`, and save its figures.

    Creates a view `<table>_newest` of each table's newest 24 hours. Do not `remember` the figures of a snapshot that
    mends another: its moment has figures already.
    """
    limits = load_limits()
    profile = profile_snapshot(settings, snapshot)
    with connect(settings) as warehouse:
        past = find_past(settings, warehouse, snapshot.as_of)
        if remember:
            keep_figures(warehouse, snapshot, profile)
    since = {
        "articles": snapshot.window_start - timedelta(days=settings.article_lookback_days),
        "reading_events": snapshot.window_start,
    }
    streams, allowed, decided = [], {}, []
    for table in TABLES:
        newest_rows(connection.table(table.name), table, snapshot.as_of).create_view(f"{table.name}_newest")
        stream = (
            read_stream(connection, table.name, snapshot, since[table.name], past)
            if table.day_column
            else Stream(table.name, snapshot.as_of, {**past.rows[table.name], 0: snapshot.rows(table.name)})
        )
        streams.append(stream)
        allowed[table.name] = allow(stream, limits.of(table.name), limits.min_days)
        decided += check_table(stream, limits.of(table.name), limits.min_days)
        decided += _check_held(table, snapshot, past.snapshot, limits)
        if table.name == "articles":
            parts = read_parts(connection, snapshot.as_of, since["articles"], stream.spans)
            decided += _check_parts(parts, snapshot.as_of, limits)
    decided += check_change(settings, snapshot, profile, past, limits)
    fullness = {table.name: learn_fullness(table, snapshot, profile, limits) for table in TABLES}
    return History(tuple(decided), tuple(streams), allowed, fullness, limits.min_days)


def _check_parts(parts: Mapping[str, Mapping[str, Counts]], as_of: datetime, limits: Limits) -> list[Check]:
    """Return the checks on articles by publisher and category."""
    checks = [check_unseen(parts["category"], limits.articles, limits.min_days)]
    for code, dimension, name in (("VOL109", "publisher", "publishers"), ("VOL110", "category", "categories")):
        title = f"{name} go on as usual"
        checks.append(check_parts(code, title, "articles", parts[dimension], as_of, limits.articles, limits.min_days))
    return checks


def find_past(settings: Settings, warehouse: Connection, as_of: datetime) -> Past:
    """Return what was saved before `as_of`."""
    rows: dict[str, dict[int, float]] = {table.name: {} for table in TABLES}
    for table, days, value in warehouse.execute(query("validation/history/earlier_rows"), {"as_of": as_of}):
        rows[table][days] = value
    found = warehouse.execute(query("validation/history/run_before"), {"as_of": as_of}).fetchone()
    try:
        return Past(rows, find_snapshot(settings, found[0]) if found else None)
    except ArtifactDamaged:
        return Past(rows, None)  # retention removed it; the next run has one again


def keep_figures(warehouse: Connection, snapshot: Snapshot, profile: Mapping[str, Any]) -> None:
    """Save the figures of the newest 24 hours in `ops.profiles`, replacing those of an earlier try."""
    names = ("table_name", "column_name", "measure", "value")
    where = {"as_of": snapshot.as_of, "snapshot_id": snapshot.id}
    with warehouse.cursor() as cursor:
        cursor.execute(query("validation/history/forget_profile"), where)
        cursor.executemany(
            query("validation/history/keep_profile"),
            [{**where, **dict(zip(names, row, strict=True))} for row in sorted(figures_of(profile["newest"]))],
        )


def read_stream(
    connection: duckdb.DuckDBPyConnection, table: str, snapshot: Snapshot, since: datetime, past: Past
) -> Stream:
    """Return a table's rows by time. Days before the publisher's first row do not count as history."""
    counted = (
        duck.query("validation/history/event_hours")
        if table == "reading_events"
        else duck.query("validation/history/article_hours")
    )
    found = duck.fetch(connection, counted, {"as_of": snapshot.as_of, "since": since}).to_pydict()
    hours: dict[int, int] = dict(zip(found["hours_back"], found["n"], strict=True))
    complete_hours = (snapshot.as_of - since) // timedelta(hours=1)
    oldest = max((hour for hour in hours if hour < complete_hours), default=-1) + 1
    known_hours = min(complete_hours, oldest + FIRST_HOURS)
    spans: dict[int, float] = {back: rows for back, rows in past.rows[table].items() if 24 * (back + 1) > known_hours}
    for back in range(max(1, known_hours // 24)):
        spans[back] = sum(hours.get(hour, 0) for hour in range(24 * back, 24 * (back + 1)))
    gaps = [_longest_gap(hours, back) for back in range(1, known_hours // 24)]
    return Stream(
        table,
        snapshot.as_of,
        spans,
        full_days(snapshot, table, since, snapshot.as_of - timedelta(hours=oldest)),
        newest_age_hours=float(min(hours)) if hours else None,
        usual_gap_hours=float(median(gaps)) if gaps else 0.0,
    )


def _longest_gap(hours: Mapping[int, int], back: int) -> int:
    """Return the longest run of hours without rows within one span of 24."""
    longest = running = 0
    for hour in range(24 * back, 24 * (back + 1)):
        running = 0 if hours.get(hour) else running + 1
        longest = max(longest, running)
    return longest


def full_days(snapshot: Snapshot, table: str, since: datetime, first_row_at: datetime) -> dict[date, int]:
    """Return the rows of every whole UTC day of the snapshot since the publisher's first row, missing days too."""
    rows: dict[str, int] = {}
    for file in snapshot.files:
        if file.table == table:
            rows[file.day] = rows.get(file.day, 0) + file.rows
    begin = max(since, first_row_at - timedelta(hours=FIRST_HOURS)).astimezone(UTC)
    day = begin.date() if begin == datetime(begin.year, begin.month, begin.day, tzinfo=UTC) else _next(begin.date())
    found = {}
    while datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1) <= snapshot.as_of:
        found[day] = rows.get(day.isoformat(), 0)
        day = _next(day)
    return found


def _next(day: date) -> date:
    return day + timedelta(days=1)


def read_parts(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, since: datetime, spans: Counts
) -> dict[str, dict[str, Counts]]:
    """Return articles by publisher and by category; a span without articles counts as 0."""
    count = (as_of - since) // timedelta(days=1)
    found = duck.fetch(
        connection,
        duck.query("validation/history/article_parts"),
        {"as_of": as_of, "since": since, "span_count": count},
    )
    known = [back for back in spans if back < count]
    parts: dict[str, dict[str, dict[int, float]]] = {"publisher": {}, "category": {}}
    for row in found.to_pylist():
        of_name = parts[row["dimension"]].setdefault(row["name"], dict.fromkeys(known, 0.0))
        of_name[row["days_back"]] = row["n"]
    return {dimension: dict(names) for dimension, names in parts.items()}


def _check_held(table: SourceTable, snapshot: Snapshot, before: Snapshot | None, limits: Limits) -> list[Check]:
    if before is None:
        return check_held(table.name, {}, {}, "an earlier snapshot", limits.of(table.name))
    begin, end = max(snapshot.window_start, before.window_start), min(snapshot.as_of, before.as_of)
    now, then = (_rows_by_day(one, table, begin, end) for one in (snapshot, before))
    now = {day: now.get(day, 0) for day in then}
    told = f"the snapshot of {before.as_of:%Y-%m-%d %H:%M} UTC"
    return check_held(table.name, now, then, told, limits.of(table.name))


def _rows_by_day(snapshot: Snapshot, table: SourceTable, begin: datetime, end: datetime) -> dict[str, int]:
    rows: dict[str, int] = {}
    for file in snapshot.files:
        if file.table != table.name:
            continue
        if table.day_column:
            if file.day == WHOLE:
                continue  # rows outside every window
            start = datetime.fromisoformat(file.day).replace(tzinfo=UTC)
            if start < begin or start + timedelta(days=1) > end:
                continue
        rows[file.day] = rows.get(file.day, 0) + file.rows
    return rows


def learn_fullness(table: SourceTable, snapshot: Snapshot, profile: Mapping[str, Any], limits: Limits) -> Fullness:
    """Return how many values may be missing in the newest 24 hours, by what the days before them missed."""
    newest_from = (snapshot.as_of - timedelta(hours=24)).date().isoformat()
    days = [one for day, one in sorted(profile["days"][table.name].items()) if day < newest_from]
    newest = profile["newest"][table.name]
    return learn_null_shares(table.name, newest, days, limits.of(table.name), limits.min_days, limits.min_rows)


def check_change(
    settings: Settings, snapshot: Snapshot, profile: Mapping[str, Any], past: Past, limits: Limits
) -> list[Check]:
    """Return the checks of the newest 24 hours against those of the run before."""
    if not past.snapshot:
        return []
    before = profile_snapshot(settings, past.snapshot)["newest"]
    return [
        check
        for table in TABLES
        for check in compare(
            table.name, profile["newest"][table.name], before[table.name], limits.change, limits.min_rows
        )
    ]
