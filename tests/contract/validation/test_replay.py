"""Replay on a real PostgreSQL: what the publisher mended comes back, to the row; what still breaks stays aside."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.contract import READING_EVENTS, TABLES
from include.core.errors import DaybreakError, ValidationBlocked
from include.core.run import Run
from include.data.snapshot import find_snapshot, open_snapshot, refer_to
from include.pipeline import replaying
from include.validation.quarantine.rows import Wish
from tests.conftest import reset_warehouse
from tests.parts import servers
from tests.worlds import tiny

FOREVER = tiny._EVENT | {"event_id": 900_900, "session_id": 900_900, "ingested_at": "infinity"}
PLANTED = [(table, row, codes) for table, row, codes in tiny.BROKEN if codes]
PLANTED.append(("reading_events", FOREVER, {"EVT122"}))
MEND = """
    update newsroom.articles set title = 'Mended' where article_id = 9003;
    update newsroom.articles set published_at = '2025-03-05 06:00+00' where article_id = 9005;
    update newsroom.reading_events set dwell_seconds = 12 where event_id = 900008;
    update newsroom.reading_events set dwell_seconds = 99999 where event_id = 900009;
    update newsroom.reading_events set position = 4, occurred_at = '2025-03-09 01:00+00' where event_id = 900012;
    delete from newsroom.reading_events where event_id = 900002 and occurred_at = '2025-03-06 21:00+00';
    insert into newsroom.articles
        select 800000, title, summary, category, publisher, language, word_count, published_at, ingested_at, updated_at,
               is_flagged
        from newsroom.articles where article_id = 1001;
"""
CAME = {("articles", "9003"), ("articles", "9005"), ("reading_events", "900007"), ("reading_events", "900008")}


@pytest.fixture(scope="module")
def settings(server, published, tmp_path_factory):
    """The module's own publisher, with broken rows in its tables."""
    reset_warehouse(server, published)
    home = server.model_copy(update={"home": tmp_path_factory.mktemp("replay")})
    servers.write_env_file(home)
    with connect(home, "newsroom") as newsroom:
        tiny.plant_broken_rows(newsroom)
        tiny.add(newsroom, "reading_events", [FOREVER])
    return home


@pytest.fixture(scope="module")
def run(settings):
    return Run(settings, "retrain/1", tiny.AS_OF, "tests")


@pytest.fixture(scope="module")
def raw(run):
    return open_snapshot(pipeline.extract(run, run.settings.window_days))


@pytest.fixture(scope="module")
def clean(run, raw, settings):
    return open_snapshot(pipeline.validate(run, refer_to(settings, raw, "snapshot")))


@pytest.fixture(scope="module")
def nothing_mended(settings, raw, clean):
    """A replay before anybody has mended anything."""
    return replaying.replay(Run(settings, "replay/0", tiny.AS_OF, "tests"), raw.id, Wish())


@pytest.fixture(scope="module")
def version(settings, raw, nothing_mended):
    """The reference of the new version after the publisher has mended some rows."""
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute(MEND)
    return replaying.replay(Run(settings, "replay/1", tiny.AS_OF, "tests"), raw.id, Wish())


def rows(settings, snapshot, table):
    return [row for path in snapshot.paths(settings, table) for row in pq.read_table(path).to_pylist()]


def marks(settings, condition="replayed_into is not null"):
    with connect(settings) as warehouse:
        return {
            row[:2]: row[2:]
            for row in warehouse.execute(
                "select distinct table_name, primary_key, came_as, replayed_into, replayed_at is not null, still_breaks"
                f" from quarantine.every_row where {condition}"
            )
        }


def manifests(settings):
    return {path.parent.name for path in settings.home.glob("snapshots/*/manifest.json")}


def test_before_anything_is_mended_nothing_comes_back_and_the_version_is_the_one_there_was(nothing_mended, clean):
    assert nothing_mended.id == clean.id
    assert (nothing_mended.facts["came_back"], nothing_mended.facts["changed"]) == (0, False)
    assert nothing_mended.facts["still_broken"] == len(PLANTED)


