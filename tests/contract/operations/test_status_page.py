"""The facts of the status pages, on a real PostgreSQL: what was recorded, in bounds, and nothing that takes long."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.adapters.warehouse import connect
from include.alerts import reporting
from include.core.errors import DaybreakError
from include.core.html import save
from include.core.references import Reference
from include.core.run import Run
from include.lists import batch as batches
from include.lists.audit import audit_rows
from include.operations.status_page import facts
from include.operations.status_page.actions import find_situation
from include.operations.status_page.comparison import find_comparison
from include.operations.status_page.overview import build_status_page
from include.operations.status_page.parts import Places
from include.pipeline import holding
from include.pipeline.run import keep_checks, recorded
from tests.worlds import tiny
from tests.worlds.batches import about, lists
from tests.worlds.evidence import judge
from tests.worlds.reigns import ask_for, crown, keep_verdict

AS_OF = tiny.AS_OF
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = AS_OF + HOUR


@recorded
def write_batch(run, name, folder):
    """The stage that leaves where the files of a batch lie."""
    return Reference("batch", name, str(folder), run.as_of, "f", (), {"features": str(folder / "features")})


def publish(settings, name, rows, as_of=AS_OF):
    """A batch that was written, audited and published as `recommend` does it, with its files."""
    folder = settings.home / "lists" / name
    (folder / "features" / "reads").mkdir(parents=True)
    pq.write_table(rows, folder / "lists.parquet")
    reads = [{"reader_id": 1, "article_id": n, "read_at": as_of - n * HOUR} for n in (1, 2)]
    pq.write_table(pa.Table.from_pylist(reads), folder / "features" / "reads" / "part.parquet")
    run = Run(settings, f"recommend/{name}", as_of, "schedule", kind="scheduled")
    write_batch(run, name, folder)
    with connect(settings) as warehouse:
        batches.write(warehouse, rows.to_batches(), {**about(name, as_of), "run_id": run.run_id})
        checks = audit_rows(warehouse, name, 10, 300)
        batches.set_status(warehouse, name, "audited")
        batches.switch(warehouse, name, as_of, 150)
    keep_checks(run, "audit", checks)


@pytest.fixture
def settings(publisher):
    """The tiny world with lists of yesterday and of today: one article is new, and reader 300 has a short list."""
    publish(publisher, "before", lists(), AS_OF - DAY)
    today = lists(first_article=2).to_pylist()
    today = [{**row, "score": 0.0 if row["rank"] == 10 else 0.5} for row in today]
    short = [row for row in today if (row["reader_id"], row["rank"]) != (300, 10)]
    publish(publisher, "today", pa.Table.from_pylist(short, lists().schema))
    return publisher


def test_the_status_page_has_its_facts_from_what_was_recorded(settings):
    crown(settings, 1, AS_OF - 2 * DAY)
    health = "insert into ops.health values (%s, 24, %s, 'all', 5, %s, 9, %s) returning 1"
    for end, version, shown, seconds in [(AS_OF, 1, 100, 300.0), (AS_OF, 2, 300, 500.0), (AS_OF - 40 * DAY, 1, 9, 9.0)]:
        ask_for(settings, health, end, version, shown, seconds)
    drift = "insert into ops.drift values (%s, 1, %s, 'm', 0.2, 0.1, %s) returning 1"
    for end, subject, drifted in [(AS_OF, "window", True), (AS_OF, "category", True), (AS_OF, "region", False)]:
        ask_for(settings, drift, end, subject, drifted)
    ask_for(settings, drift, AS_OF - HOUR, "window", False)
    found = facts.find_facts(settings, NOW)
    assert "trouble" not in found.status
    assert (found.status["lists"]["readers"], found.status["lists"]["readers_with_ten"]) == (300, 299)
    assert found.filled_share == pytest.approx(299 / 2999)
    assert [(row["window_end"], row["seconds_per_article"], row["impressions"]) for row in found.realised] == [
        (AS_OF, 2.0, 400)
    ]
    assert [(row["is_drifted"], row["moved"]) for row in found.drift] == [(True, ["category"]), (False, [])]
    assert found.status["incidents"] == []
    assert found.reigns[0]["version"] == 1
    assert all(size > 0 for size in found.state.values())
    page = build_status_page(replace(found, moment=NOW), Places("/daybreak", ""), may_see_readers=True)
    assert "1 of 300 readers have fewer than 10 articles." in " ".join([page.lead, *(line.words for line in page.more)])


def test_the_last_nightly_retraining_is_told_whatever_a_person_tried_since(settings, monkeypatch):
    runs = [{"run_id": f"retrain/{name}"} for name in ("manual__2", "scheduled__1", "scheduled__0")]
    monkeypatch.setattr(facts, "find_runs", lambda *asked, **limit: runs)
    assert facts.find_facts(settings, NOW).night == runs[1]
    del runs[1:]
    assert facts.find_facts(settings, NOW).night == runs[0]


def test_a_person_is_told_what_there_is_to_act_on(settings):
    crown(settings, 2, AS_OF - 2 * DAY)
    crown(settings, 1, AS_OF - DAY)
    holding.freeze(settings, "ada", reporting.now() + HOUR, "elections")
    found = find_situation(settings, reporting.now())
    assert (found.champion, found.lists["readers"], found.question, found.incidents) == (1, 300, None, [])
    assert [(way.version, way.made_at) for way in found.ways_back] == [(2, None)]
    assert [hold.kind for hold in found.holds] == ["freeze"]
    crown(settings, 2, AS_OF)
    assert [(way.version, way.made_at) for way in find_situation(settings, NOW).ways_back] == [(1, AS_OF)]


def test_two_versions_are_found_with_verdict_reading_and_data(settings):
    for version in (1, 2):
        model = (
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id) values (%s, 'd', 'most_read', 'f', 'f', %s, %s, 'r', 'gone') returning 1"
        )
        ask_for(settings, model, version, f"snapshot of {version}", AS_OF)
    crown(settings, 1, AS_OF - DAY)
    keep_verdict(settings, judge(), 2, 1, 1)
    ask_for(settings, "insert into ops.health values (%s, 24, 1, 'all', 5, 100, 9, 250.0) returning 1", AS_OF)
    found = find_comparison(settings, 1, 2)
    assert [row["snapshot_id"] for row in found.versions] == ["snapshot of 1", "snapshot of 2"]
    assert (found.verdict["challenger_version"], found.verdict["differences"]) == (2, [])
    assert (found.reading[1]["seconds_per_article"], list(found.reading)) == (2.5, [1])
    assert ([row["version"] for row in found.reigns], found.parameters) == ([1], None)
    with pytest.raises(DaybreakError, match="cannot be compared with itself"):
        find_comparison(settings, 1, 1)
    with pytest.raises(DaybreakError, match="There is no version v9"):
        find_comparison(settings, 1, 9)


def test_before_anything_ran_there_is_little_to_act_on(fresh_warehouse):
    found = find_situation(fresh_warehouse, NOW)
    assert (found.champion, found.lists, found.ways_back, found.holds) == (None, None, (), [])


def test_before_anything_ran_there_is_a_page(fresh_warehouse):
    page = build_status_page(facts.find_facts(fresh_warehouse, NOW), Places("/daybreak", ""), may_see_readers=True)
    assert page.lead == "Not yet: no lists have been published."


def test_an_open_incident_is_told_with_the_way_on(settings):
    trouble = json.dumps({"links": {"Run": "http://a/run", "Runbook": "http://a/runbook"}})
    ask_for(
        settings,
        "insert into ops.incidents (cause, subject, title, severity, trouble, thread, opened_at, last_at) values"
        " ('c', 'source', 'source: recommend failed: no title.', 'page', %s, 't', %s, %s) returning 1",
        trouble,
        NOW - 3 * HOUR,
        NOW,
    )
    page = build_status_page(facts.find_facts(settings, NOW), Places("/daybreak", ""), may_see_readers=True)
    told = [page.lead, *(line.words for line in page.more)]
    assert any("source: recommend failed: no title. Open for 3 h." in one for one in told)
    (found,) = [card for card in page.cards if card.title == "Open incidents"]
    assert found.lines[0].link.address == "http://a/runbook"


def test_a_database_that_is_down_is_the_answer(settings):
    found = facts.find_facts(settings.model_copy(update={"postgres_port": 1}), NOW)
    page = build_status_page(found, Places("/daybreak", ""), may_see_readers=True)
    assert (page.tone, page.cards) == ("bad", ())
    assert page.lead.startswith("No. PostgreSQL at 127.0.0.1:1/")


def test_quarantined_rows_have_the_publisher_of_their_article(settings):
    with connect(settings, "newsroom") as newsroom:
        asked = "select article_id, publisher from source.articles where publisher is not null order by 1 limit 1"
        article, publisher = newsroom.execute(asked).fetchone()
    row = "insert into quarantine.{} values (%s, 'C1', 'k', 'f', %s, 'broken', 'r', %s) returning 1"
    ask_for(settings, row.format("articles"), "s1", 1, "{}")
    ask_for(settings, row.format("articles"), "s2", 1, json.dumps({"publisher": "Post"}))
    ask_for(settings, row.format("reading_events"), "s2", 1, json.dumps({"article_id": article}))
    ask_for(settings, row.format("reading_events"), "s2", 2, json.dumps({"article_id": "no number"}))
    found = facts.find_facts(settings, NOW)
    assert [(row["snapshot_id"], row["rows"]) for row in found.status["quarantined"]] == [("s2", 3)]
    assert {(row["table_name"], row["publisher"]) for row in found.quarantined} == {
        ("articles", "Post"),
        ("reading_events", publisher),
        ("reading_events", None),
    }


def test_a_reader_has_todays_list_yesterdays_and_what_they_read(settings):
    found = facts.find_reader(settings, "7")
    assert [row["article_id"] for row in found.listed] == list(range(2, 12))
    assert (found.earlier_at, [row["article_id"] for row in found.earlier]) == (AS_OF - DAY, list(range(1, 11)))
    assert found.reads == []
    assert [row["article_id"] for row in facts.find_reader(settings, "1").reads] == [1, 2]


@pytest.mark.parametrize("name", ["no number", "--7", "9" * 30, "7\x00", "999"])
def test_a_reader_without_a_list_is_an_error_in_words(settings, name):
    with pytest.raises(DaybreakError, match=r"[rR]eader"):
        facts.find_reader(settings, name)


def test_an_article_is_counted_by_place_and_reason_and_needs_the_file(settings):
    found = facts.find_article(settings, "11")
    assert found.places == [{"rank": 10, "reason": "w", "readers": 299}]
    assert facts.find_article(settings, "999").places == []
    (settings.home / "lists" / "today" / "lists.parquet").unlink()
    with pytest.raises(DaybreakError, match="no file"):
        facts.find_article(settings, "11")


def test_a_run_has_its_stages_checks_and_the_pages_that_are_kept(settings):
    found = facts.find_run_facts(settings, NOW, "recommend", "today")
    assert found is not None
    assert [stage["stage"] for stage in found.run["stages"]] == ["write_batch"]
    assert found.checks["audit"]["failed"] == 1
    assert "299 of 300 lists have 10 articles. [PB102]" in found.checks["audit"]["told"][0]
    with pytest.raises(DaybreakError, match="no run retrain/never"):
        facts.find_run_facts(settings, NOW, "retrain", "never")


def test_a_run_that_failed_is_listed_with_the_page_that_it_left(settings):
    @recorded
    def audit(run):
        raise DaybreakError("The batch failed.", hint="look into it.")

    run = Run(settings, "cli/recommend/1", AS_OF, "ada", kind="command")
    write_batch(run, "today", settings.home)
    with pytest.raises(DaybreakError, match="The batch failed"):
        audit(run)
    assert facts.find_reports(settings, NOW, None) == []
    save(settings.home / "reports" / "lists" / "today.html", "")
    (found,) = facts.find_reports(settings, NOW, "recommend")
    assert (found["run_id"], found["state"], found["pages"]) == ("cli/recommend/1", "failed", ["lists/today.html"])
    assert facts.find_reports(settings, NOW, "retrain") == []


def test_champions_link_to_the_verdicts_that_are_kept(settings):
    crown(settings, 1, AS_OF - 2 * DAY)
    (reign,), versions = facts.find_champions(settings)
    assert (reign["version"], reign["page"], versions) == (1, None, [])
