"""History's checks, on real snapshots of the tiny world and a real warehouse."""

from __future__ import annotations

import json
from datetime import UTC, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include import pipeline
from include.adapters.gx import open_judge
from include.adapters.warehouse import connect
from include.core.contract import TABLES
from include.core.errors import ValidationBlocked
from include.core.run import Run
from include.data.snapshot import find_snapshot, open_snapshot_tables, refer_to
from include.validation.history import checks as history
from include.validation.history import profiles
from include.validation.judgement import judge_snapshot
from tests.worlds import tiny

AS_OF = tiny.AS_OF
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world():
    return tiny.known_at(tiny.tiny(), AS_OF, days=5)


@pytest.fixture(scope="module")
def settings(warehouse, tmp_path_factory):
    return warehouse.model_copy(update={"home": tmp_path_factory.mktemp("history")})


@pytest.fixture
def forgetful(settings):
    """The same installation with nothing remembered."""
    with connect(settings) as connection:
        connection.execute("delete from ops.profiles")
    return settings


def checks(settings, world, as_of=AS_OF, days=5):
    """code and subject -> check, on these rows as a snapshot."""
    snapshot = tiny.store(settings, world, as_of, days)
    with open_snapshot_tables(settings, snapshot, name_rows=True) as connection:
        past = history.look_back(settings, snapshot, connection)
        with open_judge(connection) as judge:
            answers = judge.judge(past.suites(), past.parameters(), snapshot.as_of)
    return {(check.code, check.subject): check for check in past.checks(answers)}


def failed(found):
    return {(check.code, check.subject) for check in found.values() if check.outcome == "failed"}


def between(table, column, begin, end):
    """Return which rows lie in [begin, end)."""
    at = table.column(column)
    return pc.and_(pc.greater_equal(at, pa.scalar(begin, at.type)), pc.less(at, pa.scalar(end, at.type)))


def thinned(world, name, column, begin, end, keep_every):
    """The world with only every so manieth row of a span; none with 0."""
    inside = between(world[name], column, begin, end)
    kept = pa.array([number % keep_every == 0 if keep_every else False for number in range(world[name].num_rows)])
    return {**world, name: world[name].filter(pc.or_(pc.invert(inside), kept))}


def test_the_world_as_it_is_fails_nothing(forgetful, world):
    found = checks(forgetful, world)
    assert failed(found) == set()
    assert found["VOL101", "reading_events"].outcome == "passed"
    assert found["VOL101", "subscribers"].outcome == "not applicable", "its days were not yet seen"


def test_a_newest_day_without_rows_stops(forgetful, world):
    found = checks(forgetful, thinned(world, "reading_events", "occurred_at", AS_OF - DAY, AS_OF, 0))
    assert failed(found) >= {("VOL101", "reading_events"), ("VOL103", "reading_events"), ("VOL105", "reading_events")}
    assert found["VOL101", "reading_events"].blocks
    assert "0 rows in the newest 24 hours" in found["VOL101", "reading_events"].sentence
    assert "fewer than usual for this day" in found["VOL101", "reading_events"].sentence


def test_half_the_volume_of_the_newest_day_is_noted_and_a_third_stops(forgetful, world):
    half = checks(forgetful, thinned(world, "reading_events", "occurred_at", AS_OF - DAY, AS_OF, 2))
    assert failed(half) == {("VOL102", "reading_events")}
    assert half["VOL102", "reading_events"].observed == pytest.approx(0.5, abs=0.02)
    third = checks(forgetful, thinned(world, "reading_events", "occurred_at", AS_OF - DAY, AS_OF, 3))
    assert failed(third) >= {("VOL101", "reading_events"), ("VOL102", "reading_events")}


def test_ten_times_the_volume_stops(forgetful, world):
    events = world["reading_events"]
    newest = events.filter(between(events, "occurred_at", AS_OF - DAY, AS_OF))
    found = checks(forgetful, {**world, "reading_events": pa.concat_tables([events, *[newest] * 9])})
    assert found["VOL101", "reading_events"].blocks
    assert found["VOL101", "reading_events"].observed == pytest.approx(10, abs=0.2)
    assert "more than usual for this day" in found["VOL101", "reading_events"].sentence