def test_what_was_mended_comes_back_and_nothing_else(settings, version):
    came = marks(settings)
    assert set(came) == CAME
    assert {key for key, (came_as, *_) in came.items() if came_as == "mended"} == CAME - {("reading_events", "900007")}
    assert {(into, at) for _, into, at, _ in came.values()} == {(version.id, True)}


def test_a_mended_row_is_in_the_version_as_the_publisher_has_it_now(settings, version):
    snapshot = open_snapshot(version)
    articles = {row["article_id"]: row for row in rows(settings, snapshot, "articles")}
    events = {row["event_id"]: row for row in rows(settings, snapshot, "reading_events")}
    assert articles[9003]["title"] == "Mended"
    assert events[900_008]["dwell_seconds"] == 12
    assert events[900_007]["article_id"] == 800_000 in articles


def test_counts_reconcile_to_the_row(settings, raw, version):
    snapshot, facts = open_snapshot(version), version.facts
    for table in TABLES:
        planted = sum(name == table.name for name, _, _ in PLANTED)
        back = sum(name == table.name for name, _ in CAME)
        added = table.name == "articles"
        assert snapshot.rows(table.name) == raw.rows(table.name) - planted + back + added
        assert len(rows(settings, snapshot, table.name)) == snapshot.rows(table.name)
    assert (facts["came_back"], facts["mended"], facts["added"]) == (4, 3, 1)
    assert facts["still_broken"] == facts["quarantined"] == len(PLANTED) - 4


def test_no_good_row_changes_and_none_is_lost(settings, clean, version):
    for table in TABLES:
        before = {str(row) for row in rows(settings, clean, table.name)}
        after = {str(row) for row in rows(settings, open_snapshot(version), table.name)}
        assert before <= after


def test_the_version_names_the_raw_snapshot_which_is_as_it_was(settings, raw, version):
    assert open_snapshot(version).parent == raw.id == version.facts["replayed_from"]
    assert find_snapshot(settings, raw.id) == raw
    assert raw.id.split("-")[0] == version.id.split("-")[0]


def test_a_version_has_one_file_per_table_and_day_each_in_the_order_of_an_extract(settings, version):
    files = [(file.table, file.day) for file in open_snapshot(version).files]
    assert len(files) == len(set(files))
    for table in TABLES:
        for file in [file for file in open_snapshot(version).files if file.table == table.name and table.day_column]:
            (path,) = [p for p in open_snapshot(version).paths(settings, table.name) if file.sha256 in p]
            moments = [row[table.day_column] for row in pq.read_table(path).to_pylist()]
            assert moments == sorted(moments)
            assert {f"{moment:%Y-%m-%d}" for moment in moments} == {file.day}


def test_what_still_breaks_stays_with_the_try_noted(settings, version):
    still = marks(settings, "came_as = 'still broken'")
    assert still["reading_events", "900009"][3] == "EVT107", "mended wrongly"
    assert still["reading_events", "900002"][3] == "EVT102", "its copy is in the snapshot"
    assert still["reading_events", "900012"][3] == "EVT109", "what lies outside of the window now is not this window's"


def test_a_second_replay_makes_no_second_version(settings, raw, version):
    before, were = marks(settings), manifests(settings)
    again = replaying.replay(Run(settings, "replay/2", tiny.AS_OF, "tests"), raw.id, Wish())
    assert (again.id, again.facts["changed"]) == (version.id, False)
    assert (marks(settings), manifests(settings)) == (before, were)


def test_the_same_run_tried_again_after_a_crash_still_tells_of_its_version(settings, raw, version):
    again = replaying.replay(Run(settings, "replay/1", tiny.AS_OF, "tests"), raw.id, Wish())
    assert (again.id, again.facts["changed"]) == (version.id, True)


