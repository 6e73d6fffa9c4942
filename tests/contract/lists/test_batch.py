"""Batches in a real PostgreSQL: readers see the old lists or the new ones, whatever goes wrong in between."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pyarrow as pa
import pytest

from include.adapters.warehouse import connect
from include.core.checks import blocking
from include.core.errors import AuditFailed
from include.data.loading.tables import only_one
from include.lists import batch as batches
from include.lists.audit import audit_rows
from include.models import RANKED
from tests.worlds.batches import AS_OF, PLACES, READERS, about, lists

HOUR = timedelta(hours=1)
EXPIRES = 150


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


def write(settings, batch_id, table=None, as_of=AS_OF):
    with connect(settings) as warehouse:
        return batches.write(warehouse, (lists() if table is None else table).to_batches(), about(batch_id, as_of))


def audit(settings, batch_id, expected=READERS):
    with connect(settings) as warehouse:
        checks = audit_rows(warehouse, batch_id, PLACES, expected)
        batches.set_status(warehouse, batch_id, "refused" if blocking(checks) else "audited")
    return {check.code: check.outcome for check in checks}


def switch(settings, batch_id, as_of=AS_OF):
    with connect(settings) as warehouse:
        return batches.switch(warehouse, batch_id, as_of, EXPIRES)


def publish(settings, batch_id, table=None, as_of=AS_OF):
    write(settings, batch_id, table, as_of)
    audit(settings, batch_id)
    return switch(settings, batch_id, as_of)


def current(settings):
    """What the API sees: batch ids, and number of rows."""
    with connect(settings, "daybreak_api") as api:
        return api.execute("select array_agg(distinct batch_id), count(*) from recs.current").fetchone()


def test_what_is_written_is_what_was_listed(settings):
    table = lists()
    assert write(settings, "b1", table) == (READERS, READERS * PLACES)
    with connect(settings) as warehouse:
        held = warehouse.execute(
            "select reader_id, rank, article_id, score, reason from recs.recommendations order by reader_id, rank"
        ).fetchall()
    assert held == list(zip(*(table.column(n).to_pylist() for n in table.column_names if n != "list_at"), strict=True))


def test_what_is_written_is_not_seen(settings):
    write(settings, "b1")
    assert current(settings) == (None, 0)


def test_what_is_published_is_seen(settings):
    assert publish(settings, "b1") is True
    assert current(settings) == (["b1"], READERS * PLACES)


def test_the_live_view_says_of_when_and_by_which_model_and_that_it_is_stale(settings):
    publish(settings, "b1")
    with connect(settings, "daybreak_api") as api:
        row = api.execute(
            "select distinct batch_id, model_version, snapshot_id, generated_at, is_stale from recs.current"
        ).fetchall()
    assert row == [("b1", 1, "s", AS_OF, True)]


def test_lists_are_stale_only_after_their_time(settings):
    with connect(settings) as warehouse:
        (now,) = warehouse.execute("select now()").fetchone()
    publish(settings, "b1", as_of=now - EXPIRES * timedelta(minutes=1) + HOUR)
    with connect(settings, "daybreak_api") as api:
        assert api.execute("select distinct is_stale from recs.current").fetchall() == [(False,)]


def test_the_api_appends_what_it_served(settings):
    with connect(settings, "daybreak_api") as api:
        api.execute("insert into recs.served (reader_id, batch_id) values (1, 'b1')")
    with connect(settings) as warehouse:
        assert warehouse.execute("select reader_id, batch_id from recs.served").fetchall() == [(1, "b1")]


def test_newer_lists_replace_older_ones(settings):
    publish(settings, "b1")
    assert publish(settings, "b2", as_of=AS_OF + HOUR) is True
    assert current(settings) == (["b2"], READERS * PLACES)


def test_older_lists_never_replace_newer_ones(settings):
    publish(settings, "b2", as_of=AS_OF + HOUR)
    assert publish(settings, "b1") is False
    assert current(settings) == (["b2"], READERS * PLACES)


def test_publishing_twice_is_publishing_once(settings):
    publish(settings, "b1")
    with connect(settings) as warehouse:
        before = batches.find_live(warehouse)
    assert switch(settings, "b1") is True
    with connect(settings) as warehouse:
        assert batches.find_live(warehouse) == before


def test_a_batch_that_was_not_audited_is_not_published(settings):
    publish(settings, "b1")
    write(settings, "b2", as_of=AS_OF + HOUR)
    with pytest.raises(AuditFailed, match="b2 has not passed its audit"):
        switch(settings, "b2", AS_OF + HOUR)
    assert current(settings)[0] == ["b1"]


def test_a_batch_that_was_refused_is_not_published(settings):
    publish(settings, "b1")
    write(settings, "b2", lists(readers=READERS - 1), AS_OF + HOUR)
    audit(settings, "b2")
    with pytest.raises(AuditFailed):
        switch(settings, "b2", AS_OF + HOUR)
    assert current(settings)[0] == ["b1"]


def with_column(table, name, values):
    return table.set_column(
        table.column_names.index(name), table.schema.field(name), pa.array(values, RANKED.field(name).type)
    )


def spoiled(name, value, row=0):
    values = lists().column(name).to_pylist()
    values[row] = value
    return with_column(lists(), name, values)


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ("PB101", lists(readers=READERS - 1)),
        ("PB102", lists().slice(0, READERS * PLACES - 1)),
        ("PB103", spoiled("article_id", 2, row=0)),
        ("PB104", spoiled("rank", 11, row=9)),
        ("PB105", spoiled("score", float("nan"))),
        ("PB105", spoiled("score", float("-inf"))),
    ],
)
def test_a_spoiled_batch_fails_exactly_the_check_that_is_about_it(settings, code, table):
    write(settings, "b1", table)
    outcomes = audit(settings, "b1")
    assert {name for name, outcome in outcomes.items() if outcome != "passed"} == {code}


def test_a_sound_batch_passes_every_check(settings):
    write(settings, "b1")
    assert audit(settings, "b1") == dict.fromkeys(("PB101", "PB102", "PB103", "PB104", "PB105"), "passed")


def test_a_batch_without_rows_is_refused_even_if_nobody_was_to_have_a_list(settings):
    write(settings, "b1", lists().slice(0, 0))
    assert audit(settings, "b1", expected=0)["PB101"] == "failed"


def test_writing_again_after_a_crash_leaves_each_row_once(settings):
    class Crash(Exception):
        pass

    def write_and_crash():
        with connect(settings) as warehouse:
            batches.write(warehouse, lists(first_article=500).to_batches(), about("b1"))
            raise Crash

    with pytest.raises(Crash):
        write_and_crash()
    write(settings, "b1")
    assert write(settings, "b1") == (READERS, READERS * PLACES)
    with connect(settings) as warehouse:
        assert warehouse.execute("select count(*), min(article_id) from recs.recommendations").fetchone() == (3000, 1)


def test_writing_a_published_batch_again_leaves_it_as_it_is(settings):
    publish(settings, "b1")
    assert write(settings, "b1", lists(first_article=500)) == (READERS, READERS * PLACES)
    with connect(settings) as warehouse:
        assert warehouse.execute("select min(article_id) from recs.recommendations").fetchone() == (1,)


def test_writing_again_takes_back_the_audit_of_what_was_there_before(settings):
    write(settings, "b1")
    audit(settings, "b1")
    write(settings, "b1", lists(readers=3))
    with pytest.raises(AuditFailed):
        switch(settings, "b1")


def test_two_batches_lie_side_by_side(settings):
    write(settings, "b1")
    write(settings, "b2", lists(first_article=100))
    with connect(settings) as warehouse:
        found = warehouse.execute(
            "select batch_id, min(article_id), count(*) from recs.recommendations group by 1 order by 1"
        )
        assert found.fetchall() == [("b1", 1, 3000), ("b2", 100, 3000)]


def test_readers_see_old_lists_or_new_ones_and_never_half_while_batches_come_and_go(settings):
    """A reader asks all the time while ten batches are written, rewritten, audited and switched."""
    publish(settings, "b0", lists(first_article=1000))
    seen, trouble, done = set(), [], threading.Event()

    def read():
        try:
            while not done.is_set():
                with connect(settings, "daybreak_api") as api:
                    api.execute("set statement_timeout = '5s'")
                    seen.add(
                        api.execute(
                            "select string_agg(distinct batch_id, ' '), count(*), min(article_id), max(article_id)"
                            " from recs.current"
                        ).fetchone()
                    )
        except BaseException as error:
            trouble.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 11):
        write(settings, f"b{number}", lists(first_article=1), AS_OF + number * HOUR)
        publish(settings, f"b{number}", lists(first_article=1000 * (number + 1)), AS_OF + number * HOUR)
    done.set()
    reader.join(60)
    assert trouble == []
    assert seen <= {(f"b{n}", 3000, 1000 * (n + 1), 1000 * (n + 1) + 9) for n in range(11)}
    assert len(seen) > 1


def test_nobody_waits_while_a_batch_is_written_anew(settings):
    """Not even when an earlier try left its rows: only the moment of the exchange is exclusive."""
    publish(settings, "b1")
    write(settings, "b2", as_of=AS_OF + HOUR)
    waited = []

    def copy_and_look(*arguments):
        real(*arguments)
        with connect(settings, "daybreak_api") as api:
            api.execute("set lock_timeout = '2s'")
            try:
                api.execute("select count(*) from recs.current")
            except psycopg.errors.LockNotAvailable as error:
                waited.append(error)

    real = batches.copy_rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "copy_rows", copy_and_look)
        write(settings, "b2", as_of=AS_OF + HOUR)
    assert not waited


def test_of_two_publishers_at_once_the_newer_lists_win(settings):
    for number in (1, 2):
        write(settings, f"b{number}", lists(first_article=number * 100), AS_OF + number * HOUR)
        audit(settings, f"b{number}")
    start = threading.Barrier(2, timeout=20)

    def go(number):
        start.wait()
        switch(settings, f"b{number}", AS_OF + number * HOUR)

    publishers = [threading.Thread(target=go, args=(number,)) for number in (1, 2)]
    for one in publishers:
        one.start()
    for one in publishers:
        one.join(30)
    assert current(settings)[0] == ["b2"]


def test_a_batch_is_published_while_a_log_is_loaded(settings):
    with connect(settings, "postgres") as admin:
        admin.execute("alter database warehouse set lock_timeout = '2s'")
    with only_one(settings):
        assert publish(settings, "b1")


def test_a_log_is_loaded_while_a_batch_is_published(settings):
    with connect(settings) as warehouse:
        batches.lock(warehouse)
        with only_one(settings):
            pass
