"""Snapshots of a real PostgreSQL: exactly the window, exactly the values, the same every time, or not at all."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from include.adapters.source import read_source, stream
from include.adapters.warehouse import connect, query
from include.core.contract import ARTICLES, READING_EVENTS, TABLES
from include.core.locks import LockKey
from include.core.settings import PROJECT
from include.data import day_files
from include.data.snapshot import find_snapshot, source_window, take_snapshot
from include.data.store import object_path
from include.operations.demo.newsroom.tables import open_newsroom
from tests.parts import servers
from tests.worlds import tiny

AS_OF, DAYS = tiny.AS_OF, timedelta(days=5)
START = AS_OF - DAYS
MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
EVENT = {"event_id": 800_000, "reader_id": 7, "article_id": 1001, "kind": "impression", "session_id": 1}


def take(settings, as_of=AS_OF, length=DAYS):
    return take_snapshot(settings, as_of, length)


def rows(settings, snapshot, table):
    return [row for path in snapshot.paths(settings, table) for row in pq.read_table(path).to_pylist()]


def ids(settings, snapshot, table):
    key = {one.name: one.key for one in TABLES}[table]
    return {row[key] for row in rows(settings, snapshot, table)}


def edit(settings, text, *values):
    """A change that the publisher makes."""
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute(text, values)


def add_events(settings, *events):
    with connect(settings, "newsroom") as newsroom:
        tiny.add(newsroom, "reading_events", [{**EVENT, **event} for event in events])


def never_wait(settings):
    """From here on, a connection to the warehouse that waits for a lock fails."""
    with connect(settings, "postgres") as admin:
        admin.execute("alter database warehouse set lock_timeout = '2s'")


def manifests(settings):
    return list(settings.home.rglob("manifest.json"))


def test_the_same_data_gives_the_same_id_and_the_same_files(publisher, tmp_path):
    other = publisher.model_copy(update={"home": tmp_path / "other"})
    first, second = take(publisher), take(other)
    assert second.id == first.id
    for file in first.files:
        assert object_path(other, file.sha256).read_bytes() == object_path(publisher, file.sha256).read_bytes()


def test_the_order_in_which_the_publisher_wrote_its_rows_does_not_matter(publisher):
    first = take(publisher)
    edit(publisher, "create table newsroom.e as select * from newsroom.reading_events order by md5(event_id::text)")
    edit(publisher, "truncate newsroom.reading_events")
    edit(publisher, "insert into newsroom.reading_events select * from newsroom.e")
    assert take(publisher).id == first.id


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_of_two_versions_of_an_event_the_one_that_was_known_first_comes_first(publisher, order):
    at = AS_OF - timedelta(days=1)
    versions = [{"occurred_at": at, "ingested_at": at + n * MINUTE, "position": n} for n in (1, 2, 3)]
    add_events(publisher, *(versions if order == "asc" else reversed(versions)))
    found = [row for row in rows(publisher, take(publisher), "reading_events") if row["event_id"] == 800_000]
    assert [row["position"] for row in found] == [1, 2, 3]


def test_a_row_that_changes_changes_the_id(publisher):
    first = take(publisher)
    edit(publisher, "update newsroom.reading_events set position = 99 where event_id = 30000")
    assert take(publisher).id != first.id


def test_a_row_that_changes_changes_only_the_file_of_its_day(publisher):
    first = take(publisher)
    edit(publisher, "update newsroom.reading_events set position = 99 where event_id = 30000")
    with connect(publisher, "newsroom") as newsroom:
        (day,) = newsroom.execute(
            "select occurred_at::date from newsroom.reading_events where event_id = 30000"
        ).fetchone()
    new = set(take(publisher).files) - set(first.files)
    assert {(file.table, file.day) for file in new} == {("reading_events", day.isoformat())}


def test_a_correction_leaves_the_old_version_readable(publisher):
    first = take(publisher)
    before = rows(publisher, first, "articles")
    edit(publisher, "update newsroom.articles set title = 'Corrected'")
    take(publisher)
    assert rows(publisher, find_snapshot(publisher, first.id), "articles") == before


def test_the_window_is_closed_at_its_start_and_open_at_its_end(publisher):
    moments = {1: START - MICROSECOND, 2: START, 3: AS_OF - MICROSECOND, 4: AS_OF}
    add_events(
        publisher, *({"event_id": 800_000 + n, "occurred_at": at, "ingested_at": at} for n, at in moments.items())
    )
    found = ids(publisher, take(publisher), "reading_events")
    assert {n for n in moments if 800_000 + n in found} == {2, 3}


def test_what_arrived_after_the_window_and_its_grace_is_not_there(publisher):
    limit = AS_OF + publisher.arrival_grace_minutes * MINUTE
    arrived = {1: AS_OF - MINUTE, 2: limit - MICROSECOND, 3: limit, 4: limit + timedelta(days=1)}
    happened = AS_OF - timedelta(hours=1)
    add_events(
        publisher,
        *({"event_id": 800_000 + n, "occurred_at": happened, "ingested_at": at} for n, at in arrived.items()),
    )
    found = ids(publisher, take(publisher), "reading_events")
    assert {n for n in arrived if 800_000 + n in found} == {1, 2}


def test_readers_who_signed_up_by_the_end_of_the_window_are_there(publisher):
    assert ids(publisher, take(publisher), "subscribers") == {*range(1, tiny.READERS + 1), *tiny.COLD_READERS}


def test_an_old_article_is_there_only_if_it_was_read_in_the_window(publisher):
    old = START - timedelta(days=publisher.article_lookback_days, hours=1)
    article = {"published_at": old, "ingested_at": old, "is_flagged": False}
    with connect(publisher, "newsroom") as newsroom:
        tiny.add(newsroom, "articles", [{**article, "article_id": 1}, {**article, "article_id": 2}])
    add_events(publisher, {"article_id": 2, "occurred_at": AS_OF - MINUTE, "ingested_at": AS_OF - MINUTE})
    assert ids(publisher, take(publisher), "articles") & {1, 2} == {2}


def test_rows_without_a_time_are_kept_for_validation_to_see(publisher):
    with connect(publisher, "newsroom") as newsroom:
        tiny.add(newsroom, "articles", [{"article_id": 1, "published_at": None}])
        tiny.add(newsroom, "subscribers", [{"reader_id": 9999, "signed_up_at": None}])
    add_events(
        publisher,
        {"event_id": 800_001, "occurred_at": AS_OF - MINUTE, "ingested_at": None},
        {"event_id": 800_002, "occurred_at": None, "ingested_at": AS_OF - MINUTE},
        {"event_id": 800_003, "occurred_at": None, "ingested_at": None},
    )
    taken = take(publisher)
    assert 1 in ids(publisher, taken, "articles")
    assert 9999 in ids(publisher, taken, "subscribers")
    assert ids(publisher, taken, "reading_events") >= {800_001, 800_002, 800_003}


def test_what_arrived_of_late_and_is_dated_where_no_window_looks_comes_along_in_one_file(publisher):
    late, grace = timedelta(days=publisher.late_days), publisher.arrival_grace_minutes * MINUTE
    yesterday, limit = AS_OF - timedelta(days=1), AS_OF + publisher.arrival_grace_minutes * MINUTE
    strays = {
        1: ("1970-01-20 10:00", yesterday),
        2: ("0044-03-15 BC", yesterday),
        3: ("50000-01-01", yesterday),
        4: ("infinity", AS_OF - MICROSECOND),
        5: ("-infinity", AS_OF - MICROSECOND),
        6: ("294276-12-31", AS_OF - MINUTE),
        7: (limit, AS_OF - MINUTE),
        8: (AS_OF - timedelta(days=1) - late - MICROSECOND, AS_OF - MINUTE),
    }
    not_strays = {
        11: (AS_OF + grace - MICROSECOND, AS_OF - MINUTE),  # the next window's
        12: (START - MICROSECOND, AS_OF - MINUTE),  # late
        13: ("1970-01-20", yesterday - MICROSECOND),  # came with an earlier snapshot
        14: ("1970-01-20", AS_OF),  # will come with the next one
    }
    add_events(
        publisher,
        *(
            {"event_id": 800_000 + n, "occurred_at": at, "ingested_at": arrived}
            for n, (at, arrived) in {**strays, **not_strays}.items()
        ),
    )
    taken = take(publisher)
    (file,) = [file for file in taken.files if (file.table, file.day) == ("reading_events", "whole")]
    found = {row["event_id"] - 800_000: row for row in pq.read_table(object_path(publisher, file.sha256)).to_pylist()}
    assert set(found) == set(strays)
    assert not ids(publisher, taken, "reading_events") & {800_000 + n for n in not_strays}
    assert {found[n]["occurred_at"].year for n in (2, 5)} == {1}
    assert {found[n]["occurred_at"].year for n in (3, 4, 6)} == {9999}


def test_no_file_holds_strays_when_there_are_none(publisher):
    assert {file.table for file in take(publisher).files if file.day == "whole"} == {"subscribers"}


def test_an_article_dated_far_ahead_comes_along_when_it_arrives_and_a_planned_one_waits_for_its_day(publisher):
    far = AS_OF + timedelta(days=publisher.late_days)
    arrived = {"ingested_at": AS_OF - MINUTE, "is_flagged": False}
    planned = {**arrived, "published_at": far - MICROSECOND}
    with connect(publisher, "newsroom") as newsroom:
        tiny.add(
            newsroom,
            "articles",
            [{**arrived, "article_id": n, "published_at": at} for n, at in ((1, far), (2, "infinity"))],
        )
        tiny.add(newsroom, "articles", [{**planned, "article_id": 3}])
    assert ids(publisher, take(publisher), "articles") & {1, 2, 3} == {1, 2}


def test_a_time_in_the_window_that_no_calendar_has_does_not_stop_the_extract(publisher):
    add_events(publisher, {"occurred_at": AS_OF - MINUTE, "ingested_at": "-infinity"})
    edit(publisher, "update newsroom.articles set updated_at = 'infinity' where article_id = 2001")
    edit(publisher, "update newsroom.subscribers set signed_up_at = '-infinity' where reader_id = 9")
    taken = take(publisher)
    (event,) = [row for row in rows(publisher, taken, "reading_events") if row["event_id"] == 800_000]
    (article,) = [row for row in rows(publisher, taken, "articles") if row["article_id"] == 2001]
    (reader,) = [row for row in rows(publisher, taken, "subscribers") if row["reader_id"] == 9]
    assert (event["ingested_at"].year, article["updated_at"].year, reader["signed_up_at"].year) == (1, 9999, 1)


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("subscribers", "signed_up_at < %(end)s"),
        ("articles", "published_at < %(end)s and ingested_at < %(known)s"),
        ("reading_events", "occurred_at >= %(start)s and occurred_at < %(end)s and ingested_at < %(known)s"),
    ],
)
def test_every_row_and_every_value_is_what_postgresql_holds(publisher, table, where):
    awkward = 'A "quoted" title,\nwith a line break, a tab\t, é, 漢字, 🦉 and a \\ backslash'
    edit(publisher, "update newsroom.articles set title = %s, summary = '' where article_id = 2001", awkward)
    edit(publisher, "update newsroom.subscribers set interests = %s where reader_id = 9", ["a,b", '"', "", None])
    edit(publisher, "update newsroom.reading_events set dwell_seconds = 0.1 + 0.2 where event_id = 30000")
    schema = {one.name: one.columns for one in TABLES}[table]
    with connect(publisher, "daybreak_extract") as connection:
        window = {"start": START, "end": AS_OF, "known": AS_OF + publisher.arrival_grace_minutes * MINUTE}
        held = connection.execute(f"select {', '.join(schema.names)} from source.{table} where {where}", window)
        expected = [dict(zip(schema.names, row, strict=True)) for row in held]
    found = rows(publisher, take(publisher), table)
    assert len(found) == len(expected) > 100

    def key(row):
        return next(iter(row.values()))

    assert sorted(found, key=key) == sorted(expected, key=key)


def test_types_that_convert_without_loss_are_taken(publisher):
    edit(
        publisher,
        """drop view source.reading_events; create view source.reading_events as
        select event_id::integer, reader_id::integer, article_id::bigint, kind::varchar(20), occurred_at, ingested_at,
               dwell_seconds::real, position::bigint, surface::char(5), batch_id, session_id::integer
        from newsroom.reading_events""",
    )
    found = rows(publisher, take(publisher), "reading_events")
    read = next(row for row in found if row["kind"] == "read")
    assert (read["dwell_seconds"] in (20.0, 200.0), read["surface"]) == (True, "front")


def test_columns_that_the_contract_does_not_know_are_left_alone(publisher):
    edit(
        publisher,
        """drop view source.subscribers; create view source.subscribers as
        select 'x@example.org'::text as email, s.* from newsroom.subscribers s""",
    )
    assert set(rows(publisher, take(publisher), "subscribers")[0]) == set(TABLES[0].columns.names)


def test_a_number_too_large_for_the_contract_comes_as_the_largest_it_can_say(publisher):
    edit(
        publisher,
        """drop view source.reading_events; create view source.reading_events as
        select event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds,
               (position + 70000)::bigint as position, surface, batch_id, session_id
        from newsroom.reading_events""",
    )
    assert {row["position"] for row in rows(publisher, take(publisher), "reading_events")} == {32_767}


def test_all_tables_are_of_one_moment(publisher):
    with read_source(publisher, source_window(publisher, AS_OF, DAYS)) as cursor:
        articles = sum(batch.num_rows for batch in stream(publisher, cursor, ARTICLES))
        add_events(publisher, {"occurred_at": AS_OF - MINUTE, "ingested_at": AS_OF - MINUTE})
        events = {
            n for batch in stream(publisher, cursor, READING_EVENTS) for n in batch.column("event_id").to_pylist()
        }
    assert articles
    assert 800_000 not in events


def test_the_extract_can_write_nothing(publisher):
    with (
        read_source(publisher, source_window(publisher, AS_OF, DAYS)) as cursor,
        pytest.raises(Exception, match="read-only transaction"),
    ):
        cursor.execute("create temporary table mine (a int)")


KILLED = """
import os, signal, sys
from datetime import timedelta
from include.core.settings import load_settings
from include.data import day_files, snapshot
from tests.worlds import tiny
real, seen = day_files.keep_object, []
def keep_object(settings, draft):
    seen.append(draft)
    if len(seen) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(settings, draft)
