"""The publisher says that its data have landed: one run takes them, however often it is said, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from include.adapters.warehouse import connect
from include.core.run import Run
from include.pipeline import landing as landings
from tests.dags.contexts import TICK, context, event
from tests.parts import servers

HOUR = timedelta(hours=1)
END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def settings(server, monkeypatch):
    servers.write_env_file(server)
    monkeypatch.setenv("DAYBREAK_HOME", str(server.home))
    monkeypatch.setattr("daybreak_airflow.tasks.landing.RETRY_SECONDS", 0.1)
    with connect(server) as warehouse:
        warehouse.execute("truncate ops.landings, ops.incidents cascade")
    return server


def write(settings, text, *values):
    with connect(settings) as warehouse:
        return warehouse.execute(text, values)


def rows(settings, text):
    with connect(settings) as warehouse:
        return warehouse.execute(text).fetchall()


def send(settings, *messages):
    with connect(settings, "newsroom", autocommit=True) as newsroom:
        for message in messages:
            newsroom.execute("select pg_notify('daybreak_landed', %s)", [message])


def message(until):
    return f'{{"until": "{until.isoformat()}"}}'


def fired(settings, *steps, seconds=0.6):
    """Run the trigger as the triggerer does, call the steps one after the other, and return what it fires with."""
    from daybreak_airflow.tasks.landing import DataLanded

    path, values = DataLanded(0.05).serialize()
    assert path == f"{DataLanded.__module__}.{DataLanded.__name__}"
    found = []

    async def collect():
        async for one in DataLanded(**values).run():
            found.append(one.payload)

    async def act():
        listening = asyncio.ensure_future(collect())
        for step in (lambda: None, *steps):
            await asyncio.to_thread(step)
            await asyncio.sleep(seconds)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening

    asyncio.run(act())
    return found


def run_of(payload, number=1, **more):
    """The context of the run that an event of the trigger starts."""
    of = context("asset_triggered", events=[event({"from_trigger": True, "payload": payload}, "landed")], **more)
    of["dag_run"].run_id = f"asset_triggered__{number}"
    return of


def start(of):
    from daybreak_airflow.tasks.waiting import WaitForData

    return WaitForData(task_id="wait_for_data").execute(of)


OVERFLOW = '{"until": "9999-12-31T23:59:59-10:00"}'
PAYLOAD = {"as_of": END.isoformat(), "reason": "landed"}


def test_a_message_fires_once_with_the_moment_and_the_reason_however_often_it_is_sent(settings):
    (payload,) = fired(settings, lambda: send(settings, *[message(END)] * 3), lambda: send(settings, message(END)))
    assert payload["as_of"] == END.isoformat()
    assert payload["reason"] == f"the publisher's data up to {END:%Y-%m-%d %H:%M} UTC have landed"
    assert rows(settings, "select until_at, run_id from ops.landings where told_at > emitted_at") == [(END, None)]


def test_ten_thousand_messages_while_a_run_waits_are_one_more_run_for_the_newest(settings):
    many = [message(END - timedelta(seconds=number)) for number in range(10_000)]

    def flood():
        with connect(settings, "newsroom", autocommit=True) as newsroom:
            newsroom.execute("select pg_notify('daybreak_landed', told) from unnest(%s::text[]) told", [many])

    def take_the_first():
        assert landings.take(Run(settings, "retrain/1", END - 3 * HOUR, "tests")) is None

    found = fired(settings, lambda: send(settings, message(END - 3 * HOUR)), flood, take_the_first, seconds=2)
    assert [one["as_of"] for one in found] == [(END - 3 * HOUR).isoformat(), END.isoformat()]


def test_an_event_that_no_run_has_taken_is_sent_again_by_a_trigger_that_starts_anew(settings):
    fired(settings, lambda: send(settings, message(END)))
    assert [one["as_of"] for one in fired(settings)] == [END.isoformat()]
    start(run_of(PAYLOAD))
    assert fired(settings, lambda: send(settings, message(END), message(END - HOUR))) == []


def test_messages_that_are_heard_while_the_warehouse_fails_are_not_lost(settings):
    def fail():
        write(settings, "alter table ops.landings rename to landings_away")

    def mend():
        write(settings, "alter table ops.landings_away rename to landings")

    found = fired(settings, fail, lambda: send(settings, message(END)), mend, seconds=1)
    assert [one["as_of"] for one in found] == [END.isoformat()]


def test_a_publisher_whose_connection_breaks_is_listened_to_again(settings):
    def break_off():
        with connect(settings, "postgres", "postgres", autocommit=True) as admin:
            ended = admin.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where query like 'listen %'"
            ).fetchall()
        assert ended == [(True,)]

    found = fired(settings, break_off, lambda: send(settings, message(END)), seconds=1)
    assert [one["as_of"] for one in found] == [END.isoformat()]


@pytest.mark.parametrize(
    "fault",
    [
        "yesterday",
        "{}",
        '{"until": 7}',
        "[]",
        "null",
        '{"until": "2999-01-01"}',
        "",
        OVERFLOW,
        "[" * 7000,
        '{"until": "0001-01-01"}',
    ],
)
def test_a_message_that_cannot_be_read_opens_a_ticket_which_the_next_one_closes(settings, fault):
    assert landings.hear(settings, [fault]) is None
    open_now = "select severity, subject, trouble ->> 'what_broke' from ops.incidents where closed_at is null"
    ((severity, subject, fact),) = rows(settings, f"{open_now} and recovered_at is null")
    assert (severity, subject) == ("ticket", "daybreak_landed")
    assert fact.startswith("1 of the messages last heard on daybreak_landed cannot be read. ")
    assert landings.hear(settings, [fault, message(END)]) == END, "it holds up no other"
    assert landings.hear(settings, [message(END)]) is None
    assert rows(settings, f"{open_now} and recovered_at is null") == []


def test_a_message_ahead_of_its_time_fires_when_its_time_has_come(settings):
    assert landings.hear(settings, [message(END + 2 * HOUR)]) is None
    ahead = datetime.now(UTC) + timedelta(seconds=1.5)
    found = fired(settings, lambda: send(settings, message(ahead)), lambda: None, lambda: None, seconds=0.7)
    assert [one["as_of"] for one in found] == [ahead.isoformat()]


def test_one_run_takes_what_has_landed_and_the_next_is_skipped_with_its_name(settings):
    start(run_of(PAYLOAD))
    with pytest.raises(AirflowSkipException, match=r"were taken by retrain/asset_triggered__1\.$"):
        start(run_of(PAYLOAD, 2))
    with pytest.raises(AirflowSkipException, match=r"retrain/asset_triggered__1"):
        start(run_of({"as_of": (END - HOUR).isoformat()}, 3))
    start(run_of({"as_of": (END + timedelta(minutes=1)).isoformat()}, 4))


def test_an_event_over_the_api_is_taken_once_as_well(settings):
    def by_api(number):
        of = context("asset_triggered", events=[event(PAYLOAD, "landed")])
        of["dag_run"].run_id = f"asset_triggered__{number}"
        return of

    start(by_api(1))
    with pytest.raises(AirflowSkipException, match=r"retrain/asset_triggered__1"):
        start(by_api(2))


def test_a_run_that_is_cleared_long_after_has_what_it_took(settings):
    start(run_of(PAYLOAD))
    start(run_of({"as_of": (END + timedelta(minutes=1)).isoformat()}, 2))
    assert start(run_of(PAYLOAD)).startswith("Not waiting: ")


def test_a_nightly_run_takes_its_window_and_is_never_skipped(settings):
    def nightly():
        return context("scheduled", interval_end=END, wait_minutes=0)

    start(nightly())
    with pytest.raises(AirflowSkipException, match=r"were taken by retrain/scheduled__1\.$"):
        start(run_of(PAYLOAD))
    write(settings, "update ops.landings set run_id = 'retrain/asset_triggered__9'")
    start(nightly())


def test_a_run_for_drift_or_by_hand_takes_nothing(settings):
    start(context("asset_triggered", events=[event(PAYLOAD)]))
    start(context("asset_triggered", events=[event(PAYLOAD), event(PAYLOAD, "landed")]))
    start(context("manual", wait_minutes=0, as_of=TICK.isoformat()))
    assert rows(settings, "select * from ops.landings") == []


def test_of_two_runs_at_once_one_takes_it(settings):
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda number: landings.take(Run(settings, f"retrain/{number}", END, "tests")), range(8)))
    assert taken.count(None) == 1