def test_a_day_missing_in_the_middle_is_noted_by_its_date(forgetful, world):
    found = checks(forgetful, thinned(world, "reading_events", "occurred_at", AS_OF - 3 * DAY, AS_OF - 2 * DAY, 0))
    assert failed(found) == {("VOL104", "reading_events")}
    assert f"{(AS_OF - 3 * DAY).date()} (0 rows)" in found["VOL104", "reading_events"].sentence


def test_the_last_utc_day_missing_stops_whatever_the_hour_of_the_run(forgetful):
    """A run at noon of the last day: the newest 24 hours have half a day's rows, so only the calendar tells."""
    as_of = AS_OF - DAY / 2
    known = tiny.known_at(tiny.tiny(), as_of, days=5)
    found = checks(forgetful, thinned(known, "reading_events", "occurred_at", AS_OF - 2 * DAY, AS_OF - DAY, 0), as_of)
    assert found["VOL103", "reading_events"].blocks
    assert found["VOL101", "reading_events"].outcome == "passed"


def test_a_publisher_that_fell_silent_and_a_category_never_seen_are_named(forgetful, world):
    """The planted publishers have some 38 articles a day each."""
    articles = world["articles"]
    newest = between(articles, "published_at", AS_OF - DAY, AS_OF)
    silent = pc.and_(newest, pc.equal(articles.column("publisher"), "Publisher 3"))
    renamed = pc.and_(newest, pc.equal(articles.column("category"), "sport"))
    category = pc.if_else(renamed, pa.scalar("Sports"), articles.column("category"))
    changed = articles.set_column(articles.schema.get_field_index("category"), "category", category)
    found = checks(forgetful, {**world, "articles": changed.filter(pc.invert(silent))})
    assert "Publisher 3 (0 rows," in found["VOL109", "articles"].sentence
    assert "Sports (" in found["VOL108", "articles"].sentence
    assert {("VOL108", "articles"), ("VOL109", "articles"), ("VOL110", "articles")} <= failed(found)
    assert not [check for check in found.values() if check.blocks]


def test_missing_values_are_held_against_the_days_before(forgetful, world, monkeypatch):
    articles = world["articles"]
    newest = between(articles, "published_at", AS_OF - DAY, AS_OF)
    language = pc.if_else(newest, pa.scalar(None, pa.string()), articles.column("language"))
    changed = articles.set_column(articles.schema.get_field_index("language"), "language", language)
    limits = history.load_limits().model_copy(update={"min_rows": 100})  # the world has 192 articles a day
    monkeypatch.setattr(history, "load_limits", lambda: limits)
    found = checks(forgetful, {**world, "articles": changed})
    assert failed(found) == {("NUL101", "articles")}
    assert "language 100 % (limit 2 %)" in found["NUL101", "articles"].sentence


def test_what_earlier_days_teach_is_in_the_results_and_pages_of_great_expectations(forgetful, world, tmp_path):
    """The suite names the limits, the result holds them as they were learned for this day."""
    snapshot = tiny.store(forgetful, thinned(world, "reading_events", "occurred_at", AS_OF - DAY, AS_OF, 3))
    judgement = judge_snapshot(forgetful, snapshot, tmp_path)
    (check,) = (check for check in judgement.checks if (check.code, check.subject) == ("VOL101", "reading_events"))
    (path,) = tmp_path.glob("results/reading_events_newest/**/*.json")
    results = {one["expectation_config"]["meta"]["code"]: one for one in json.loads(path.read_text())["results"]}
    counted, filled = results["VOL101"], results["NUL101 position"]
    newest = world["reading_events"].filter(between(world["reading_events"], "occurred_at", AS_OF - DAY, AS_OF))
    assert (counted["success"], counted["expectation_config"]["severity"], check.blocks) == (False, "critical", True)
    assert newest.num_rows // 3 - 1 <= counted["result"]["observed_value"] <= newest.num_rows // 3 + 1
    limits = counted["expectation_config"]["kwargs"]
    assert check.limit_is == f"{limits['min_value']:,} to {limits['max_value']:,} rows"
    assert filled["success"]
    assert filled["expectation_config"]["kwargs"]["mostly"] < 1
    (page,) = tmp_path.glob("validations/reading_events_newest/**/*.html")
    assert "VOL101: the newest 24 hours are there" in page.read_text()


