"""Monitoring: what readers did with our lists is counted as by hand."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from include.core.contract import READING_EVENTS
from include.core.settings import Settings
from include.monitoring.drift import find_drift, measure_quality
from include.monitoring.measures import Measure
from include.monitoring.realised import measure_realised, tell_realised
from tests.worlds import tiny

HOUR = timedelta(hours=1)
NOW = tiny.AS_OF


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, **tiny.TINY)


def our_lists(*rows):
    """(reader, batch, kind, seconds) as the whole of what was read in a small world."""
    base = {"article_id": 1001, "occurred_at": NOW - HOUR, "ingested_at": NOW - HOUR, "position": 1, "session_id": 1}
    named = [
        {**base, "event_id": number, "reader_id": reader, "batch_id": batch, "kind": kind, "dwell_seconds": seconds}
        for number, (reader, batch, kind, seconds) in enumerate(rows)
    ]
    return {**tiny.tiny(), "reading_events": pa.Table.from_pylist(named, READING_EVENTS.columns)}


REALISED = (
    (3, "b1", "impression", None),  # readers 3 and 6 live in Latin America, 4 in Africa
    (3, "b1", "click", None),
    (3, "b1", "read", 100.0),
    (6, "b1", "impression", None),
    (4, "b1", "impression", None),
    (4, "b2", "impression", None),
    (4, "b2", "read", 40.0),
    (4, "b2", "read", 20.0),
    (3, None, "read", 999.0),  # not from a list
    (3, "stranger", "read", 999.0),  # not from one of ours
)


def test_realised_quality_is_what_readers_did_with_our_lists_by_version_and_region(settings):
    found = measure_realised(settings, tiny.store(settings, our_lists(*REALISED)), [("b1", 1), ("b2", 2)])
    counted = {
        (row["model_version"], row["slice"]): (row["readers"], row["impressions"], row["reads"], row["read_seconds"])
        for row in found
    }
    assert counted == {
        (1, "all"): (3, 3, 1, 100.0),
        (1, "region Latin America"): (2, 2, 1, 100.0),
        (1, "region Africa"): (1, 1, 0, 0.0),
        (2, "all"): (1, 1, 2, 60.0),
        (2, "region Africa"): (1, 1, 2, 60.0),
    }


def test_before_the_first_batch_there_is_nothing_to_count(settings):
    assert measure_realised(settings, tiny.store(settings, our_lists(*REALISED)), []) == []


def test_realised_quality_is_told_in_one_sentence_per_version():
    rows = [
        {"model_version": 1, "slice": "all", "impressions": 1500, "reads": 30, "read_seconds": 7200.0},
        {"model_version": 1, "slice": "region Africa", "impressions": 1, "reads": 1, "read_seconds": 1.0},
    ]
    assert tell_realised(rows) == "Our lists: v1: 1,500 shown, 30 read, 2.0 h."
    assert tell_realised([]) == "Our lists: not seen by readers in this window."


def test_with_too_few_reads_reading_is_not_judged_and_that_is_said(settings):
    few = tiny.store(settings, our_lists(*REALISED))
    finding = find_drift(settings, few, few)
    notes = {one.column: one.note for one in finding.findings if one.note}
    assert notes["reads.dwell_seconds"] == "the window has 1 values; 500 are needed."
    assert not finding.is_drifted
    assert finding.drift.note == "one side has 1 reads; 500 are needed."


def test_quality_is_the_time_per_article_shown_by_all_versions():
    rows = [
        {"model_version": 1, "slice": "all", "impressions": 100, "read_seconds": 300.0},
        {"model_version": 2, "slice": "all", "impressions": 300, "read_seconds": 500.0},
        {"model_version": 2, "slice": "region Africa", "impressions": 300, "read_seconds": 500.0},
        {"model_version": None, "slice": "all", "impressions": 9, "read_seconds": 0.0},
    ]
    assert measure_quality(rows) == [Measure("lists.seconds_per_article", "", 2.0, 400)]
    assert measure_quality(rows[3:]) == []
