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
from include.monitoring.drift import find_drift, keep_drift
from include.monitoring.page import report_drift
from include.monitoring.trigger import ask_for_retraining
from tests.worlds import tiny

HOUR = timedelta(hours=1)


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


def test_tastes_that_turned_are_seen_as_drift(turned):
    assert turned.is_drifted
    assert {column.column for column in turned.columns if column.is_drifted} == {
        "category",
        "word_count",
        "dwell_seconds_log",
        "familiarity",
    }


def test_readers_who_turn_to_something_else_are_seen_even_if_all_in_all_the_same_is_read(moved):
    assert moved.is_drifted
    assert [column.column for column in moved.columns if column.is_drifted] == ["familiarity"]


def test_another_day_of_the_same_tastes_is_not_drift(unchanged):
    assert not unchanged.is_drifted
    assert [column.column for column in unchanged.columns if column.is_drifted] == []


def test_what_a_publisher_leaves_empty_is_not_watched_and_no_error(settings, learnt_from):
    """Word counts may be empty, and on a day of new readers nobody has habits."""
    day = tiny.known_at(tiny.tiny(seed=2), tiny.AS_OF, days=1)
    empty = pa.nulls(day["articles"].num_rows, pa.int32())
    articles = day["articles"].set_column(day["articles"].column_names.index("word_count"), "word_count", empty)
    strangers = pc.add(day["reading_events"].column("reader_id"), 5000)
    events = day["reading_events"].set_column(1, "reader_id", strangers)
    window = tiny.store(settings, {**day, "articles": articles, "reading_events": events}, days=1)
    finding = find_drift(settings, window, learnt_from)
    assert {column.column for column in finding.columns}.isdisjoint({"word_count", "familiarity"})


def test_the_sentence_names_what_drifted_and_the_limit(turned):
    assert turned.sentence.startswith("4 of 7 watched columns drifted (")
    assert "category 0." in turned.sentence
    assert turned.sentence.endswith("the limit is 10 %.")


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


def report(settings, finding, others=(), reason=None):
    path = settings.home / "reports" / report_drift(settings, tiny.AS_OF, 7, finding, others, [], reason)
    return path, path.read_text()


def test_the_page_opens_with_the_window_the_champion_the_reference_and_what_follows(settings, turned):
    _, html = report(settings, turned, reason="Drift in 2 of the last 2 windows.")
    opening = " ".join(re.sub("<[^>]+>", " ", html.split("<main>")[1].split("What was compared")[0]).split())
    assert opening.startswith("Drift up to 2025-03-09 00:00 UTC Moved: reading (dwell_seconds_log ")
    assert (
        "Window 2025-03-08 00:00 to 2025-03-09 00:00 UTC Champion v7 Reference 2,000 reads of 2025-03-06 12:00"
        in opening
    )
    assert opening.endswith("What follows A retrain is requested. Drift in 2 of the last 2 windows.")


def test_the_page_says_that_nothing_moved_and_nothing_follows(settings, unchanged):
    _, html = report(settings, unchanged)
    assert '<p class="lead">Nothing moved.</p>' in html
    assert "No retrain is requested." in html


def test_drift_that_does_not_ask_yet_says_what_asking_takes(settings, turned):
    _, html = report(settings, turned)
    told = "No retrain is requested: that takes drift in 2 of the last 3 windows and 12 h since the last request."
    assert told in html


def test_what_was_not_compared_is_named(settings, unchanged):
    _, html = report(settings, unchanged, [Drift("lists", "the lists of v7 are compared from its second batch on.")])
    assert '<p class="lead">Nothing moved; not compared: lists.</p>' in html
    assert "lists: not compared. The lists of v7 are compared from its second batch on." in html


def test_evidentlys_json_is_kept_beside_the_page_and_linked_from_it(settings, turned, lists):
    path, html = report(settings, turned, [lists])
    kept = path.with_suffix(".json")
    assert f'href="{kept.name}"' in html
    numbers = json.loads(kept.read_text())
    assert list(numbers) == ["reading", "lists"]
    found = {metric["config"].get("column"): metric["value"] for metric in numbers["reading"]["metrics"][1:8]}
    assert found == {column.column: column.observed for column in turned.columns}


def test_lists_that_moved_are_told_but_do_not_count_for_the_window(emptied, settings, unchanged, lists):
    assert [column.column for column in lists.moved] == ["category"]
    with connect(emptied) as connection:
        keep_drift(connection, tiny.AS_OF, 1, unchanged, 0.3, [lists])
        kept = dict(connection.execute("select subject, is_drifted from ops.drift").fetchall())
    assert (kept["lists.category"], kept["lists.score"], kept["window"]) == (True, False, False)
    _, html = report(settings, unchanged, [lists])
    assert '<p class="lead">Moved: lists (category ' in html


def test_charts_compare_shares_of_the_rows_and_not_counts(turned):
    assert turned.drift.rows[0] != turned.drift.rows[1]
    assert len(turned.drift.charts) == len(turned.columns)
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
        connection.execute("delete from ops.drift; delete from ops.retrain_requests")
    return warehouse


def watch(warehouse, findings, version=1):
    """What each window in turn asks for, an hour apart."""
    rule = Settings(drift_violations=2, drift_windows=3, drift_cooldown_hours=12)
    asked = []
    for number, finding in enumerate(findings):
        end = tiny.AS_OF + number * HOUR
        with connect(warehouse) as connection:
            keep_drift(connection, end, version, finding, 0.3)
            asked.append(ask_for_retraining(rule, connection, end, version, finding))
    return asked


def test_the_second_drifted_window_asks_and_the_third_waits(emptied, turned):
    asked = watch(emptied, [turned, turned, turned])
    assert [bool(reason) for reason in asked] == [False, True, False]
    assert asked[1].startswith("Drift in 2 of the last 2 windows up to 2025-03-09 01:00 UTC: 4 of 7 watched columns")


def test_quiet_windows_ask_for_nothing(emptied, unchanged):
    assert watch(emptied, [unchanged] * 3) == [None] * 3


def test_watching_a_window_again_asks_the_same_and_is_kept_once(emptied, turned):
    first = watch(emptied, [turned, turned])
    again = watch(emptied, [turned, turned])
    assert again[1] == first[1]
    with connect(emptied) as connection:
        assert connection.execute("select count(*) from ops.retrain_requests").fetchone() == (1,)
        assert connection.execute("select count(*) from ops.drift where subject = 'window'").fetchone() == (2,)


def test_the_windows_of_another_champion_do_not_count(emptied, turned):
    watch(emptied, [turned], version=1)
    assert watch(emptied, [turned], version=2) == [None]