def test_the_same_snapshot_again_says_the_same_and_leaves_the_same(forgetful, world):
    def left():
        with connect(forgetful) as connection:
            return connection.execute("select * from ops.profiles order by 1, 2, 3, 4").fetchall()

    first = checks(forgetful, world)
    before = left()
    assert checks(forgetful, world) == first
    assert left() == before
    assert len({row[0] for row in before}) == 1


def remember(settings, rows):
    """Rows of the newest 24 hours that runs of other moments left."""
    with connect(settings) as connection:
        for as_of, table, value in rows:
            connection.execute(
                "insert into ops.profiles values (%s, %s, '', 'rows', %s, 'x')", [as_of.astimezone(UTC), table, value]
            )


def test_earlier_runs_teach_what_weekdays_beyond_the_window_had(forgetful, world):
    """Three weeks of runs at this hour saw a tenth: then today is far too much, although yesterday was the same."""
    rows = checks(forgetful, world)["VOL101", "reading_events"]
    assert rows.outcome == "passed"
    remember(forgetful, [(AS_OF - 7 * weeks * DAY, "reading_events", 1000) for weeks in (1, 2, 3)])
    found = checks(forgetful, world)["VOL101", "reading_events"]
    assert (found.outcome, "the last 3 Saturdays" in found.sentence) == ("failed", True)


def test_what_runs_of_other_hours_or_later_moments_saw_is_no_history(forgetful, world):
    before = checks(forgetful, world)
    remember(forgetful, [(AS_OF + weeks * 7 * DAY, "reading_events", 1000) for weeks in (1, 2, 3)])
    remember(forgetful, [(AS_OF - weeks * 7 * DAY + DAY / 2, "reading_events", 1000) for weeks in (1, 2, 3)])
    assert checks(forgetful, world) == before


def test_the_subscribers_of_earlier_days_teach_how_many_there_should_be(forgetful, world):
    remember(forgetful, [(AS_OF - days * DAY, "subscribers", 1000) for days in (1, 2, 3)])
    found = checks(forgetful, world)
    assert found["VOL101", "subscribers"].blocks, "244 of 1,000"


@pytest.fixture(scope="module")
def validated_before(settings):
    """The world six hours earlier, validated by the real stage."""
    as_of = AS_OF - timedelta(hours=6)
    snapshot = tiny.store(settings, tiny.known_at(tiny.tiny(), as_of, days=5), as_of)
    pipeline.validate(Run(settings, "before", as_of, "tests"), refer_to(settings, snapshot, "snapshot"))
    return snapshot


@pytest.fixture
def run_before(forgetful, validated_before):
    """An installation that remembers that run and no other."""
    with connect(forgetful) as connection:
        profile = profiles.profile_snapshot(forgetful, validated_before)
        history.keep_figures(connection, validated_before, profile)
    return forgetful


def test_the_run_before_is_what_the_newest_rows_are_compared_with(run_before, world):
    found = checks(run_before, world)
    assert failed(found) == set()
    assert found["ANO101", "reading_events"].outcome == "passed"
    assert found["VOL107", "reading_events"].observed == pytest.approx(1.0, abs=0.01)


def test_longer_reads_other_words_and_missing_values_than_the_run_before_are_noted(run_before, world):
    events = world["reading_events"]
    position = events.schema.get_field_index("position")
    surface = events.schema.get_field_index("surface")
    session = events.schema.get_field_index("session_id")
    changed = (
        events.set_column(position, "position", pc.add(events.column("position"), pa.scalar(4, pa.int16())))
        .set_column(surface, "surface", pa.array(["app"] * events.num_rows))
        .set_column(session, "session_id", pa.nulls(events.num_rows, pa.int64()))
    )
    found = checks(run_before, {**world, "reading_events": changed})
    codes = {("ANO101", "reading_events"), ("ANO102", "reading_events"), ("ANO103", "reading_events")}
    assert codes <= failed(found)
    assert "'app' 0 % to 100 %" in found["ANO102", "reading_events"].sentence
    assert not [check for check in found.values() if check.blocks], "they warn"