def test_a_replay_of_some_rows_keeps_those_that_came_back_before(settings, raw, version):
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute("update newsroom.reading_events set kind = 'click' where event_id in (900003, 900004)")
    made = replaying.replay(Run(settings, "replay/3", tiny.AS_OF, "tests"), raw.id, Wish(code="EVT103"))
    events = {row["event_id"] for row in rows(settings, open_snapshot(made), "reading_events")}
    assert {900_003, 900_007, 900_008} <= events
    assert 900_004 not in events
    assert made.facts["changed"]
    assert made.facts["quarantined"] == len(PLANTED) - 5


def test_a_crash_at_any_step_changes_nothing_that_is_seen_and_the_next_try_ends_as_if_there_was_none(
    settings, raw, run, version, monkeypatch
):
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute("update newsroom.articles set category = 'sport' where article_id = 9004")
    before = marks(settings)
    again = Run(settings, "replay/again", tiny.AS_OF, "tests")
    for step in ("make_version", "keep"):
        with monkeypatch.context() as patched:
            patched.setattr(replaying, step, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                replaying.replay(again, raw.id, Wish())
        assert marks(settings) == before
    made = replaying.replay(again, raw.id, Wish())
    assert made.facts["changed"]
    assert set(marks(settings)) >= {*before, ("articles", "9004")}
    pipeline.validate(run, refer_to(settings, raw, "snapshot"))
    assert {into for _, into, *_ in marks(settings).values()} == {made.id}, "validating again forgets no replay"


@pytest.fixture
def relaxed():
    """The rule on positions only warns, as after a change in review."""
    (rule,) = (rule for rule in READING_EVENTS.rules if rule.code == "EVT109")
    object.__setattr__(rule, "severity", "warn")
    yield
    object.__setattr__(rule, "severity", "block")


def test_after_a_change_of_the_rule_the_originals_come_back_as_they_were(settings, raw, version, relaxed):
    made = replaying.replay(Run(settings, "replay/4", tiny.AS_OF, "tests"), raw.id, Wish(code="EVT109"))
    events = {row["event_id"]: row for row in rows(settings, open_snapshot(made), "reading_events")}
    assert events[900_012]["position"] == 0
    assert marks(settings)["reading_events", "900012"][0] == "as it was"
    assert 900_015 not in events, "it breaks another rule, too"


def test_a_snapshot_that_was_blocked_gets_its_first_clean_version_when_enough_is_mended(publisher):
    with connect(publisher, "newsroom") as newsroom:
        newsroom.execute("update newsroom.reading_events set kind = 'viewed' where kind = 'click'")
    run = Run(publisher, "retrain/1", tiny.AS_OF, "tests")
    taken = pipeline.extract(run, publisher.window_days)
    with pytest.raises(ValidationBlocked):
        pipeline.validate(run, taken)
    with pytest.raises(ValidationBlocked, match="still fail") as caught:
        replaying.replay(run, taken.id, Wish())
    assert (publisher.home / "reports" / caught.value.report).exists()
    assert manifests(publisher) == {taken.id}
    with connect(publisher, "newsroom") as newsroom:
        newsroom.execute("update newsroom.reading_events set kind = 'click' where kind = 'viewed' and event_id > 100")
    made = replaying.replay(run, taken.id, Wish())
    raw, clean = open_snapshot(taken), open_snapshot(made)
    assert clean.rows("reading_events") == raw.rows("reading_events") - made.facts["still_broken"]
    with connect(publisher) as warehouse:
        waits = "select count(*) from quarantine.every_row where replayed_into is null"
        assert warehouse.execute(waits).fetchone() == (made.facts["still_broken"],)


@pytest.mark.parametrize(("name", "sentence"), [("clean", "is a clean snapshot"), ("nothing", "There is no snapshot")])
def test_only_a_raw_snapshot_that_is_there_can_be_replayed(settings, clean, name, sentence):
    with pytest.raises(DaybreakError, match=sentence):
        replaying.find_raw(settings, {"clean": clean.id, "nothing": "20250309T000000Z-000000000000"}[name])
