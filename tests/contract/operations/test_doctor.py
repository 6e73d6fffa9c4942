"""The doctor finds what is wrong with a real PostgreSQL and says what to do; half of everything may be down."""

from __future__ import annotations

import json

import pytest

from include.adapters.warehouse import connect
from include.core.clock import now
from include.operations.doctor import database, examine, is_healthy, rows, views
from include.operations.doctor.probes import PROBES
from tests.parts import cli, servers

OF_DATA = [one for one in PROBES if one.code <= "DR110" or one.code == "DR116"]
VIEW = """
drop view source.reading_events;
create view source.reading_events as
select {columns} from newsroom.reading_events
"""
COLUMNS = (
    "event_id, reader_id, article_id, kind, occurred_at, ingested_at, dwell_seconds, position, surface, batch_id,"
    " session_id"
)


@pytest.fixture(scope="module")
def patient(server, published, tmp_path_factory):
    """An installation with the tiny world published and indexed; every test puts back what it breaks."""
    from tests.conftest import reset_warehouse

    reset_warehouse(server, published)
    settings = server.model_copy(update={"home": tmp_path_factory.mktemp("home")})
    servers.write_env_file(settings)
    with connect(settings, "newsroom") as publisher:
        publisher.execute("create index on newsroom.reading_events (occurred_at, event_id, ingested_at)")
        publisher.execute("create index on newsroom.reading_events (ingested_at, occurred_at)")
        publisher.execute("create index on newsroom.articles (published_at)")
        publisher.execute("create index on newsroom.articles (ingested_at)")
        publisher.execute("analyze newsroom.reading_events, newsroom.articles, newsroom.subscribers")
    return settings


def broken(patient, change, back, look, role="newsroom"):
    """The result of a probe after a change, which is then undone."""
    with connect(patient, role) as publisher:
        publisher.execute(change)
    try:
        return look(patient, now())
    finally:
        with connect(patient, role) as publisher:
            publisher.execute(back)


def mapped(columns):
    return VIEW.format(columns=columns)


def test_a_sound_source_needs_nothing(patient):
    findings = examine(patient, now(), OF_DATA)
    assert {one.code: one.found for one in findings if one.state != "fine"} == {}


def test_a_view_that_is_gone_is_named_and_what_builds_on_it_is_not_asked(patient):
    def look(settings, moment):
        return {one.code: one for one in examine(settings, moment, OF_DATA)}

    found = broken(patient, "drop view source.reading_events", f"create view source.reading_events as select {COLUMNS}"
                   " from newsroom.reading_events", look)  # fmt: skip
    assert found["DR105"].state == "FIX"
    assert "source.reading_events" in found["DR105"].found
    assert {found[code].state for code in ("DR106", "DR107", "DR108", "DR109", "DR110")} == {"unknown"}


def test_a_renamed_column_is_missed_and_guessed(patient):
    renamed = COLUMNS.replace("dwell_seconds", "dwell_seconds as seconds_read")
    state, found, _ = broken(patient, mapped(renamed), mapped(COLUMNS), views.columns)
    assert state == "FIX"
    assert "source.reading_events lacks dwell_seconds (is it seconds_read?)" in found


def test_a_time_without_zone_is_told_how_to_get_one(patient):
    naive = COLUMNS.replace("occurred_at", "occurred_at::timestamp as occurred_at")
    state, found, _ = broken(patient, mapped(naive), mapped(COLUMNS), views.columns)
    assert state == "FIX"
    assert "occurred_at is timestamp without time zone" in found
    assert "at time zone" in found


def test_local_time_that_was_called_utc_is_noticed_by_the_hours(patient):
    ahead = COLUMNS.replace("occurred_at", "occurred_at + interval '2 hours' as occurred_at", 1)
    state, found, fix = broken(patient, mapped(ahead), mapped(COLUMNS), rows.times)
    assert state == "FIX"
    assert "arrived before they happened, typically 2.0 h" in found
    assert "local time labelled UTC" in fix
    behind = COLUMNS.replace("occurred_at", "occurred_at - interval '3 hours' as occurred_at", 1)
    state, found, _ = broken(patient, mapped(behind), mapped(COLUMNS), rows.times)
    assert (state, "sooner than 3 h" in found) == ("note", True)


@pytest.mark.parametrize(
    ("moment", "told"), [("2099-01-01", "1 events are in the future"), ("1970-01-18", "1 from before 1990")]
)
def test_times_of_another_unit_are_noticed(patient, moment, told):
    wrong = f"insert into newsroom.reading_events (event_id, occurred_at) values (-1, '{moment} 00:00Z')"
    state, found, fix = broken(patient, wrong, "delete from newsroom.reading_events where event_id = -1", rows.times)
    assert (state, told in found) == ("FIX", True)
    assert "seconds for milliseconds" in fix


