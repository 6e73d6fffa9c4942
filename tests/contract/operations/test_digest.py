"""The morning's digest: one mail a day that says how the night went, from what the warehouse knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.alerts import reporting
from include.alerts.outbox import Channel, deliver_pending
from include.alerts.wording import Failure
from include.core.clock import now
from include.core.run import Run
from include.operations.digest import _tell_reading, raise_digest

DAY = timedelta(days=1)


@pytest.fixture
def run(fresh_warehouse):
    return Run(fresh_warehouse, "maintain/scheduled__1", now(), "schedule", kind="scheduled")


def write(run, text, *values):
    with connect(run.settings) as warehouse:
        warehouse.execute(text, values)


def mailed(run):
    sent = []
    deliver_pending(run.settings, {"mail": Channel(sent.append)})
    return sent


def sections(alert):
    return dict(part.split("\n", 1) for part in alert.body.strip().split("\n\n"))


def publish(run):
    write(
        run,
        "insert into recs.batches (batch_id, as_of, model_version, baseline, snapshot_id, run_id, list_length, status,"
        " readers) values ('b', %s, null, 'most_read', 's', 'r', 10, 'audited', 3)",
        run.as_of - timedelta(minutes=20),
    )
    write(run, "insert into recs.live (batch_id, stale_after_minutes) values ('b', 150)")


def test_before_the_first_lists_and_the_first_verdict_there_is_none(run):
    assert not raise_digest(run)
    assert mailed(run) == []


def test_the_first_lists_have_a_digest_that_says_what_there_is_not_yet(run):
    publish(run)
    assert raise_digest(run)
    (alert,) = mailed(run)
    assert alert.subject == f"[digest] {run.as_of:%Y-%m-%d}: no verdict last night, 0 incidents open"
    told = sections(alert)
    assert told["Last night"] == "No challenger was judged yet."
    assert told["Lists"] == "By the baseline most_read, 20 min old; 3 readers have a list."
    assert told["Readers"] == "No reading of the lists was measured."
    assert told["Incidents"] == "None was open within a day."
    assert told["Waits for a person"] == "Nothing."
    assert told["Links"].startswith("Airflow: http")


def test_there_is_one_a_day(run):
    publish(run)
    assert raise_digest(run)
    assert not raise_digest(run)
    assert raise_digest(replace(run, as_of=run.as_of + DAY))
    assert len(mailed(run)) == 2


def test_it_tells_the_verdict_the_reading_the_incidents_and_the_holds(run):
    write(
        run,
        "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
        " decision, checks, metrics, of_record_at) values ('v', now(), 'r', 7, 6, 1, 'keep', '[]', '{}', now())",
    )
    for age, reads in ((timedelta(hours=1), 76), (timedelta(hours=1) + 7 * DAY, 71)):
        write(
            run,
            "insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads,"
            " read_seconds) values (date_trunc('hour', %s::timestamptz), 24, 6, 'all', 300, 1000, %s, 4200)",
            run.as_of - age, reads,
        )  # fmt: skip
    write(run, "insert into ops.holds (kind, reason, actor, set_at) values ('freeze', 'audit', 'ben', now())")
    failure = Failure(dag_id="monitor", run_id="1", run_type="scheduled", task_id="watch", kind="X", fact="It broke.")
    reporting.report(run.settings, failure, {"mail": Channel(lambda alert: None)})

    assert raise_digest(replace(run, as_of=now()))
    (alert,) = mailed(run)
    assert alert.subject.endswith(": v7 lost, 1 incident open")
    told = sections(alert)
    assert told["Last night"].startswith("Kept v6")
    first, before = told["Readers"].splitlines()
    assert first.endswith("1,000 articles shown, 76 read (7.6 %), 4.2 s per article shown.")
    assert before == "A week before: 1,000 articles shown, 71 read (7.1 %), 4.2 s per article shown."
    assert "[ticket] monitor failed at watch: It broke. Open for 0 min, 1 failed run." in told["Incidents"]
    assert told["Waits for a person"] == "Promotions are frozen, by ben: audit."


def test_a_week_without_measurements_is_left_out():
    end = datetime(2026, 11, 30, 4, tzinfo=UTC)
    assert _tell_reading([(end, 10, 1, 5.0)]).count("\n") == 0