day_files.keep_object = keep_object
snapshot.take_snapshot(load_settings(), tiny.AS_OF, timedelta(days=5))
"""


def test_an_extract_that_is_killed_leaves_no_manifest_and_the_next_one_is_as_if_nothing_had_been(publisher, tmp_path):
    servers.write_env_file(publisher)
    environment = {"PYTHONPATH": str(PROJECT), "DAYBREAK_HOME": str(publisher.home)}
    ended = subprocess.run([sys.executable, "-c", KILLED], cwd=PROJECT, env=environment, check=False)
    assert ended.returncode == -9
    assert list((publisher.home / "snapshots").rglob("*.parquet"))
    assert not manifests(publisher)
    untouched = publisher.model_copy(update={"home": tmp_path / "other"})
    assert take(publisher).id == take(untouched).id


def test_a_snapshot_is_found_again_by_its_id(publisher):
    taken = take(publisher)
    assert find_snapshot(publisher, taken.id) == taken


def test_files_have_row_groups_of_a_fixed_size_whatever_the_batches_were(publisher, monkeypatch):
    monkeypatch.setattr(day_files, "ROW_GROUP", 1000)
    taken = take(publisher)
    (largest,) = sorted((f for f in taken.files if f.table == "reading_events"), key=lambda f: f.rows)[-1:]
    metadata = pq.ParquetFile(object_path(publisher, largest.sha256)).metadata
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert groups == [1000] * (largest.rows // 1000) + [largest.rows % 1000]


def test_a_snapshot_is_saved_while_the_demo_newsroom_plays(publisher):
    never_wait(publisher)
    with open_newsroom(publisher):
        assert take(publisher).rows("articles")


def test_the_demo_newsroom_plays_while_a_snapshot_is_saved_or_removed(publisher):
    for statement in ("data/lock_snapshots", "operations/retention/lock_snapshots"):
        with connect(publisher) as warehouse:
            warehouse.execute(query(statement), {"key": LockKey.SNAPSHOTS})
            with open_newsroom(publisher):
                pass
