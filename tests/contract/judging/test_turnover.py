"""A challenger beside the lists that readers really have: those of `recs.live`, whoever made them, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.judging import turnover
from include.judging.turnover import count_turnover
from include.lists import batch as batches
from include.models import RANKED, model_class, registry
from tests.parts import cli
from tests.worlds import tiny
from tests.worlds.scenes import NOW

AS_OF = tiny.AS_OF


def lists(of):
    """Lists by reader: the articles of each."""
    rows = [
        {"reader_id": reader, "list_at": NOW, "rank": rank, "article_id": article, "score": 1.0, "reason": "w"}
        for reader, articles in of.items()
        for rank, article in enumerate(articles, 1)
    ]
    return pa.Table.from_pylist(rows, RANKED)


def test_places_that_stay_and_readers_who_get_fewer_are_counted_by_hand():
    live = np.array([[1, 10], [1, 11], [2, 10], [2, 12], [3, 10], [3, 11], [4, 10], [4, 11]])
    found = count_turnover(lists({1: [11, 10], 2: [10, 99], 3: [10]}), live, "b")
    assert (found.readers, found.kept_place_share, found.shorter_list_share) == (4, 4 / 8, 2 / 4)


@pytest.fixture(scope="module")
def settings(request, mlflow_server):
    """Live lists whose features are the newest, whatever was built beside them before this module ran."""
    request.getfixturevalue("live_lists")  # not by its name: here the module has it
    assert cli.say(mlflow_server, "recommend", "--as-of", AS_OF.isoformat()).code == 0
    return mlflow_server


@pytest.fixture(scope="module")
def champions_model(settings, champion):
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, champion.facts["version"])
    return registry.load_version(settings, registered)


def test_the_champions_own_lists_stay_to_the_last_place(settings, champions_model):
    found = turnover.measure_live_turnover(settings, champions_model, AS_OF)
    assert (found.kept_place_share, found.shorter_list_share) == (1.0, 0.0)
    assert found.readers == tiny.READERS + len(tiny.COLD_READERS)


def test_a_verdict_says_how_much_of_the_live_lists_would_stay(settings, run, features, champion, first_retrain):
    verdict = pipeline.judge(replace(run, run_id="beside live"), first_retrain.model, features)
    with connect(settings) as warehouse:
        batch_id = batches.find_live(warehouse)[0]
        ((outcome, observed, sentence),) = warehouse.execute(
            "select outcome, observed, sentence from ops.checks where run_id = 'beside live' and code = 'RT126'"
        ).fetchall()
    assert (outcome, observed) == ("passed", 1.0)
    assert sentence.startswith(
        f"100 % of the places in the live batch {batch_id} stay and 0 % of 244 readers get fewer"
    )
    assert sentence in (settings.home / "reports" / verdict.facts["report"]).read_text()


def test_another_models_lists_do_not(settings):
    found = turnover.measure_live_turnover(settings, model_class("most_read")(), AS_OF)
    assert found.kept_place_share < 0.6


@pytest.fixture
def another_is_live(settings):
    """As after a rollback: older lists than the newest features' are live, until the end."""
    row = {"reader_id": 1, "list_at": AS_OF, "rank": 1, "article_id": 1500, "score": 0.5, "reason": "w"}
    about = {"batch_id": "an_older_one", "as_of": AS_OF - timedelta(hours=1), "model_version": 1, "snapshot_id": "s"}
    rows = pa.Table.from_pylist([row], RANKED).to_batches()
    with connect(settings) as warehouse:
        batch_id = batches.find_live(warehouse)[0]
        batches.write(warehouse, rows, {**about, "run_id": "r", "list_length": 1})
        batches.set_status(warehouse, "an_older_one", "audited")
        batches.restore(warehouse, "an_older_one", 150)
    yield
    with connect(settings) as warehouse:
        batches.restore(warehouse, batch_id, 150)
        warehouse.execute("drop table recs.batch_an_older_one")
        warehouse.execute("delete from recs.batches where batch_id = 'an_older_one'")


def test_lists_of_another_moment_are_not_compared_and_that_is_told(settings, champions_model, another_is_live):
    found = turnover.measure_live_turnover(settings, champions_model, AS_OF)
    assert found.readers == 0
    assert found.told == (
        "Not compared: batch an_older_one is live, but the newest features are of 2025-03-09 00:00 UTC."
    )


def test_of_a_day_long_past_the_lists_of_today_say_nothing(settings, champions_model):
    found = turnover.measure_live_turnover(settings, champions_model, AS_OF - timedelta(hours=25))
    assert (found.readers, found.told) == (
        0,
        "The live lists are of 2025-03-09 00:00 UTC, long after the judged moment.",
    )


def test_before_the_first_lists_there_is_nothing_to_compare_with(fresh_warehouse, champions_model):
    assert turnover.measure_live_turnover(fresh_warehouse, champions_model, AS_OF).told == "No lists are live yet."
