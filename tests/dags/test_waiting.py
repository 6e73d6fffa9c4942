"""Waiting for data on a real PostgreSQL: until the row arrives, until the publisher vouches, or until the deadline."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import TaskDeferred

from include.adapters.warehouse import connect
from include.core.errors import SourceError, SourceLate
from include.pipeline.landing import hear
from tests.dags.contexts import TRIGGERED, context
from tests.parts import servers
from tests.worlds import tiny

END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LONG_AGO = datetime(2026, 1, 5, 3, tzinfo=UTC)
MARKER = "create view source.deliveries as select %s::timestamptz as complete_until"


@pytest.fixture(scope="module")
def installation(server):
    """A publisher with a few events, the last of them an hour before END."""
    from tests.conftest import reset_warehouse

    reset_warehouse(server)
    tables = {name: table.slice(0, 20) for name, table in tiny.tiny().items()}
    tiny.publish(server, tables)
    servers.write_env_file(server)
    return server


@pytest.fixture
def settings(installation, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(installation.home))
    with connect(installation, "newsroom") as newsroom:
        newsroom.execute("drop view if exists source.deliveries")
        newsroom.execute("delete from newsroom.reading_events where event_id > 20")
    with connect(installation) as warehouse:
        warehouse.execute("truncate ops.landings")
    happen(installation, END - timedelta(hours=1))
    return installation


def happen(settings, at, received=None, event_id=500):
    with connect(settings, "newsroom") as newsroom:
        row = {"event_id": event_id, "kind": "impression", "occurred_at": at, "ingested_at": received or at}
        tiny.add(newsroom, "reading_events", [row])


def vouch(settings, until):
    from psycopg import sql

    with connect(settings, "newsroom") as newsroom:
        newsroom.execute(sql.SQL(MARKER.replace("%s", "{}")).format(sql.Literal(until.isoformat())))


def start(of):
    from daybreak_airflow.tasks.waiting import WaitForData

    return WaitForData(task_id="wait_for_data").execute(of)


def scheduled(end=END, **params):
    return context("scheduled", interval_end=end, **params)


def wait(end=END, seconds=0.5, meanwhile=None):
    """What the trigger fires with, and after how long; `meanwhile` is called once it has asked in vain."""
    from daybreak_airflow.tasks.waiting import WindowComplete

    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    path, values = WindowComplete(end.isoformat(), deadline.isoformat(), 0.05).serialize()
    assert path == f"{WindowComplete.__module__}.{WindowComplete.__name__}"

    async def fire():
        waiting = asyncio.ensure_future(anext(WindowComplete(**values).run()))
        if meanwhile:
            await asyncio.sleep(0.3)
            assert not waiting.done()
            await asyncio.to_thread(meanwhile)
        return (await asyncio.wait_for(waiting, 20)).payload

    begin = time.monotonic()
    return asyncio.run(fire()), time.monotonic() - begin


def test_a_window_that_is_followed_by_an_event_is_not_waited_for(settings):
    happen(settings, END + timedelta(seconds=1))
    assert start(scheduled()).startswith("Complete: events from after")


def test_a_window_that_the_publisher_vouches_for_is_not_waited_for(settings):
    vouch(settings, END)
    assert start(scheduled()).startswith("Complete: source.deliveries vouches for all data up to")


@pytest.mark.parametrize(
    ("at", "received"),
    [
        (END - timedelta(seconds=1), END + timedelta(hours=1)),
        (END + timedelta(days=9000), END + timedelta(seconds=1)),
        (END + timedelta(days=1), END - timedelta(hours=1)),
        (datetime(9000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)),
    ],
    ids=["late for the window itself", "dated far ahead", "dated ahead, received before", "received years from now"],
)
def test_a_row_that_does_not_follow_the_window_completes_nothing(settings, at, received):
    happen(settings, at, received)
    with pytest.raises(TaskDeferred):
        start(scheduled())


def test_a_window_whose_data_the_publisher_sent_word_of_is_not_waited_for(settings):
    hear(settings, [f'{{"until": "{END.isoformat()}"}}'])
    told = f"Complete: the publisher sent that all data up to {END:%Y-%m-%d %H:%M} UTC have landed."
    assert start(scheduled()) == told


def test_a_marker_short_of_the_windows_end_completes_nothing(settings):
    vouch(settings, END - timedelta(minutes=1))
    with pytest.raises(TaskDeferred):
        start(scheduled())


def test_an_incomplete_window_is_waited_for_in_the_triggerer_until_the_deadline(settings):
    begun = datetime.now(UTC)
    with pytest.raises(TaskDeferred) as deferred:
        start(scheduled())
    trigger, deadline = deferred.value.trigger, END + timedelta(minutes=120)
    assert (trigger.window_end, trigger.deadline) == (END.isoformat(), deadline.isoformat())
    assert deferred.value.timeout > deadline - datetime.now(UTC), "the triggerer has its time"
    assert deferred.value.timeout <= deadline - begun + timedelta(minutes=10), "a dead one has an end"


def test_the_form_says_how_long(settings):
    with pytest.raises(TaskDeferred) as deferred:
        start(scheduled(wait_minutes=200))
    assert deferred.value.trigger.deadline == (END + timedelta(minutes=200)).isoformat()
    assert "wait_minutes 0" in start(scheduled(wait_minutes=0))


def test_the_trigger_fires_when_the_row_arrives(settings):
    event, seconds = wait(seconds=30, meanwhile=lambda: happen(settings, END + timedelta(seconds=1)))
    assert event["is_complete"]
    assert seconds < 15


def test_the_trigger_fires_when_the_publisher_vouches(settings):
    event, _ = wait(seconds=30, meanwhile=lambda: vouch(settings, END))
    assert event == {
        "is_complete": True,
        "answer": f"Complete: source.deliveries vouches for all data up to {words(END)}.",
    }


def words(moment):
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def test_at_the_deadline_the_trigger_fires_and_the_task_fails_with_what_is_missing(settings):
    from daybreak_airflow.tasks.waiting import WaitForData

    event, _ = wait(seconds=0.4)
    assert not event["is_complete"]
    with pytest.raises(SourceLate) as late:
        WaitForData(task_id="wait_for_data").go_on(scheduled(), event)
    assert (
        f"no event from {words(END)} or later; the newest earlier one is of {words(END - timedelta(hours=1))}"
        in str(late.value)
    )
    assert "wait_minutes 0" in late.value.hint


def test_a_window_that_became_complete_goes_on(settings):
    from daybreak_airflow.tasks.waiting import WaitForData

    event = {"is_complete": True, "answer": "Complete."}
    assert WaitForData(task_id="wait_for_data").go_on(scheduled(), event) == "Complete."


def test_a_database_that_is_away_is_asked_until_the_deadline(settings, monkeypatch):
    monkeypatch.setenv("DAYBREAK_POSTGRES_PORT", str(servers.free_port()))
    event, _ = wait(seconds=0.3)
    assert not event["is_complete"]
    assert "does not answer" in event["answer"]


def test_views_that_cannot_be_asked_are_named_at_once(settings):
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute("create view source.deliveries as select 1 as complete_to")
    with pytest.raises(SourceError, match="complete_until"):
        start(scheduled())


def test_a_past_window_is_never_waited_for_complete_or_not(settings):
    assert start(context("backfill", interval_end=LONG_AGO)).startswith("Complete")
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute("delete from newsroom.reading_events")
    with pytest.raises(SourceLate, match=r"is not complete \d+ days after its end"):
        start(context("backfill", interval_end=LONG_AGO))


@pytest.mark.parametrize(
    ("of", "waits"),
    [
        (scheduled(), True),
        (context("backfill", interval_end=END), True),
        (context("manual", as_of=END.isoformat()), True),
        (context("manual"), False),
        (context("manual", interval_end=TRIGGERED), False),
        (context("asset_triggered"), False),
    ],
    ids=["schedule", "backfill", "a named moment", "by hand", "by hand in the UI", "an event"],
)
def test_who_waits(of, waits):
    from daybreak_airflow.tasks.waiting import why_not_waiting

    assert bool(why_not_waiting(of, 120)) is not waits
    assert why_not_waiting(of, 0)


def test_a_run_that_waits_across_an_upgrade_finds_its_trigger_where_it_was_stored():
    """Airflow keeps a trigger by its path: the present one, and the one it had before the tasks had a folder."""
    from airflow.sdk.module_loading import import_string

    from daybreak_airflow.tasks.waiting import WindowComplete

    path, values = WindowComplete("2026-11-20T03:00:00+00:00", "2026-11-20T07:00:00+00:00").serialize()
    for stored in (path, "daybreak_airflow.waiting.WindowComplete"):
        assert import_string(stored)(**values).serialize() == (path, values)
