"""Measures of a window, and of the same hours of every day that the champion was trained on.

Belongs here: what is counted, as numbers by column and name. Does not belong here: whether a number is unusual
(`usual.py`). Both sides are cut alike and the days of training never change, so a window that is measured again later
meets the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from include.adapters import duck
from include.core.contract import MOMENT
from include.core.settings import Settings
from include.data.snapshot import Snapshot, open_snapshot_tables, read_kind_of

MOST_OF_ONE_ARTICLE = 0.01
BORROWED_READS = 5
MILLION = 1_000_000
FIRST_HALF, LATER_HALF, NO_HABITS = "first half", "later half", "none"
SPAN = pa.schema([*((name, MOMENT) for name in ("span_start", "span_end", "known_until")), ("habit", pa.string())])
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Measure:
    """A number of a window: of a column, or the share of one of its names, counted on `rows` rows."""

    column: str  # reads.word_count, news.publisher, lists.seconds_per_article
    name: str
    value: float
    rows: int


@dataclass(frozen=True)
class Training:
    """The time that the champion was trained on."""

    since: datetime
    until: datetime

    @property
    def middle(self) -> datetime:
        """Return the moment between its halves; each half holds the habits that reads of the other are held against."""
        return self.since + (self.until - self.since) / 2


@dataclass(frozen=True)
class Habits:
    """The reads of every reader and category in either half of a training, and how many readers of a million count."""

    table: pa.Table
    readers_of_million: int


@dataclass(frozen=True)
class Span:
    """A span of time, and the half of the training whose reads count as its readers' habits."""

    start: datetime
    end: datetime
    habit: str


def measure_window(settings: Settings, window: Snapshot, trained_on: Snapshot) -> list[Measure]:
    """Return the measures of a window."""
    training, kind = Training(trained_on.window_start, trained_on.as_of), read_kind_of(settings, trained_on)
    with open_snapshot_tables(settings, trained_on) as connection:
        habits = find_habits(settings, connection, kind, training)
    span = cut_window(training, window.window_start, window.as_of)
    with open_snapshot_tables(settings, window) as connection:
        return measure_spans(settings, connection, kind, [span], habits)[0]


def measure_days(settings: Settings, trained_on: Snapshot, window_end: datetime) -> list[list[Measure]]:
    """Return the measures of each day of training, as long as a window and at its hours."""
    training, kind = Training(trained_on.window_start, trained_on.as_of), read_kind_of(settings, trained_on)
    with open_snapshot_tables(settings, trained_on) as connection:
        habits = find_habits(settings, connection, kind, training)
        return measure_spans(settings, connection, kind, cut_training(settings, training, window_end), habits)


def cut_window(training: Training, start: datetime, end: datetime) -> Span:
    """Return the span of a window, with habits from the half of the training that does not reach into it."""
    return Span(start, end, LATER_HALF if training.until <= start else FIRST_HALF)


def cut_training(settings: Settings, training: Training, window_end: datetime) -> list[Span]:
    """Return spans of the training with the length and the hours of a window; none overlaps another."""
    length = timedelta(hours=settings.monitor_window_hours)
    apart = -(-length // DAY) * DAY
    end = training.until - (training.until - window_end) % DAY
    spans = []
    while (start := end - length) >= training.since:
        habit = FIRST_HALF if start >= training.middle else LATER_HALF if end <= training.middle else NO_HABITS
        spans.append(Span(start, end, habit))
        end -= apart
    return spans


def find_habits(
    settings: Settings, connection: duckdb.DuckDBPyConnection, read_kind: str, training: Training
) -> Habits:
    """Return the habits of a training; of very many readers a sample counts, which is the same in every span."""
    whole = {"read_kind": read_kind, "since": training.since, "until": training.until}
    (reads,) = duck.ask(connection, duck.query("monitoring/count_reads"), whole).fetchall()[0]
    rows = settings.drift_sample_rows * (training.until - training.since) / DAY
    share = {"readers_of_million": MILLION if reads <= rows else max(1, round(MILLION * rows / reads))}
    halves = {FIRST_HALF: (training.since, training.middle), LATER_HALF: (training.middle, training.until)}
    found = [
        duck.fetch(
            connection,
            duck.query("monitoring/habits"),
            {"read_kind": read_kind, "habit": half, "since": since, "until": until, **share},
        )
        for half, (since, until) in halves.items()
    ]
    return Habits(pa.concat_tables(found), **share)


def measure_spans(
    settings: Settings, connection: duckdb.DuckDBPyConnection, read_kind: str, spans: Sequence[Span], habits: Habits
) -> list[list[Measure]]:
    """Return the measures of each span, from the tables of a connection."""
    grace = timedelta(minutes=settings.arrival_grace_minutes)
    rows = [
        {"span_start": span.start, "span_end": span.end, "known_until": span.end + grace, "habit": span.habit}
        for span in spans
    ]
    connection.register("spans", pa.Table.from_pylist(rows, SPAN))
    connection.register("habits", habits.table)
    limits = {
        "read_kind": read_kind,
        "most_of_one_article": MOST_OF_ONE_ARTICLE,
        "borrowed_reads": BORROWED_READS,
        "readers_of_million": habits.readers_of_million,
    }
    found: dict[datetime, list[Measure]] = {span.end: [] for span in spans}
    for row in duck.fetch(connection, duck.query("monitoring/measures"), limits).to_pylist():
        measure = Measure(f"{row['subject']}.{row['measure']}", row["name"], row["value"], int(row["row_count"]))
        found[row["span_end"]].append(measure)
    return [found[span.end] for span in spans]