def test_a_source_that_lost_its_past_stops(run_before, world):
    gone = thinned(world, "reading_events", "occurred_at", AS_OF - 5 * DAY, AS_OF, 4)
    found = checks(run_before, gone)
    assert found["VOL106", "reading_events"].blocks
    half = checks(run_before, thinned(world, "reading_events", "occurred_at", AS_OF - 5 * DAY, AS_OF, 2))
    assert failed(half) == {("VOL107", "reading_events")}, "each day like the others, but not like they were"


def test_a_run_that_was_stopped_is_not_what_later_runs_are_compared_with(run_before, world):
    empty = thinned(world, "reading_events", "occurred_at", AS_OF - DAY, AS_OF, 0)
    run = Run(run_before, "stopped", AS_OF, "tests")
    with pytest.raises(ValidationBlocked, match="VOL101"):
        pipeline.validate(run, refer_to(run_before, tiny.store(run_before, empty), "snapshot"))
    later = tiny.known_at(tiny.tiny(), AS_OF + timedelta(hours=1), days=5)
    with connect(run_before) as connection:
        past = history.find_past(run_before, connection, AS_OF + timedelta(hours=1))
    assert past.snapshot.as_of == AS_OF - timedelta(hours=6)
    assert failed(checks(run_before, later, AS_OF + timedelta(hours=1))) == set()


def test_a_profile_counts_what_there_is(settings, world):
    snapshot = tiny.store(settings, world)
    found = profiles.profile_snapshot(settings, snapshot)
    assert json.loads((settings.home / "snapshots" / snapshot.id / "profile.json").read_text()) == found
    for table in TABLES:
        assert sum(day["rows"] for day in found["days"][table.name].values()) == world[table.name].num_rows
    day = (AS_OF - DAY).date().isoformat()
    events = world["reading_events"]
    rows = events.filter(between(events, "occurred_at", AS_OF - DAY, AS_OF))
    figures = found["days"]["reading_events"][day]["columns"]
    assert found["newest"]["reading_events"] == found["days"]["reading_events"][day], "the run is at midnight"
    kinds = pc.value_counts(rows.column("kind")).to_pylist()
    assert figures["kind"]["words"] == {entry["values"]: entry["counts"] for entry in kinds}
    dwell = rows.column("dwell_seconds")
    assert figures["dwell_seconds"]["nulls"] == dwell.null_count
    assert figures["dwell_seconds"]["mean"] == pytest.approx(pc.mean(dwell).as_py(), rel=1e-5)
    assert (figures["dwell_seconds"]["min"], figures["dwell_seconds"]["max"]) == (20.0, 200.0)
    assert figures["event_id"]["distinct"] == pytest.approx(rows.num_rows, rel=0.1)


def test_a_day_is_measured_once_however_many_snapshots_hold_it(settings, world, monkeypatch):
    profiles.profile_snapshot(settings, tiny.store(settings, world))
    later = tiny.known_at(tiny.tiny(), AS_OF + timedelta(hours=3), days=5)
    snapshot = tiny.store(settings, later, AS_OF + timedelta(hours=3))
    measured = []
    measure = profiles.measure
    monkeypatch.setattr(profiles, "measure", lambda rows: measured.append(rows) or measure(rows))
    profiles.profile_snapshot(settings, snapshot)
    known = {file.sha256 for file in tiny.store(settings, world).files}
    new = [file for file in snapshot.files if file.sha256 not in known]
    assert len(measured) == len(new) + len(TABLES) < len(snapshot.files)
    profiles.profile_snapshot(settings, find_snapshot(settings, snapshot.id))
    assert len(measured) == len(new) + len(TABLES), "and a snapshot's profile is there for good"


def test_numbers_that_are_none_or_gigantic_do_not_stop_a_profile(settings, world):
    row = {**world["reading_events"].slice(5, 1).to_pylist()[0], "kind": "read"}
    odd = [{**row, "dwell_seconds": value} for value in (float("nan"), float("inf"), 1e308, -1e308)]
    found = profiles.profile_snapshot(settings, tiny.store(settings, tiny.changed(world, "reading_events", odd)))
    days = found["days"]["reading_events"].values()
    assert {day["columns"]["dwell_seconds"]["max"] for day in days} == {200.0}
