"""The morning's digest: one mail a day that says how the night went, from what the warehouse knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.alerts import reporting
from include.alerts.outbox import deliver_pending
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
    deliver_pending(run.settings, sent.append)
    return sent


def sections(alert):
    return dict(part.split("\n", 1) for part in alert.body.strip().split("\n\n"))


def test_an_installation_with_nothing_yet_has_a_digest_too(run):
    assert raise_digest(run)
    (alert,) = mailed(run)
    assert alert.subject == f"[digest] {run.as_of:%Y-%m-%d}: no verdict last night, 0 incidents open"
    told = sections(alert)
    assert told["Last night"] == "No challenger was judged yet."
    assert told["Lists"] == "None are live yet."
    assert told["Readers"] == "No reading of the lists was measured."
    assert told["Incidents"] == "None was open within a day."
    assert told["Waits for a person"] == "Nothing."
    assert told["Links"].startswith("Airflow: http")


def test_there_is_one_a_day(run):
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
    reporting.report(run.settings, failure, lambda alert: None)

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
