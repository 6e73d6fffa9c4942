"""Validation by the real Great Expectations: what it counts is what is set aside, and above the cap nothing goes on."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import datetime

import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters import duck
from include.adapters.gx import open_judge
from include.adapters.warehouse import connect
from include.core.contract import ACCEPTED_TYPES, READING_EVENTS, TABLES, Rule
from include.core.errors import ValidationBlocked
from include.core.run import Run
from include.data.snapshot import open_snapshot
from include.validation import broken_rows, conditions
from include.validation import judgement as validation
from include.validation.broken_rows import find_broken_rows, open_rows, quarantines
from include.validation.conditions import find_conditions
from tests.parts import cli, servers
from tests.worlds import tiny

COUNTS = [table.name for table in TABLES]
RULES = {rule.code: (table, rule) for table in TABLES for rule in table.rules}


@pytest.fixture(scope="module")
def settings(warehouse, tiny_world, broken_snapshot, tmp_path_factory):
    """The module's own warehouse and a copy of the tiny world's snapshots."""
    home = tmp_path_factory.mktemp("validation")
    shutil.copytree(tiny_world.home / "snapshots", home / "snapshots")
    return warehouse.model_copy(update={"home": home})


@pytest.fixture(scope="module")
def raw(broken_snapshot):
    return open_snapshot(broken_snapshot)


@pytest.fixture(scope="module")
def broken(settings, raw):
    with open_rows(settings, raw) as connection:
        return find_broken_rows(settings, connection)


@pytest.fixture(scope="module")
def judgement(settings, raw):
    """Return the answer on the broken snapshot."""
    return validation.judge_snapshot(settings, raw, settings.home / "docs")


@pytest.fixture(scope="module")
def checks(judgement):
    """Great Expectations' answers on the broken snapshot, by code."""
    return {check.code: check for check in judgement.checks if check.code in RULES}


@pytest.fixture(scope="module")
def clean(settings, broken_snapshot):
    """The reference that the stage returned for the broken snapshot."""
    return pipeline.validate(Run(settings, "run-1", tiny.AS_OF, "tests"), broken_snapshot)


def quarantined(settings, columns="check_code, primary_key, original"):
    with connect(settings) as warehouse:
        return [
            row
            for table in TABLES
            for row in warehouse.execute(f"select {columns} from quarantine.{table.name} order by file_sha256, row_no")
        ]


def rows(settings, snapshot, table):
    return [row for path in snapshot.paths(settings, table) for row in pq.read_table(path).to_pylist()]


def test_exactly_the_planted_rows_are_found_each_with_every_rule_it_breaks(broken):
    found = Counter((row.table, row.primary_key, row.codes) for row in broken)
    keys = {table.name: table.key for table in TABLES}
    planted = Counter(
        (table, None if row[keys[table]] is None else str(row[keys[table]]), tuple(sorted(codes)))
        for table, row, codes in tiny.BROKEN
        if codes
    )
    assert found == planted


def test_every_blocking_rule_has_a_row_that_breaks_it(broken):
    """Those on private texts and on strays have tests of their own."""
    elsewhere = {code for code, (_, rule) in RULES.items() if rule.private} | {
        *("SUB108", "ART121", "ART127", "EVT112", "EVT113", "EVT115", "EVT122")
    }
    assert {code for row in broken for code in row.codes} == {
        code for code, (_, rule) in RULES.items() if quarantines(rule)
    } - elsewhere


def test_each_rule_finds_as_many_rows_as_great_expectations_counts(settings, raw, checks):
    said = {code: int(check.sentence.split(" of ")[0].replace(",", "")) for code, check in checks.items()}
    asked = find_conditions(settings)
    with open_rows(settings, raw) as connection:
        breaking = {
            code: len(connection.sql(f"select 1 from {table.name}_window where {asked[code]}").fetchall())
            for code, (table, _) in RULES.items()
        }
    assert said == breaking
    assert sum(said.values()) > 50


def test_that_great_expectations_and_the_quarantine_pass_differ_would_be_an_error(settings, raw, monkeypatch):
    wrong = {**find_conditions(settings), "EVT103": "false"}
    monkeypatch.setattr(broken_rows, "find_conditions", lambda _: wrong)
    with pytest.raises(RuntimeError, match=r"EVT103 on reading_events: Great Expectations counts .* pass 0"):
        validation.judge_snapshot(settings, raw, settings.home / "docs")