def test_doubled_keys_and_implausible_rows_are_told_by_the_codes_of_validation(patient):
    doubled = f"drop view source.reading_events; create view source.reading_events as select {COLUMNS} from" \
        " newsroom.reading_events union all select * from newsroom.reading_events"  # fmt: skip
    state, found, _ = broken(patient, doubled, mapped(COLUMNS), rows.keys)
    assert (state, "EVT102" in found) == ("FIX", True)
    negative = COLUMNS.replace("dwell_seconds", "-dwell_seconds as dwell_seconds")
    state, found, _ = broken(patient, mapped(negative), mapped(COLUMNS), rows.rows)
    assert (state, "EVT107" in found) == ("FIX", True)


def test_a_missing_index_is_named_by_its_table(patient):
    names = ("reading_events_occurred_at_event_id_ingested_at_idx", "reading_events_ingested_at_occurred_at_idx")
    gone = "; ".join(f"drop index newsroom.{name}" for name in names)
    back = "create index on newsroom.reading_events (occurred_at, event_id, ingested_at);" \
        "create index on newsroom.reading_events (ingested_at, occurred_at)"  # fmt: skip
    state, found, fix = broken(patient, gone, back, views.indexes)
    assert (state, "reading_events for source.reading_events" in found) == ("FIX", True)
    assert "occurred_at, event_id" in fix


def test_an_index_that_only_the_search_for_strays_needs_is_missed_too(patient):
    gone = "drop index newsroom.reading_events_ingested_at_occurred_at_idx"
    back = "create index on newsroom.reading_events (ingested_at, occurred_at)"
    state, found, fix = broken(patient, gone, back, views.indexes)
    assert (state, found) == (
        "FIX",
        "to find one day, PostgreSQL reads all of reading_events for source.reading_events",
    )
    assert "(ingested_at, occurred_at)" in fix


def test_rights_beyond_reading_the_views_are_named(patient):
    state, found, _ = broken(
        patient,
        "grant select, insert on newsroom.articles to daybreak_extract;"
        " grant usage on schema newsroom to daybreak_extract",
        "revoke all on newsroom.articles from daybreak_extract; revoke usage on schema newsroom from daybreak_extract",
        database.rights,
    )
    assert (state, found) == (
        "FIX",
        "daybreak_extract may insert newsroom.articles; may read newsroom.articles",
    )
    state, found, _ = broken(
        patient,
        "revoke select on source.articles from daybreak_extract",
        "grant select on source.articles to daybreak_extract",
        database.rights,
    )
    assert (state, found) == ("FIX", "daybreak_extract may not read source.articles")


def test_a_migration_that_is_missing_is_named(patient):
    state, found, fix = broken(
        patient,
        "update public.migrations set name = 'x' where name like '0004%'",
        "update public.migrations set name = '0004_quarantine' where name = 'x'",
        database.up_to_date,
        role="postgres",
    )
    assert (state, "0004_quarantine" in found, "migrate" in fix) == ("FIX", True, True)


def test_with_everything_down_every_row_is_there_and_none_is_fine_but_the_disk(patient):
    ports = {name: str(servers.free_port()) for name in ("POSTGRES", "MLFLOW", "AIRFLOW", "SMTP")}
    answer = cli.say(patient, "doctor", "--json", **{f"DAYBREAK_{name}_PORT": port for name, port in ports.items()})
    found = {one["code"]: one["state"] for one in json.loads(answer.out)}
    assert answer.code == 1
    assert list(found) == [one.code for one in PROBES]
    assert {code for code, state in found.items() if state == "fine"} == {"DR111", "DR118", "DR119"}
    assert {found[code] for code in ("DR101", "DR112", "DR113", "DR114", "DR116")} == {"FIX"}


def test_the_table_has_a_row_per_check_and_a_fix_below_what_needs_one(patient):
    answer = cli.say(patient, "doctor")
    lines = answer.out.splitlines()
    assert sum(line.startswith("DR") for line in lines) == len(PROBES)
    place = next(number for number, line in enumerate(lines) if line.startswith("DR113"))
    assert "FIX" in lines[place]
    assert lines[place + 1].strip().startswith("-> start it")


def test_settings_that_cannot_be_read_are_an_exit_code_of_their_own(patient):
    assert cli.say(patient, "doctor", DAYBREAK_POSTGRES_PORT="many").code == 2


def test_what_could_not_be_asked_is_not_healthy(patient):
    findings = examine(patient, now(), OF_DATA[:1])
    assert is_healthy(findings)
    assert not is_healthy([*findings, type(findings[0])("DR999", "t", "unknown", "f")])
