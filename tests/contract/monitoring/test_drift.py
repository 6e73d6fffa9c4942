"""Drift, measured by the real Evidently: another taste is seen, another day of the same taste is not."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from include.adapters.evidently_report import Drift, Samples, measure_drift
from include.adapters.warehouse import connect
from include.core.settings import Settings
from include.monitoring.drift import find_drift, find_quality_before, keep_drift
from include.monitoring.page import report_drift
from include.monitoring.trigger import Answer, ask_for_retraining
from tests.worlds import tiny

HOUR = timedelta(hours=1)
NOTHING = Answer("No retrain is requested.")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("drift"), **tiny.TINY)


@pytest.fixture(scope="module")
def learnt_from(settings):
    return tiny.store(settings, tiny.known_at(tiny.tiny(), tiny.AS_OF, days=5))


@pytest.fixture(scope="module")
def turned(settings, learnt_from):
    """What is found for a day on which everybody reads science, and the long articles."""
    day = tiny.store(settings, tiny.known_at(tiny.tiny(tastes="turned"), tiny.AS_OF, days=1), days=1)
    return find_drift(settings, day, learnt_from)


@pytest.fixture(scope="module")
def moved(settings, learnt_from):
    """What is found for a day on which each group reads the next one's category."""
    day = tiny.store(settings, tiny.known_at(tiny.tiny(tastes="moved"), tiny.AS_OF, days=1), days=1)
    return find_drift(settings, day, learnt_from)


@pytest.fixture(scope="module")
def unchanged(settings, learnt_from):
    """What is found for a day of the same tastes, with other reads."""
    day = tiny.store(settings, tiny.known_at(tiny.tiny(seed=2), tiny.AS_OF, days=1), days=1)
    return find_drift(settings, day, learnt_from)


def moved_columns(finding):
    return {one.column for one in finding.findings if one.moved}


def test_tastes_that_turned_are_seen_as_drift(turned):
    assert turned.is_drifted
    assert moved_columns(turned) == {
        "reads.category",
        "reads.word_count",
        "reads.dwell_seconds",
        "reads.familiarity",
    }


def test_readers_who_turn_to_something_else_are_seen_even_if_all_in_all_the_same_is_read(moved):
    assert moved.is_drifted
    assert moved_columns(moved) == {"reads.familiarity"}


def test_another_day_of_the_same_tastes_is_not_drift(unchanged):
    assert not unchanged.is_drifted
    assert moved_columns(unchanged) == set()


def test_a_window_measured_again_gives_the_same(settings, learnt_from, turned):
    day = tiny.store(settings, tiny.known_at(tiny.tiny(tastes="turned"), tiny.AS_OF, days=1), days=1)
    assert find_drift(settings, day, learnt_from).findings == turned.findings


def test_seconds_that_came_as_milliseconds_are_named_though_validation_sets_such_rows_aside(settings, learnt_from):
    day = tiny.known_at(tiny.tiny(seed=2), tiny.AS_OF, days=1)
    events = day["reading_events"]
    place = events.column_names.index("dwell_seconds")
    events = events.set_column(place, "dwell_seconds", pc.multiply(events.column("dwell_seconds"), 1000.0))
    finding = find_drift(settings, tiny.store(settings, {**day, "reading_events": events}, days=1), learnt_from)
    assert moved_columns(finding) == {"reads.dwell_seconds", "reads.long_dwell_seconds"}
    assert "econds per read look like milliseconds: median " in finding.sentence


def test_reads_from_our_own_lists_move_nothing(settings, learnt_from):
    day = tiny.known_at(tiny.tiny(seed=2), tiny.AS_OF, days=1)
    listed = tiny.known_at(tiny.tiny(tastes="turned"), tiny.AS_OF, days=1)["reading_events"]
    place = listed.column_names.index("batch_id")
    listed = listed.set_column(place, "batch_id", pa.repeat("b1", listed.num_rows))
    both = pa.concat_tables([day["reading_events"], listed])
    finding = find_drift(settings, tiny.store(settings, {**day, "reading_events": both}, days=1), learnt_from)
    assert moved_columns(finding) == set()