@pytest.mark.parametrize("changed", ["include/adapters/gx.py", "include/adapters/duck_dialect.py"])
def test_conditions_are_made_again_when_what_makes_them_changes(settings, monkeypatch, changed):
    before, real = conditions._digest(), conditions.digest_file
    monkeypatch.setattr(
        conditions, "digest_file", lambda path: "changed" if str(path).endswith(changed) else real(path)
    )
    assert conditions._digest() != before


def test_a_number_that_is_none_is_found_by_both_even_if_no_other_value_is_too_large(settings):
    """Parquet's statistics leave NaN out, and DuckDB trusts them where all rows lie in one file."""
    base = tiny.known_at(tiny.tiny(), tiny.AS_OF, days=1)
    row = {**base["reading_events"].slice(5, 1).to_pylist()[0], "kind": "read"}
    bad = {900_000: float("nan"), 900_001: -90.0}
    world = tiny.changed(base, "reading_events", [{**row, "event_id": n, "dwell_seconds": s} for n, s in bad.items()])
    found = validation.judge_snapshot(settings, tiny.store(settings, world), settings.home / "docs")
    assert {(row.primary_key, row.codes) for row in found.broken} == {("900000", ("EVT107",)), ("900001", ("EVT107",))}
    assert [check.sentence.split(" of ")[0] for check in found.checks if check.code == "EVT107"] == ["2"]


def test_every_rule_gets_an_answer(checks):
    assert set(checks) == set(RULES)


def test_under_the_cap_the_checks_pass(judgement):
    assert not [check for check in judgement.checks if check.outcome == "failed"]
    assert {check.outcome for check in judgement.checks if not check.code.startswith(("VOL", "NUL"))} == {"passed"}


def test_what_great_expectations_decides_follows_from_the_numbers_it_tells(settings, raw):
    strict = settings.model_copy(update={"quarantine_cap_share": 0.0002})
    found = [one for one in validation.judge_snapshot(strict, raw, settings.home / "docs").checks if one.code in RULES]
    assert {check.outcome for check in found} == {"passed", "failed"}
    for check in found:
        limit = 0.0 if RULES[check.code][1].private else 0.0002
        assert (check.outcome == "passed") == (check.observed <= limit), check


def test_a_check_that_cannot_be_made_is_an_error_and_no_verdict_on_the_data(tmp_path):
    with duck.connect() as connection:
        connection.sql("select 1 as a").create_view("rows")
        suites = {"rows": ("rows", [Rule("X1", "t", "not_there", "not_null")])}
        with (
            pytest.raises(RuntimeError, match=r"X1 on not_there could not be checked: .*not_there"),
            open_judge(connection, tmp_path) as judge,
        ):
            judge.judge(suites, {"least_sound_share": 1.0}, tiny.AS_OF)


