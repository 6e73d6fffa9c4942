"""Lists before the first promotion, on a real PostgreSQL: the best baseline makes them, and says so everywhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import psycopg
import pyarrow as pa
import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.alerts.reporting import live_lists
from include.core.clock import now
from include.core.run import Run
from include.judging import champion as champions
from include.judging.serving_baseline import choose_baseline
from include.lists import batch as batches
from include.operations import status
from tests.worlds import tiny
from tests.worlds.batches import PLACES, about, lists

HOUR = timedelta(hours=1)


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse


@pytest.fixture
def first_days(settings):
    """A run of `recommend` in an installation where no model was promoted."""
    return Run(settings, "recommend/1", tiny.AS_OF, "tests")


def judged(settings, name, as_of=tiny.AS_OF, **ndcg):
    """A verdict that kept its challenger, with the accuracy of these contestants."""
    metrics = json.dumps({who: {"ndcg": value} for who, value in ndcg.items()})
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, checks, metrics) values (%s, %s, 'r', 1, null, 0, 'keep', '[]', %s)",
            [name, as_of, metrics],
        )


def chosen(settings, as_of=tiny.AS_OF):
    with connect(settings) as warehouse:
        return choose_baseline(warehouse, as_of)


def promote(settings, version=1):
    with connect(settings) as warehouse:
        entry = {"from_version": None, "why": "w", "actor": "a", "run_id": "r", "snapshot_id": "s"}
        assert champions.append(warehouse, after_seq=0, version=version, **entry)


def refresh(run, features):
    """What `recommend` publishes from these features."""
    return pipeline.publish(run, pipeline.audit(run, pipeline.write_batch(run, pipeline.score(run, features))))


def ask(settings, text):
    with connect(settings) as warehouse:
        return warehouse.execute(text).fetchall()


def test_before_any_verdict_the_default_baseline_makes_every_readers_full_list(settings, first_days, scoring_features):
    live = refresh(first_days, scoring_features)
    assert live.facts["changed"]
    assert live.facts["sentence"] == (
        "Lists by the baseline most_read (the default until a verdict has compared the baselines); no model has been "
        "promoted yet."
    )
    assert ask(settings, "select distinct model_version, baseline, is_stale from recs.current") == [
        (None, "most_read", True)
    ]
    assert ask(settings, "select count(distinct reader_id), count(*) from recs.current") == [(244, 2440)]


def test_their_page_status_and_mail_name_the_baseline(settings, first_days, scoring_features):
    judged(settings, "verdict-1", most_read=0.2, co_reading=0.3)
    live = refresh(first_days, scoring_features)
    page = (settings.home / "reports" / live.facts["report"]).read_text()
    assert "Lists by the baseline co_reading (the best in verdict verdict-1, NDCG 0.300)" in page
    found = status.gather(settings, {})
    assert found["lists"]["baseline"] == "co_reading"
    champion, lists_by = status.render_status(found, now()).splitlines()[:2]
    assert champion == "champion      none yet"
    assert lists_by.strip() == "lists by the baseline co_reading; no model has been promoted yet"
    with connect(settings) as warehouse:
        assert live_lists(warehouse).baseline == "co_reading"


def test_the_shown_reader_is_one_who_has_a_list_even_if_nothing_was_read_yet(publisher):
    unread = lists().set_column(4, "score", pa.array([0.0] * lists().num_rows, pa.float32()))
    with connect(publisher) as warehouse:
        made_by = {**about("b1"), "model_version": None, "baseline": "most_read"}
        batches.write(warehouse, unread.to_batches(), made_by)
        batches.set_status(warehouse, "b1", "audited")
        batches.switch(warehouse, "b1", tiny.AS_OF, 150)
    assert len(status.one_reader(publisher, None)) == PLACES


def test_the_best_baseline_of_the_newest_verdict_is_chosen(settings):
    assert chosen(settings).name == "most_read"
    judged(settings, "older", tiny.AS_OF - 2 * HOUR, challenger=0.9, most_read=0.1, most_read_last_day=0.2)
    judged(settings, "newer", tiny.AS_OF - HOUR, challenger=0.9, most_read=0.1, co_reading=0.05, gone_by_now=0.5)
    judged(settings, "yet to come", tiny.AS_OF + HOUR, most_read=0.1, most_read_last_hour=0.8)
    assert chosen(settings).name == "most_read"
    assert chosen(settings, tiny.AS_OF - 2 * HOUR).name == "most_read_last_day"
    assert chosen(settings, tiny.AS_OF + HOUR).name == "most_read_last_hour"


def test_a_verdict_that_measured_no_baseline_chooses_none(settings):
    judged(settings, "older", tiny.AS_OF - HOUR, most_read=0.1, most_read_last_day=0.2)
    judged(settings, "a challenger that could not be loaded")
    judged(settings, "without readers", most_read=None, co_reading=None)
    assert chosen(settings).name == "most_read_last_day"


def test_the_first_promoted_model_replaces_the_baseline_for_good(settings, first_days, scoring_features):
    """A batch that was scored before the promotion may not come live after it."""
    refresh(first_days, scoring_features)
    judged(settings, "verdict-1", most_read_last_hour=0.3)
    late = pipeline.audit(first_days, pipeline.write_batch(first_days, pipeline.score(first_days, scoring_features)))
    promote(settings)
    assert not pipeline.publish(first_days, late).facts["changed"]
    with connect(settings) as warehouse:
        batches.write(warehouse, lists().to_batches(), about("by_the_model", tiny.AS_OF))
        batches.set_status(warehouse, "by_the_model", "audited")
        assert batches.switch(warehouse, "by_the_model", tiny.AS_OF, 150)
    assert ask(settings, "select distinct model_version, baseline from recs.current") == [(1, None)]


def test_a_past_hour_has_the_lists_of_then_and_they_never_go_live(settings, first_days, scoring_features):
    promote(settings)  # long after the hour
    past = refresh(replace(first_days, kind="backfill"), scoring_features)
    assert past.facts["sentence"].startswith("Lists by the baseline most_read ")
    assert not past.facts["changed"]
    assert ask(settings, "select count(*) from recs.current") == [(0,)]


def test_making_them_again_makes_no_second_batch(settings, first_days, scoring_features):
    assert refresh(first_days, scoring_features) == refresh(first_days, scoring_features)
    assert ask(settings, "select count(*), min(baseline) from recs.batches") == [(1, "most_read")]


def test_another_baseline_makes_another_batch(settings, first_days, scoring_features):
    first = pipeline.score(first_days, scoring_features)
    judged(settings, "verdict-1", most_read_last_day=0.3)
    second = pipeline.score(first_days, scoring_features)
    assert first.id != second.id
    assert re.fullmatch(r"20250309T000000Z_baseline_[0-9a-f]{8}", second.id)


@pytest.mark.parametrize("both", [{"model_version": None}, {"baseline": "most_read"}], ids=["neither", "both"])
def test_a_batch_has_one_maker(settings, both):
    with pytest.raises(psycopg.errors.CheckViolation, match="made_by_one"), connect(settings) as warehouse:
        batches.write(warehouse, lists().to_batches(), {**about("b1"), **both})