def test_what_a_publisher_leaves_empty_is_not_judged_and_no_error(settings, learnt_from):
    """Word counts may be empty, and on a day of new readers nobody has habits."""
    day = tiny.known_at(tiny.tiny(seed=2), tiny.AS_OF, days=1)
    empty = pa.nulls(day["articles"].num_rows, pa.int32())
    articles = day["articles"].set_column(day["articles"].column_names.index("word_count"), "word_count", empty)
    strangers = pc.add(day["reading_events"].column("reader_id"), 5000)
    events = day["reading_events"].set_column(1, "reader_id", strangers)
    window = tiny.store(settings, {**day, "articles": articles, "reading_events": events}, days=1)
    finding = find_drift(settings, window, learnt_from)
    notes = {one.column: one.note for one in finding.findings if one.note}
    assert notes["reads.word_count"] == "the window has 0 values; 500 are needed."
    assert {"reads.word_count", "reads.familiarity", "news.word_count"} <= notes.keys()


def test_the_sentence_says_from_what_to_what_and_what_is_ordinary(turned):
    assert (
        "ategory science among reads has 4.0 times its usual share: 25 % → 100 % (ordinary windows: " in turned.sentence
    )
    assert "word count of what is read: median 200 → 1,200 (ordinary windows: " in turned.sentence


@pytest.fixture(scope="module")
def lists():
    """Places of two batches: in the older one, a name that would end a script."""

    def places(*categories):
        return pd.DataFrame({"score": [0.5, 0.25] * 500, "category": [*categories] * 500})

    hostile = "</script><script>document.title='taken'</script>"
    samples = Samples(
        "lists", ("places now", "places then"), places("news", "sport"), places(hostile, "sport"), {"score": 0.25},
        {"category": 0.15},
    )  # fmt: skip
    return measure_drift(samples, 100)


def report(settings, finding, others=(), answer=NOTHING):
    path = settings.home / "reports" / report_drift(settings, tiny.AS_OF, 7, finding, others, [], answer)
    return path, path.read_text()


def read(html):
    """The words of our part of the page."""
    return " ".join(re.sub("<[^>]+>", " ", html.split("<main>")[1].split("</main>")[0]).split())


def test_the_page_opens_with_how_much_moved_what_it_is_and_what_follows(settings, turned):
    _, html = report(settings, turned, answer=Answer("A retrain is requested. Why.", "Why."))
    told = read(html)
    assert re.match(
        r"Drift up to 2025-03-09 00:00 UTC \d+ of \d+ watched columns moved beyond ordinary windows\. C", told
    )
    opening, drawn = told.split("What moved, beside ordinary windows")
    assert "Word count of what is read: median 200 → 1,200 (ordinary windows: " in opening
    assert "A retrain is requested. Why. Window 2025-03-08 00:00 to 2025-03-09 00:00 UTC Champion v7 Usual" in opening
    assert "The same hours of 5 days that the champion was trained on" in opening
    assert "0.5 false alarms a month" in opening
    assert re.match(r" Category science among reads moved 25 % → 100 % \(", drawn)
    assert 'class="answer ask"' in html
    assert re.findall(r"<title>Drift up to [^<]* UTC · Daybreak</title>", html.split("<body>")[0])


def test_the_page_says_that_nothing_moved_and_folds_the_columns_away(settings, unchanged):
    _, html = report(settings, unchanged)
    told = read(html)
    assert told.split(" UTC ", 1)[1].startswith(unchanged.sentence)
    assert unchanged.sentence.startswith("Nothing moved: all 1")
    assert "What moved" not in told
    assert re.search(r"<details><summary>1\d columns as in ordinary windows</summary>", html)
    assert 'class="answer good"' in html