def test_data_docs_are_pages_with_every_rule(settings, checks):
    text = "".join(path.read_text() for path in (settings.home / "docs").rglob("*.html"))
    assert all(code in text for code in RULES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_clean_and_quarantined_rows_make_up_the_raw_ones(table, settings, raw, clean, broken):
    aside = sum(row.table == table.name for row in broken)
    assert open_snapshot(clean).rows(table.name) + aside == raw.rows(table.name)
    assert len(rows(settings, open_snapshot(clean), table.name)) + aside == raw.rows(table.name)


def test_what_stays_is_the_rest_of_the_rows_as_they_were(settings, raw, clean):
    planted = {row["event_id"] for table, row, codes in tiny.BROKEN if table == "reading_events" and codes}
    kept = [row for row in rows(settings, raw, "reading_events") if row["event_id"] not in planted]
    found = rows(settings, open_snapshot(clean), "reading_events")
    twice = [row for row in found if row["event_id"] == 900_002]
    assert len(twice) == 1, "of two copies, one stays"
    assert [row for row in found if row["event_id"] != 900_002] == kept


def test_of_two_copies_the_one_that_was_known_first_stays(settings, clean):
    (kept,) = (row for row in rows(settings, open_snapshot(clean), "articles") if row["article_id"] == 2000)
    assert kept["publisher"] != "P"


def test_a_rule_at_warn_is_noted_and_its_rows_stay(settings, clean, checks):
    assert 9003 in {row["reader_id"] for row in rows(settings, open_snapshot(clean), "subscribers")}
    assert checks["SUB103"].sentence.startswith("1 of ")


def test_a_quarantined_row_is_kept_whole(settings, clean):
    held = {(code, key): original for code, key, original in quarantined(settings)}
    row = next(row for _, row, codes in tiny.BROKEN if "EVT109" in codes and "EVT103" not in codes)
    original = dict(held["EVT109", str(row["event_id"])])
    for name in ("occurred_at", "ingested_at"):
        original[name] = datetime.fromisoformat(original[name])
    assert original == row


def test_a_row_that_breaks_two_rules_is_quarantined_under_both(settings, clean):
    assert sorted(code for code, key, _ in quarantined(settings) if key == "900015") == ["EVT103", "EVT109"]


def test_a_quarantined_row_says_where_it_was(settings, clean, raw):
    files = {file.sha256 for file in raw.files}
    for snapshot_id, sha256, run_id in quarantined(settings, "snapshot_id, file_sha256, run_id"):
        assert (snapshot_id, run_id) == (raw.id, "run-1")
        assert sha256 in files


def test_days_without_broken_rows_keep_their_files(raw, clean, broken):
    touched = {row.file_sha256 for row in broken}
    assert set(open_snapshot(clean).files) >= {file for file in raw.files if file.sha256 not in touched}


def test_the_clean_snapshot_names_the_raw_one_as_its_parent(raw, clean):
    assert (clean.parents, open_snapshot(clean).parent) == ((raw.id,), raw.id)
    assert clean.id != raw.id


def test_a_snapshot_without_broken_rows_leaves_the_raw_one_as_it_is(snapshot, clean_snapshot):
    assert open_snapshot(snapshot).id == snapshot.id
    assert open_snapshot(snapshot).parent is None
    assert open_snapshot(clean_snapshot).files == open_snapshot(snapshot).files


def test_validating_again_replaces_and_does_not_add(settings, broken_snapshot, clean):
    before = quarantined(settings)
    again = pipeline.validate(Run(settings, "run-1", tiny.AS_OF, "tests"), broken_snapshot)
    assert again == clean
    assert quarantined(settings) == before
    with connect(settings) as warehouse:
        codes = [code for (code,) in warehouse.execute("select code from ops.checks where run_id = 'run-1'")]
    assert sorted(code for code in codes if code in RULES) == sorted(RULES)


def test_every_check_of_a_run_is_kept_with_its_number(settings, clean):
    with connect(settings) as warehouse:
        kept = warehouse.execute("select code, outcome, observed is not null from ops.checks where run_id = 'run-1'")
        assert {row[1:] for row in kept.fetchall() if row[0] in RULES} == {("passed", True)}


def test_above_the_cap_the_run_stops_and_keeps_examples(settings, broken_snapshot):
    strict = settings.model_copy(update={"quarantine_cap_share": 0.0, "home": settings.home})
    with pytest.raises(ValidationBlocked) as caught:
        pipeline.validate(Run(strict, "run-2", tiny.AS_OF, "tests"), broken_snapshot)
    assert "EVT109" in caught.value.fact
    assert (settings.home / "reports" / caught.value.report).exists()
    assert quarantined(settings)


def test_above_the_cap_a_retrain_ends_there_and_nothing_comes_after(publisher):
    with connect(publisher, "newsroom") as newsroom:
        tiny.plant_broken_rows(newsroom)
    servers.write_env_file(publisher)
    words = ("retrain", "--as-of", tiny.AS_OF.isoformat())
    answer = cli.say(publisher, *words, DAYBREAK_QUARANTINE_CAP_SHARE="0")
    assert (answer.code, len(answer.error_lines), answer.out) == (6, 1, "")
    assert not [name for name in ("features", "models", "lists") if (publisher.home / name).exists()]
    with connect(publisher) as warehouse:
        stages = warehouse.execute("select stage, status from ops.runs order by started_at").fetchall()
    assert stages == [("extract", "done"), ("validate", "failed")]
    assert len(list((publisher.home / "snapshots").glob("*/manifest.json"))) == 1, "only the raw snapshot"


def test_codes_are_unique_and_named_after_their_table():
    codes = [rule.code for table in TABLES for rule in table.rules]
    assert len(codes) == len(set(codes))
    for table in TABLES:
        assert len({rule.code[:3] for rule in table.rules if not rule.private}) == 1


def test_every_column_of_the_contract_has_types_that_are_accepted():
    assert {str(column.type) for table in TABLES for column in table.columns} <= set(ACCEPTED_TYPES)


def test_an_original_is_json_even_when_a_number_is_none(broken):
    (row,) = (row for row in broken if row.primary_key == "900010")
    assert json.loads(row.original)["event_id"] == 900_010
    assert READING_EVENTS.columns.names == list(json.loads(row.original))
