"""Corrupt rows of every kind we could think of, put into a real publisher's tables: each is caught for what it is.

One world, one extract and one validation for all kinds of rows; what is wrong with a whole view has a test of its own.
"""

from __future__ import annotations

import json

import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.contract import TABLES
from include.core.errors import SourceError, ValidationBlocked
from include.core.run import Run
from include.data.snapshot import open_snapshot, open_snapshot_tables
from tests.conftest import reset_warehouse
from tests.worlds import tiny
from tests.worlds.corrupt_rows import ARTICLE, ARTICLES, EVENTS, FIRST, MINUTE, READER, SHOWN, SUBSCRIBERS, rows_of


@pytest.fixture(scope="module")
def settings(server, published, tmp_path_factory):
    reset_warehouse(server, published)
    home = tmp_path_factory.mktemp("corrupt")
    caps = {"private_cap_share": 1.0, "quarantine_cap_share": 0.2}
    return server.model_copy(update={"home": home, **caps})


@pytest.fixture(scope="module")
def good():
    return tiny.known_at(tiny.tiny(), tiny.AS_OF, tiny.TINY["window_days"])


@pytest.fixture(scope="module")
def copies(good):
    """Copies of a good event: under its own id; broken and known earlier; under another id."""
    rows = good["reading_events"].slice(2_000, 3).to_pylist()
    return [
        rows[0] | {"ingested_at": rows[0]["ingested_at"] + MINUTE},
        rows[1] | {"ingested_at": rows[1]["occurred_at"], "kind": "teleported"},
        rows[2] | {"event_id": FIRST - 1, "ingested_at": rows[2]["ingested_at"] + MINUTE},
    ]


@pytest.fixture(scope="module")
def outcome(settings, copies):
    """The raw and the clean snapshot, the run, and what lies in quarantine by table and key."""
    with connect(settings, "newsroom") as newsroom:
        tiny.add(newsroom, "articles", list(rows_of(ARTICLES, ARTICLE)))
        tiny.add(newsroom, "reading_events", [*rows_of(EVENTS, SHOWN), *copies])
        tiny.add(newsroom, "subscribers", [READER | differs for differs, _ in SUBSCRIBERS.values()])
    run = Run(settings, "corrupt", tiny.AS_OF, "tests")
    raw = pipeline.extract(run, settings.window_days)
    return run, raw, pipeline.validate(run, raw)


def quarantined(settings):
    found: dict[tuple, set[str]] = {}
    with connect(settings) as warehouse:
        for table in TABLES:
            held = warehouse.execute(
                f"select primary_key, row_no, file_sha256, check_code from quarantine.{table.name}"
            )
            for key, number, file, code in held:
                found.setdefault((table.name, key, file, number), set()).add(code)
    return found


def codes_of(settings, table, key):
    return [codes for (name, held, *_), codes in quarantined(settings).items() if (name, held) == (table, key)]


def ids(settings, reference, table):
    with open_snapshot_tables(settings, open_snapshot(reference)) as connection:
        return [key for (key,) in connection.table(table.name).select(table.key).order(table.key).fetchall()]


@pytest.mark.parametrize(("table", "cases"), [("articles", ARTICLES), ("reading_events", EVENTS)])
def test_each_is_set_aside_for_the_right_reason_or_stays_because_it_is_harmless(table, cases, settings, outcome):
    by_key = {}
    for (name, key, *_), codes in quarantined(settings).items():
        if name == table:
            by_key[key] = codes
    said = {case: by_key.get(_key(cases, case), set()) for case in cases}
    assert said == {case: codes for case, (_, codes) in cases.items()}


def _key(cases, case):
    number = list(cases).index(case)
    differs = cases[case][0]
    key = "event_id" if cases is EVENTS else "article_id"
    return None if key in differs and differs[key] is None else str(FIRST + number)


def test_readers_are_set_aside_for_the_right_reason(settings, outcome):
    for differs, codes in SUBSCRIBERS.values():
        key = differs["reader_id"] and str(differs["reader_id"])
        assert codes_of(settings, "subscribers", key) == [codes]


def test_of_copies_the_sound_one_stays(settings, copies, outcome):
    same, broken, renamed = copies
    assert codes_of(settings, "reading_events", str(same["event_id"])) == [{"EVT102"}]
    assert codes_of(settings, "reading_events", str(broken["event_id"])) == [{"EVT102", "EVT103"}]
    assert codes_of(settings, "reading_events", str(renamed["event_id"])) == [{"EVT116"}]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_good_row_is_lost_and_no_bad_one_stays(table, settings, good, outcome):
    cases = {"articles": ARTICLES, "reading_events": EVENTS}.get(table.name, {})
    harmless = [int(_key(cases, case)) for case, (_, codes) in cases.items() if not codes]
    _, raw, clean = outcome
    assert ids(settings, clean, table) == sorted([*good[table.name].column(table.key).to_pylist(), *harmless])
    aside = sum(name == table.name for name, *_ in quarantined(settings))
    assert open_snapshot(raw).rows(table.name) == open_snapshot(clean).rows(table.name) + aside


def test_that_no_row_is_lost_is_a_check_of_the_run(settings, outcome):
    with connect(settings) as warehouse:
        held = warehouse.execute("select outcome, observed from ops.checks where code = 'TAB103'").fetchall()
    assert held == [("passed", 0.0)] * 3


