"""Monitoring: what is counted and when a retrain is asked for, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from include.adapters.evidently_report import ColumnDrift, Drift
from include.core.contract import READING_EVENTS
from include.core.settings import Settings
from include.monitoring.drift import DriftFinding, find_drift, tell_move
from include.monitoring.page import report_drift
from include.monitoring.realised import measure_realised, tell_realised
from include.monitoring.trigger import wants_retraining
from tests.worlds import tiny

HOUR = timedelta(hours=1)
NOW = tiny.AS_OF
RULE = Settings(drift_violations=2, drift_windows=3, drift_cooldown_hours=12)


def test_a_column_just_beyond_its_limit_is_told_by_a_number_beyond_it():
    assert tell_move(ColumnDrift("word_count", "wasserstein", 0.1541, 0.15)) == "word_count 0.154 > 0.15"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, **tiny.TINY)


@pytest.mark.parametrize(
    ("windows", "hours_since_request", "asks"),
    [
        ("", None, False),
        ("d", None, False),
        ("dd", None, True),
        ("d.d", None, True),
        ("dd.", None, True),
        ("ddd", None, True),
        (".dd", None, False),
        ("d..", None, False),
        ("...", None, False),
        ("dd.", 11, False),
        ("dd.", 12, True),
        ("dd.", 100, True),
    ],
)
def test_two_of_three_windows_and_the_newest_among_them_ask_for_a_retrain(windows, hours_since_request, asks):
    """Windows newest first, d for drifted."""
    found: list[tuple[datetime, bool]] = [(NOW - number * HOUR, mark == "d") for number, mark in enumerate(windows)]
    last = None if hours_since_request is None else NOW - hours_since_request * HOUR
    assert wants_retraining(RULE, found, last) is asks


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


def test_with_too_few_reads_drift_is_not_judged_and_that_is_said(settings):
    few = tiny.store(settings, our_lists(*REALISED))
    told = "the window has 5 reads and the reference 5; 500 are needed."
    finding = find_drift(settings, few, few)
    assert finding == DriftFinding(Drift("reading", told), False, f"Drift was not measured: {told}")
    assert report_drift(settings, NOW, 1, finding, [], [], None) is None
    assert not (settings.home / "reports").exists()
