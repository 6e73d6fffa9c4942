"""Watching readers on a real PostgreSQL: what they did with our lists is counted, and drift asks for a retrain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.errors import NoChampion
from include.core.run import Run
from include.data.snapshot import take_snapshot
from include.judging import champion as champions
from include.lists import batch as batches
from tests.worlds import tiny
from tests.worlds.batches import about, lists

AS_OF = tiny.AS_OF
HOUR = timedelta(hours=1)


def watch(settings, as_of=AS_OF):
    return pipeline.watch(Run(settings, f"watch {as_of:%H:%M}", as_of, "tests"))


@pytest.fixture
def settings(publisher):
    """An installation whose champion learnt from the tiny world and whose first batch is live."""
    learnt_from = take_snapshot(publisher, AS_OF, timedelta(days=publisher.window_days))
    with connect(publisher) as warehouse:
        entry = {"from_version": None, "why": "w", "actor": "a", "run_id": "r", "snapshot_id": learnt_from.id}
        champions.append(warehouse, after_seq=0, version=1, **entry)
        batches.write(warehouse, lists().to_batches(), about("b1", AS_OF - 6 * HOUR))
        batches.set_status(warehouse, "b1", "audited")
        batches.switch(warehouse, "b1", AS_OF - 6 * HOUR, 150)
    return publisher


def read_from_list(settings, *rows):
    """(reader, kind, seconds) that happened with our list an hour ago."""
    happened = {"occurred_at": AS_OF - HOUR, "ingested_at": AS_OF - HOUR, "position": 1, "session_id": 1}
    with connect(settings, "newsroom") as newsroom:
        tiny.add(
            newsroom,
            "reading_events",
            [
                {**happened, "event_id": 800_000 + n, "article_id": 1001, "batch_id": "b1"}
                | {"reader_id": reader, "kind": kind, "dwell_seconds": seconds}
                for n, (reader, kind, seconds) in enumerate(rows)
            ],
        )


def kept(settings, text):
    with connect(settings) as warehouse:
        return warehouse.execute(text).fetchall()


def test_what_readers_did_with_our_lists_is_kept_by_version_and_slice(settings):
    read_from_list(settings, (3, "impression", None), (3, "read", 90.0), (4, "impression", None))
    assert watch(settings).facts["sentence"].startswith("Our lists: v1: 2 shown, 1 read, 0.0 h.")
    assert kept(settings, "select slice, readers, impressions, reads, read_seconds from ops.health order by 1") == [
        ("all", 2, 2, 1, 90.0),
        ("region Africa", 1, 1, 0, 0.0),
        ("region Latin America", 1, 1, 1, 90.0),
    ]


def test_a_broken_row_does_not_count(settings):
    read_from_list(settings, (3, "impression", None), (3, "read", -90.0), (3, "read", float("nan")))
    assert watch(settings).facts["sentence"].startswith("Our lists: v1: 1 shown, 0 read")


def test_watching_a_window_again_keeps_it_once(settings):
    read_from_list(settings, (3, "impression", None))
    assert watch(settings) == watch(settings)
    assert kept(settings, "select count(*) from ops.health where slice = 'all'") == [(1,)]
    assert kept(settings, "select count(*) from ops.drift where subject = 'window'") == [(1,)]


def test_reading_as_before_asks_for_nothing(settings):
    assert watch(settings).facts["retrain_reason"] is None
    assert kept(settings, "select observed, is_drifted from ops.drift where subject = 'window'") == [(0.0, False)]


def test_tastes_that_turned_ask_for_a_retrain_in_the_second_window_with_the_reason(settings):
    tiny.publish(settings, tiny.tiny(tastes="turned"))
    assert watch(settings, AS_OF - HOUR).facts["retrain_reason"] is None
    second = watch(settings)
    assert second.facts["retrain_reason"].startswith("Drift in 2 of the last 2 windows up to 2025-03-09 00:00 UTC")
    assert (settings.home / "reports" / second.facts["report"]).exists()
    assert kept(settings, "select reason from ops.retrain_requests") == [(second.facts["retrain_reason"],)]


def test_without_a_champion_there_is_nothing_to_watch(publisher):
    with pytest.raises(NoChampion):
        watch(publisher)
