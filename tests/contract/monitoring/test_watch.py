"""Watching readers on a real PostgreSQL: what they did with our lists is counted, and drift asks for a retrain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.alerts import rehearsing
from include.core.run import Run
from include.data.snapshot import take_snapshot
from include.judging import champion as champions
from include.lists import batch as batches
from tests.worlds import tiny
from tests.worlds.batches import about, lists

AS_OF = tiny.AS_OF
HOUR = timedelta(hours=1)


def watch(settings, as_of=AS_OF, **how):
    return pipeline.watch(Run(settings, f"watch {as_of:%H:%M}", as_of, "tests", **how))


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


def test_the_share_of_reading_that_came_from_lists_is_kept_for_readers_who_saw_them_and_others(settings):
    read_from_list(settings, (3, "impression", None), (3, "read", 90.0), (4, "impression", None))
    usage = watch(settings).facts["usage"]
    every, ours = usage["all"], usage["Latin America"]
    assert (every["list_reads"], ours["list_reads"], usage["Africa"]["list_reads"]) == (1, 1, 0)
    assert (every["readers_shown"], usage["Africa"]["readers_shown"]) == (2, 1)
    assert every["readers_shown"] + every["readers_others"] > 2
    assert every["reads"] > every["list_reads"]
    regions = [found for region, found in usage.items() if region != "all"]
    assert {name: sum(one[name] for one in regions) for name in every} == pytest.approx(every)
    spent = (
        "select coalesce(sum(dwell_seconds), 0) from source.reading_events"
        " where kind = 'read' and reader_id in (3, 4) and occurred_at >= %s and occurred_at < %s"
    )
    with connect(settings, "newsroom") as newsroom:
        (seconds,) = newsroom.execute(spent, [AS_OF - 24 * HOUR, AS_OF]).fetchone()
    assert every["seconds_shown"] == pytest.approx(seconds)


def test_a_broken_row_does_not_count(settings):
    read_from_list(settings, (3, "impression", None), (3, "read", -90.0), (3, "read", float("nan")))
    assert watch(settings).facts["sentence"].startswith("Our lists: v1: 1 shown, 0 read")


def test_watching_a_window_again_keeps_it_once(settings):
    read_from_list(settings, (3, "impression", None))
    assert watch(settings) == watch(settings)
    assert kept(settings, "select count(*) from ops.health where slice = 'all'") == [(1,)]
    assert kept(settings, "select count(*) from ops.drift where subject = 'window'") == [(1,)]


def keep_a_model_that_hangs_on_age(settings):
    """Version 1, which no drift of categories or word counts can move."""
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id, weights) values (1, 'd', 'm', 'f', 'f', 's', %s, 'r', 'm', '{\"age_hours\": 1}')",
            [AS_OF],
        )


def test_reading_as_before_asks_for_nothing(settings):
    assert watch(settings).facts["retrain_reason"] is None
    assert kept(settings, "select observed, is_drifted from ops.drift where subject = 'window'") == [(0.0, False)]


def test_tastes_that_turned_ask_for_a_retrain_in_the_second_window_with_the_reason(settings):
    tiny.publish(settings, tiny.tiny(tastes="turned"))
    assert watch(settings, AS_OF - HOUR).facts["retrain_reason"] is None
    second = watch(settings)
    assert second.facts["retrain_reason"].startswith("Drift in 2 of the last 3 windows up to 2025-03-09 00:00 UTC")
    assert (settings.home / "reports" / second.facts["report"]).exists()
    assert kept(settings, "select reason from ops.retrain_requests") == [(second.facts["retrain_reason"],)]


def test_a_rehearsed_window_asks_for_a_dry_run_in_the_name_of_the_rehearsal(settings):
    tiny.publish(settings, tiny.tiny(tastes="turned"))
    causes = ((rehearsing.DRIFT, "reads.word_count"),)
    rehearsing.begin(settings, rehearsing.Rehearsal("drift", "drift", causes, AS_OF, AS_OF, None, None))
    watch(settings, AS_OF - HOUR)
    second = watch(settings).facts
    assert second["retrain_reason"].startswith("Rehearsal: Drift in 2 of the last 3 windows")
    assert second["retrain_mode"] == "dry_run"
    rehearsing.end(settings)
    assert watch(settings).facts["retrain_mode"] is None


def test_drift_that_no_retrain_can_answer_to_opens_one_ticket_for_each_column_that_says_what_moved(settings):
    keep_a_model_that_hangs_on_age(settings)
    tiny.publish(settings, tiny.tiny(tastes="turned"))
    reasons = [watch(settings, AS_OF - hours * HOUR).facts["retrain_reason"] for hours in (2, 1, 0)]
    assert [bool(reason) for reason in reasons] == [False, True, False]
    assert "econds per read: " in reasons[1], "what the model predicts always counts"
    assert "category" not in reasons[1]
    tickets = dict(kept(settings, "select facts ->> 'subject', body from ops.alerts"))
    assert tickets.keys() == {"reads.category", "reads.word_count"}
    assert tickets["reads.word_count"].startswith("What broke\nWord count of what is read: median 200 → 1,200 (")
    assert "v1, 24 h up to 2025-03-08 23:00 UTC: Category science among reads has " in tickets["reads.category"]
    assert "/daybreak/reports/drift/" in tickets["reads.category"]
    assert set(kept(settings, "select subject from ops.alerts")) == {
        ("[ticket] Drift: category among reads.",),
        ("[ticket] Drift: word count of what is read.",),
    }


def test_a_ticket_on_drift_ends_when_a_new_champion_has_learnt_it_and_not_before(settings):
    keep_a_model_that_hangs_on_age(settings)
    turned = tiny.tiny(tastes="turned")
    tiny.publish(settings, turned)
    still_open = "select subject from ops.incidents where cause = 'DriftStays' and closed_at is null order by subject"
    for hours in (2, 1):
        watch(settings, AS_OF - hours * HOUR)
    assert kept(settings, still_open) == [("reads.category",), ("reads.word_count",)]
    with connect(settings) as warehouse:
        warehouse.execute("update ops.drift set is_drifted = false where window_end < %s", [AS_OF])
        champions.append(warehouse, after_seq=1, version=2, from_version=1, why="w", actor="a", run_id="r",
                         snapshot_id=champions.find_champion(warehouse).snapshot_id)  # fmt: skip
    tiny.publish(settings, tiny.tiny())
    watch(settings)
    assert kept(settings, still_open) == []
    ends = kept(
        settings, "select a.subject, o.incident = a.thread from ops.alerts a join ops.alerts o on o.incident = a.thread"
    )
    assert sorted(ends) == [
        ("[recovered] Drift: category among reads.", True),
        ("[recovered] Drift: word count of what is read.", True),
    ]


def test_an_earlier_window_that_is_measured_by_hand_ends_no_ticket_of_a_later_one(settings):
    keep_a_model_that_hangs_on_age(settings)
    tiny.publish(settings, tiny.tiny(tastes="turned"))
    for hours in (1, 0):
        watch(settings, AS_OF - hours * HOUR)
    still_open = "select count(*) from ops.incidents where cause = 'DriftStays' and recovered_at is null"
    assert kept(settings, still_open) == [(2,)]
    with connect(settings) as warehouse:
        warehouse.execute("update ops.drift set is_drifted = false where window_end < %s", [AS_OF])
    tiny.publish(settings, tiny.tiny())
    watch(settings, AS_OF - HOUR)
    assert kept(settings, still_open) == [(2,)]


def test_a_backfilled_window_meets_the_champion_of_then_and_comes_out_the_same(settings):
    newer = take_snapshot(settings, AS_OF - 12 * HOUR, timedelta(days=settings.window_days))
    insert = (
        "insert into ops.champions (seq, version, action, why, actor, run_id, snapshot_id, at)"
        " values (%s, %s, 'promote', 'w', 'a', 'r', %s, %s)"
    )
    with connect(settings, "postgres") as server:
        (learnt_from,) = server.execute("select snapshot_id from ops.champions").fetchone()
        server.execute(insert, [2, 2, learnt_from, AS_OF - 2 * HOUR])
        columns = "select subject, name, observed, limit_is, usual from ops.drift where usual is not null order by 1"
    then = watch(settings)
    measured = kept(settings, columns)
    with connect(settings, "postgres") as server:
        server.execute(insert, [3, 3, newer.id, AS_OF + HOUR])
        server.execute("delete from ops.drift")
    assert watch(settings, kind="backfill").facts["sentence"] == then.facts["sentence"]
    assert kept(settings, columns) == measured


def test_a_history_that_is_filled_in_raises_no_alarm_and_requests_nothing(settings):
    """The same three windows, measured as they passed, request a retrain and open tickets: see above."""
    with connect(settings, "postgres") as server:
        server.execute("set session_replication_role = replica")
        server.execute("update ops.champions set at = %s", [AS_OF - 6 * HOUR])
    tiny.publish(settings, tiny.tiny(tastes="turned"))
    read_from_list(settings, (3, "impression", None), (3, "read", 90.0))  # in the last of the windows
    told = [watch(settings, AS_OF - hours * HOUR, kind="backfill").facts["retrain_reason"] for hours in (2, 1, 0)]
    assert told[1], "what it would have requested is told"
    assert kept(settings, "select count(distinct window_end) from ops.drift") == [(3,)]
    assert kept(settings, "select distinct window_end, model_version from ops.health") == [(AS_OF, 1)]
    assert kept(settings, "select incident from ops.alerts") == []
    assert kept(settings, "select window_end from ops.retrain_requests") == []


@pytest.fixture
def first_days(publisher):
    """An installation without a champion whose first batch is by a baseline."""
    with connect(publisher) as warehouse:
        made_by = {**about("b1", AS_OF - 6 * HOUR), "model_version": None, "baseline": "most_read"}
        batches.write(warehouse, lists().to_batches(), made_by)
        batches.set_status(warehouse, "b1", "audited")
        batches.switch(warehouse, "b1", AS_OF - 6 * HOUR, 150)
    return publisher


def test_without_a_champion_lists_are_measured_and_drift_is_not(first_days):
    read_from_list(first_days, (3, "impression", None), (3, "read", 90.0), (4, "impression", None))
    facts = watch(first_days).facts
    assert facts["sentence"] == (
        "Our lists: baseline: 2 shown, 1 read, 0.0 h. No model has been promoted yet, so there is no drift to measure."
    )
    assert (facts["retrain_reason"], facts["report"]) == (None, None)
    assert kept(first_days, "select count(*) from ops.drift") == [(0,)]


def test_a_window_with_lists_by_a_baseline_and_by_the_first_champion_is_measured(settings):
    read_from_list(settings, (3, "impression", None))
    with connect(settings, "postgres") as warehouse:
        warehouse.execute("update recs.batches set model_version = null, baseline = 'most_read'")
    assert watch(settings).facts["sentence"].startswith("Our lists: baseline: 1 shown, 0 read, 0.0 h.")
    assert kept(settings, "select count(*) from ops.health") == [(0,)], "it is kept by version"