def test_what_was_not_compared_is_named(settings, unchanged):
    _, html = report(settings, unchanged, [Drift("lists", "the lists of v7 are compared from its second batch on.")])
    assert "lists Not compared. The lists of v7 are compared from its second batch on." in read(html)


def test_evidentlys_json_is_kept_beside_the_page_and_linked_from_it(settings, turned, lists):
    path, html = report(settings, turned, [lists])
    kept = path.with_suffix(".json")
    assert f'href="{kept.name}"' in html
    numbers = json.loads(kept.read_text())
    assert list(numbers) == ["reading", "lists"]
    found = {metric["config"].get("column"): metric["value"] for metric in numbers["reading"]["metrics"][1:7]}
    assert found == {column.column: column.observed for column in turned.drift.columns}


def test_lists_that_moved_are_told_but_do_not_count_for_the_window(emptied, settings, unchanged, lists):
    assert [column.column for column in lists.moved] == ["category"]
    with connect(emptied) as connection:
        keep_drift(connection, tiny.AS_OF, 1, unchanged, [lists])
        kept = dict(connection.execute("select subject, is_drifted from ops.drift").fetchall())
    assert (kept["lists.category"], kept["lists.score"], kept["window"]) == (True, False, False)
    _, html = report(settings, unchanged, [lists])
    assert "1 of 2 columns beyond their limits (category " in html


def test_charts_compare_shares_of_the_rows_and_not_counts(turned):
    assert turned.drift.rows[0] != turned.drift.rows[1]
    assert len(turned.drift.charts) == len(turned.drift.columns) == 6
    for chart in turned.drift.charts:
        assert [sum(bars["y"]) for bars in chart.params["data"]] == pytest.approx([1.0, 1.0])


def test_a_name_cannot_end_the_pages_script_and_nothing_is_fetched_from_elsewhere(settings, unchanged, lists):
    _, html = report(settings, unchanged, [lists])
    assert "<script>document.title" not in html
    assert "&lt;script&gt;document.title" in html
    assert re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[^>]*", html) == []
    assert re.findall(r"url\(\s*[\"']?(?!data:)[^)]{3,}", html.split("<body>")[0]) == []


@pytest.fixture
def emptied(warehouse):
    with connect(warehouse) as connection:
        connection.execute(
            "delete from ops.drift; delete from ops.retrain_requests; delete from ops.runs; delete from ops.models;"
            "delete from ops.verdicts; delete from ops.health"
        )
    return warehouse


def watch(warehouse, findings, version=1, since=0, **how):
    """What follows from each window in turn, an hour apart."""
    rule = Settings(drift_violations=2, drift_windows=3, drift_cooldown_hours=12)
    answers = []
    for number, finding in enumerate(findings, since):
        end = tiny.AS_OF + number * HOUR
        with connect(warehouse) as connection:
            keep_drift(connection, end, version, finding)
            answers.append(ask_for_retraining(rule, connection, end, version, finding.findings, **how))
    return answers


def test_the_second_drifted_window_asks_and_the_third_waits(emptied, turned):
    answers = watch(emptied, [turned, turned, turned])
    assert [bool(answer.reason) for answer in answers] == [False, True, False]
    assert answers[1].reason.startswith("Drift in 2 of the last 3 windows up to 2025-03-09 01:00 UTC: ")
    assert "reads.word_count" in answers[1].columns


def test_quiet_windows_ask_for_nothing(emptied, unchanged):
    assert [answer.reason for answer in watch(emptied, [unchanged] * 3)] == [None] * 3


def test_watching_a_window_again_asks_the_same_and_is_kept_once(emptied, turned):
    first = watch(emptied, [turned, turned])
    again = watch(emptied, [turned, turned])
    assert again[1] == first[1]
    with connect(emptied) as connection:
        assert connection.execute("select count(*) from ops.retrain_requests").fetchone() == (1,)
        assert connection.execute("select count(*) from ops.drift where subject = 'window'").fetchone() == (2,)


