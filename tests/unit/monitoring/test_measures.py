"""What a window is measured by, on a few rows that can be counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest

from include.adapters import duck
from include.core.contract import TABLES
from include.core.settings import Settings
from include.monitoring.measures import (
    FIRST_HALF,
    LATER_HALF,
    NO_HABITS,
    Span,
    Training,
    cut_training,
    cut_window,
    find_habits,
    measure_spans,
)
from include.monitoring.sentences import LABELS

SETTINGS = Settings(arrival_grace_minutes=15)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TRAINING = Training(NOON - 14 * DAY, NOON)


def article(number, category="sport", publisher="A", words=100, published=NOON - HOUR, lag_minutes=4):
    return {
        "article_id": number, "category": category, "publisher": publisher, "word_count": words,
        "published_at": published, "ingested_at": published + timedelta(minutes=lag_minutes),
    }  # fmt: skip


def read(number, reader=1, of=1, at=NOON, seconds=60.0, batch=None, arrived=None):
    return {
        "event_id": number, "reader_id": reader, "article_id": of, "kind": "read", "occurred_at": at,
        "ingested_at": arrived or at, "dwell_seconds": seconds, "batch_id": batch, "position": number,
    }  # fmt: skip


def measure(articles, reads, span=None, settings=SETTINGS, training=TRAINING):
    """The measures of the day after noon, by column and name."""
    rows = {"subscribers": [], "articles": articles, "reading_events": reads}
    with duck.connect() as connection:
        for table in TABLES:
            connection.register(table.name, pa.Table.from_pylist(rows[table.name], table.columns))
        habits = find_habits(settings, connection, "read", training)
        spans = [span or Span(NOON, NOON + DAY, LATER_HALF)]
        (found,) = measure_spans(settings, connection, "read", spans, habits)
    return {(one.column, one.name): (one.value, one.rows) for one in found}


def test_numbers_are_medians_and_names_are_shares():
    articles = [article(1, words=100), article(2, "news", words=300), article(3, "news", publisher=None, words=500)]
    found = measure(articles, [read(n, of=n, seconds=10.0 * n) for n in (1, 2, 3)])
    assert found["reads.word_count", ""] == (300.0, 3)
    assert found["reads.dwell_seconds", ""] == (20.0, 3)
    assert found["reads.long_dwell_seconds", ""] == (pytest.approx(28.0), 3)
    assert found["reads.article_age_hours", ""] == (1.0, 3)
    assert found["reads.position", ""] == (2.0, 3)
    assert found["reads.category", "news"] == (pytest.approx(2 / 3), 3)
    assert found["reads.publisher", "none"] == (pytest.approx(1 / 3), 3)
    assert found["reads.region", "unknown"] == (1.0, 3)


def test_every_column_that_is_measured_has_its_words():
    columns = {column for column, _ in measure([article(1), article(2, published=NOON)], [read(1)])}
    assert columns | {"reads.familiarity", "lists.seconds_per_article"} == LABELS.keys()


def test_news_are_the_articles_published_in_the_span():
    later = [article(n, published=NOON + n * HOUR, words=100 * n, lag_minutes=n) for n in (1, 2, 3)]
    found = measure([article(9), *later], [])
    assert found == {
        ("news.category", "sport"): (1.0, 3),
        ("news.publisher", "A"): (1.0, 3),
        ("news.publishing_lag_minutes", ""): (2.0, 3),
        ("news.word_count", ""): (200.0, 3),
    }


def test_a_story_that_everybody_opens_counts_for_a_hundredth_of_the_reads():
    articles = [article(1, "politics"), *[article(n) for n in range(2, 102)]]
    reads = [read(n, of=n) for n in range(2, 102)] + [read(1000 + n, reader=n, of=1) for n in range(100)]
    share, rows = measure(articles, reads)["reads.category", "politics"]
    assert (share, rows) == (pytest.approx(2 / 102), 102)


def test_reads_from_lists_and_what_was_not_known_in_time_do_not_count():
    late = NOON + DAY - HOUR
    reads = [
        read(1, of=1),
        read(2, of=2, batch="b1"),
        read(3, of=3, at=late, arrived=NOON + DAY + HOUR),
        read(4, of=4, at=late, arrived=NOON + DAY + timedelta(minutes=10)),  # within the grace
        read(5, of=5, at=NOON - HOUR),
    ]
    assert measure([article(n) for n in range(1, 6)], reads)["reads.dwell_seconds", ""][1] == 2


def test_familiarity_falls_when_readers_leave_their_categories():
    articles = [article(1, "sport", published=TRAINING.since), article(2, "news", published=TRAINING.since)]
    habits = [read(100 * r + n, reader=r, of=r, at=NOON - DAY) for r in (1, 2) for n in range(20)]
    as_ever = measure(articles, [*habits, read(1, reader=1, of=1), read(2, reader=2, of=2)])
    changed = measure(articles, [*habits, read(1, reader=1, of=2), read(2, reader=2, of=1)])
    stranger = measure(articles, [*habits, read(1, reader=3, of=2)])
    assert as_ever["reads.familiarity", ""] == (pytest.approx((20 + 2.5) / 25 / 0.5), 2)
    assert changed["reads.familiarity", ""] == (pytest.approx(2.5 / 25 / 0.5), 2)
    assert ("reads.familiarity", "") not in stranger


def test_of_many_readers_the_same_sample_counts_in_the_training_and_in_the_window():
    few = Settings(drift_sample_rows=100)
    articles = [article(n, published=TRAINING.since) for n in range(1_000)]
    habits = [read(n, reader=n % 1_000, of=n % 1_000, at=NOON - (1 + n // 1_000) * DAY) for n in range(14_000)]
    window = [read(20_000 + n, reader=n, of=n) for n in range(1_000)]
    found = measure(articles, [*habits, *window], settings=few)
    sampled = found["reads.familiarity", ""][1]
    assert 60 < sampled < 140
    assert measure(articles, [*habits, *window])["reads.familiarity", ""][1] == 1_000
    assert found["reads.dwell_seconds", ""][1] == sampled, "the readers of the window are those of the habits"


def test_the_days_of_training_have_the_hours_of_the_window_and_do_not_overlap():
    spans = cut_training(SETTINGS, TRAINING, NOON + 3 * DAY + 6 * HOUR)
    assert {span.end.hour for span in spans} == {18}
    assert len(spans) == 13
    assert all(later.start == earlier.end for later, earlier in pairwise(spans))
    assert min(span.start for span in spans) >= TRAINING.since
    assert max(span.end for span in spans) <= TRAINING.until


def test_habits_come_from_the_half_that_a_span_is_not_in():
    spans = cut_training(SETTINGS, TRAINING, NOON + 6 * HOUR)
    by_half = {half: [span for span in spans if span.habit == half] for half in (FIRST_HALF, LATER_HALF, NO_HABITS)}
    assert all(span.start >= TRAINING.middle for span in by_half[FIRST_HALF])
    assert all(span.end <= TRAINING.middle for span in by_half[LATER_HALF])
    assert len(by_half[NO_HABITS]) == 1
    assert cut_window(TRAINING, NOON, NOON + DAY).habit == LATER_HALF
    assert cut_window(TRAINING, NOON - HOUR, NOON + 23 * HOUR).habit == FIRST_HALF


def test_windows_longer_than_a_day_are_held_against_spans_as_long():
    spans = cut_training(Settings(monitor_window_hours=36), TRAINING, NOON)
    assert {span.end - span.start for span in spans} == {timedelta(hours=36)}
    assert [spans[0].end - span.end for span in spans[:3]] == [timedelta(), 2 * DAY, 4 * DAY]