def test_text_that_looks_like_sql_arrives_as_it_was(settings, outcome):
    with open_snapshot_tables(settings, open_snapshot(outcome[2])) as connection:
        found = connection.sql("select title from articles where title like '%drop table%'").fetchall()
    assert found == [(ARTICLES["SQL in title"][0]["title"],)]


def test_a_row_is_kept_whole_even_if_json_has_no_word_for_it(settings, outcome):
    key = _key(EVENTS, "dwell that is no number")
    with connect(settings) as warehouse:
        text = "select original from quarantine.reading_events where primary_key = %s"
        (original,) = warehouse.execute(text, [key]).fetchone()
    assert original["dwell_seconds"] == "nan"
    assert set(original) == set(TABLES[2].columns.names)
    json.dumps(original, allow_nan=False)


def test_the_same_again_comes_out_the_same(settings, outcome):
    run, raw, clean = outcome
    before = quarantined(settings)
    assert pipeline.extract(run, settings.window_days) == raw
    assert pipeline.validate(run, raw) == clean
    assert quarantined(settings) == before


def test_by_default_a_single_mail_address_stops_the_run_and_is_shown_nowhere(settings, outcome):
    strict = settings.model_copy(update={"private_cap_share": 0.0})
    with pytest.raises(ValidationBlocked) as caught:
        pipeline.validate(Run(strict, "strict", tiny.AS_OF, "tests"), outcome[1])
    assert {finding.code for finding in caught.value.findings} == {"PII101", "PII102", "PII103", "PII104"}
    (finding,) = (one for one in caught.value.findings if one.code == "PII101")
    assert (finding.table, finding.count) == ("articles", 1)
    assert finding.examples == (_key(ARTICLES, "a mail address in title"),)
    told = str(caught.value) + "".join(
        path.read_text() for path in (settings.home / "reports" / caught.value.report).parent.rglob("*.html")
    )
    for secret in ("jane.doe", "press+desk", "867-5309", "91234"):
        assert secret not in told


def test_a_number_that_no_type_of_ours_can_say_costs_its_row_and_not_the_run(settings, outcome):
    cases = {
        "articles": ("word_count", -5_000_000_000, "ART106"),
        "reading_events": ("position", 5_000_000_000, "EVT109"),
    }
    tables = {table.name: table for table in TABLES}
    stayed = {name: ids(settings, outcome[2], tables[name]) for name in cases}
    run = Run(settings, "large", tiny.AS_OF, "tests")
    try:
        for name, (column, number, _) in cases.items():
            when = f"case {tables[name].key} when {stayed[name][0]} then {number} else {column} end"
            view(settings, tables[name], column, when)
        clean = pipeline.validate(run, pipeline.extract(run, settings.window_days))
    finally:
        for name, (column, *_) in cases.items():
            view(settings, tables[name], column, column)
    for name, (_, _, code) in cases.items():
        assert ids(settings, clean, tables[name]) == stayed[name][1:]
        assert codes_of(settings, name, str(stayed[name][0])) == [{code}]


def view(settings, table, column, expression):
    """The publisher's view with something else for one column."""
    chosen = ", ".join(f"{expression} as {name}" if name == column else name for name in table.columns.names)
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute(f"drop view source.{table.name}")
        newsroom.execute(f"create view source.{table.name} as select {chosen} from newsroom.{table.name}")


VIEWS = {
    "a dropped column": (
        "select reader_id, region, plan, interests from newsroom.subscribers",
        "lacks column signed_up",
    ),
    "a renamed column": (
        "select reader_id as reader, region, plan, signed_up_at, interests from newsroom.subscribers",
        "lacks column reader_id",
    ),
    "a changed type": (
        "select reader_id::text as reader_id, region, plan, signed_up_at, interests from newsroom.subscribers",
        "reader_id is text",
    ),
    "an empty table": ("select * from newsroom.subscribers where false", "has no row"),
}


@pytest.mark.parametrize("fault", VIEWS)
def test_what_is_wrong_with_a_whole_view_stops_the_run(fault, settings, outcome):
    text, said = VIEWS[fault]
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute("drop view source.subscribers")
        newsroom.execute("create view source.subscribers as " + text)
    try:
        with pytest.raises(SourceError, match=said):
            pipeline.extract(Run(settings, "view", tiny.AS_OF, "tests"), settings.window_days)
    finally:
        with connect(settings, "newsroom") as newsroom:
            newsroom.execute("drop view source.subscribers")
            newsroom.execute("create view source.subscribers as select * from newsroom.subscribers")


def test_a_view_that_offers_mail_addresses_stops_the_run(settings, outcome):
    with connect(settings, "newsroom") as newsroom:
        newsroom.execute("drop view source.subscribers")
        newsroom.execute("create view source.subscribers as select *, 'x' as contact_email from newsroom.subscribers")
    try:
        with pytest.raises(ValidationBlocked, match=r"subscribers: 1 of 6 .* contact_email\. \[PII105\]"):
            pipeline.validate(Run(settings, "offer", tiny.AS_OF, "tests"), outcome[1])
    finally:
        with connect(settings, "newsroom") as newsroom:
            newsroom.execute("drop view source.subscribers")
            newsroom.execute("create view source.subscribers as select * from newsroom.subscribers")
