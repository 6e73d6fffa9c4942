"""Expectations of one's own, as Great Expectations writes them, judge, quarantine and stop like the contract's."""

from __future__ import annotations

import json

import great_expectations as gx
import great_expectations.expectations as gxe
import pytest
from great_expectations.expectations.row_conditions import Column

from include.core.contract import TABLES
from include.core.errors import SettingsError
from include.validation import suites
from include.validation.judgement import judge_snapshot
from tests.worlds import tiny

NAMED = {"code": "OWN101"}


@pytest.fixture
def add(tmp_path, monkeypatch):
    """Add expectations to the suite of articles, as the documentation of Great Expectations does."""
    monkeypatch.setattr(suites, "FOLDER", tmp_path)
    gx.get_context(mode="ephemeral")

    def add(*expectations):
        for table in TABLES:
            written = gx.ExpectationSuite(name=table.name)
            for one in expectations if table.name == "articles" else ():
                written.add_expectation(one)
            (tmp_path / f"{table.name}.json").write_text(json.dumps(written.to_json_dict()))

    return add


@pytest.fixture
def snapshot(warehouse, tmp_path):
    """A day of the tiny world, in which one article's word_count is 7."""
    settings = warehouse.model_copy(update={"home": tmp_path / "home"})
    world = tiny.known_at(tiny.tiny(), tiny.AS_OF, days=1)
    row = {**world["articles"].slice(0, 1).to_pylist()[0], "article_id": 910_000, "word_count": 7}
    return settings, tiny.store(settings, tiny.changed(world, "articles", [row]), days=1)


def judged(snapshot, tmp_path):
    found = judge_snapshot(*snapshot, tmp_path / "docs")
    return found, {check.code: check for check in found.checks}


def test_a_critical_expectation_on_rows_quarantines_the_rows_that_break_it(add, snapshot, tmp_path):
    add(
        gxe.ExpectColumnValuesToBeBetween(column="word_count", min_value=8, mostly=0.9, severity="critical", meta=NAMED)
    )
    found, checks = judged(snapshot, tmp_path)
    assert [(row.primary_key, row.codes) for row in found.broken] == [("910000", ("OWN101",))]
    assert checks["OWN101"].outcome == "passed"
    assert checks["OWN101"].sentence.startswith("1 of ")


def test_a_critical_expectation_on_a_part_of_the_rows_stops_the_run_and_quarantines_none(add, snapshot, tmp_path):
    short = Column("word_count") < 8
    add(gxe.ExpectColumnValuesToBeInSet(column="language", value_set=["xx"], row_condition=short, meta=NAMED))
    found, checks = judged(snapshot, tmp_path)
    assert found.broken == ()
    assert checks["OWN101"].blocks


def test_a_warning_is_noted_and_its_rows_stay(add, snapshot, tmp_path):
    add(gxe.ExpectColumnValuesToBeBetween(column="word_count", min_value=8, severity="warning", meta=NAMED))
    found, checks = judged(snapshot, tmp_path)
    assert found.broken == ()
    assert (checks["OWN101"].outcome, checks["OWN101"].severity, checks["OWN101"].blocks) == ("failed", "warn", False)


def test_a_critical_expectation_on_the_table_stops_the_run(add, snapshot, tmp_path):
    add(gxe.ExpectColumnMeanToBeBetween(column="word_count", max_value=1, severity="critical", meta=NAMED))
    found, checks = judged(snapshot, tmp_path)
    assert found.broken == ()
    assert checks["OWN101"].blocks
    assert checks["OWN101"].sentence.startswith("Great Expectations observes ")


def test_the_page_shows_an_added_expectation_in_its_own_words(add, snapshot, tmp_path):
    words = {"description": "articles are long enough to be read", "meta": NAMED}
    add(gxe.ExpectColumnValuesToBeBetween(column="word_count", min_value=8, severity="info", **words))
    _, checks = judged(snapshot, tmp_path)
    assert checks["OWN101"].title == words["description"]
    (page,) = (tmp_path / "docs" / "validations" / "articles").rglob("*.html")
    assert words["description"] in page.read_text()


@pytest.mark.parametrize(
    ("meta", "said"), [({}, "has no code"), ({"code": "ART101"}, "has the code ART101, which is taken")]
)
def test_an_expectation_needs_a_code_of_its_own(add, snapshot, tmp_path, meta, said):
    add(gxe.ExpectColumnValuesToNotBeNull(column="title", meta=meta))
    with pytest.raises(SettingsError, match=said):
        judged(snapshot, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"expectations": [{"type": "x"}]}', '{"expectations": 1}'])
def test_a_file_that_is_no_suite_is_named(add, snapshot, tmp_path, text):
    add()
    (tmp_path / "articles.json").write_text(text)
    with pytest.raises(SettingsError, match=r"articles\.json"):
        judged(snapshot, tmp_path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "expect_magic", "kwargs": {}}, "OWN101 cannot be asked: .*expect_magic"),
        ({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "nowhere"}}, "OWN101 .* column nowhere"),
    ],
)
def test_an_expectation_that_cannot_be_asked_is_an_error_and_no_verdict(add, snapshot, tmp_path, entry, said):
    add()
    (tmp_path / "articles.json").write_text(json.dumps({"expectations": [{**entry, "meta": NAMED}]}))
    with pytest.raises(SettingsError, match=said):
        judged(snapshot, tmp_path)