def test_a_past_window_says_what_it_would_have_asked_for_and_uses_up_nothing(emptied, turned):
    assert watch(emptied, [turned, turned], is_past=True)[1].reason
    with connect(emptied) as connection:
        assert connection.execute("select count(*) from ops.retrain_requests").fetchone() == (0,)


def test_the_windows_of_another_champion_do_not_count(emptied, turned):
    watch(emptied, [turned], version=1)
    assert [answer.reason for answer in watch(emptied, [turned], version=2)] == [None]


def test_drift_that_stays_after_its_verdict_is_told_and_asks_no_more(emptied, turned):
    asked = watch(emptied, [turned, turned])[1]
    with connect(emptied) as connection:
        connection.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, checks, metrics, of_record_at) values ('v', %s, 'r', 8, 1, 1, 'keep', '[]', '{}', now())",
            [tiny.AS_OF + HOUR],
        )
    later = watch(emptied, [turned, turned], since=25)[1]
    assert later.reason is None
    assert later.unhelped.columns == asked.columns
    assert "did not help (v8 was not better)" in later.sentence


def test_a_training_that_runs_already_is_waited_for(emptied, turned):
    with connect(emptied) as connection:
        connection.execute(
            "insert into ops.runs (run_id, stage, as_of, status, started_at) values ('retrain/manual', 'train', %s,"
            " 'running', %s)",
            [tiny.AS_OF, tiny.AS_OF],
        )
    waits = watch(emptied, [turned, turned])[1]
    assert (waits.reason, waits.sentence) == (None, "No retrain is requested yet: retrain/manual is running.")


def test_history_that_is_filled_in_meanwhile_is_not_waited_for(emptied, turned):
    with connect(emptied) as connection:
        for run_id, stage in (("monitor/backfill__1", "watch"), ("cli/backfill/7", "report_backfill")):
            connection.execute(
                "insert into ops.runs (run_id, stage, as_of, status, started_at, kind) values (%s, %s, %s, 'running',"
                " %s, 'backfill')",
                [run_id, stage, tiny.AS_OF, tiny.AS_OF],
            )
    assert watch(emptied, [turned, turned])[1].reason


def test_columns_that_the_champion_hardly_uses_are_noted(emptied, turned):
    with connect(emptied) as connection:
        connection.execute(
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id, weights) values (1, 'd', 'm', 'f', 'f', 's', %s, 'r', 'm', '{\"age_hours\": 1}')",
            [tiny.AS_OF],
        )
    noted = watch(emptied, [turned, turned])[1]
    assert {one.column for one in noted.noted} >= {"reads.category", "reads.word_count", "reads.familiarity"}


def test_the_quality_of_earlier_windows_at_this_hour_is_found(emptied):
    rows = [(24, 1, 100, 500.0), (24, 2, 100, 300.0), (48, 1, 50, 100.0), (30, 1, 999, 9.0), (24 * 40, 1, 999, 9.0)]
    rows.append((72, 1, 999, 9.0))  # called, so no part of what is usual
    with connect(emptied) as connection:
        connection.execute(
            "insert into ops.drift (window_end, model_version, subject, method, observed, limit_is, is_drifted)"
            " values (%s, 1, 'lists.seconds_per_article', 'plain', 0, 1, true)",
            [tiny.AS_OF - 72 * HOUR],
        )
        for hours, version, shown, seconds in rows:
            connection.execute(
                "insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads,"
                " read_seconds) values (%s, 24, %s, 'all', 1, %s, 1, %s)",
                [tiny.AS_OF - hours * HOUR, version, shown, seconds],
            )
        found = find_quality_before(Settings(), connection, tiny.AS_OF)
    assert [(one.value, one.rows) for [one] in found] == [(2.0, 50), (4.0, 200)]
