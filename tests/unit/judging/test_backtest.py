"""A backtest's figures by hand: where the read article stands, means over questions, who is ahead and how surely."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.core.clock import parse_length
from include.core.contract import MOMENT
from include.core.errors import SettingsError
from include.core.run import Run
from include.core.settings import Settings
from include.judging.backtest.figures import add_up, measure
from include.judging.backtest.ground import first_reads
from include.judging.backtest.page import as_text, sentence, summary, write_report
from include.judging.backtest.plan import Plan
from include.judging.backtest.walking import StepResult, expect_seconds, place_answers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2025, 3, 9, 12, tzinfo=UTC)
RUN = Run(Settings(), "cli/backtest/1", NOW, "ada")
KEYS = [("reader_id", pa.int64()), ("list_at", MOMENT)]
ORDERED = pa.schema([*KEYS, ("rank", pa.int32()), ("article_id", pa.int64())])
WANTED = pa.schema([*KEYS, ("article_id", pa.int64()), ("seconds", pa.float64())])


def a_plan(**changes):
    values = {
        "start": NOW,
        "end": NOW + 4 * HOUR,
        "every": HOUR,
        "train_window": 3 * DAY,
        "refit": DAY,
        "k": 3,
        "mode": "lists",
        "models": ("two_stage", "co_reading", "most_read_last_hour"),
    }
    return Plan(**{**values, **changes})


def placed(order, wanted, k=3):
    """What is found for lists (reader -> articles) and reads (reader, article, seconds)."""
    lists = [
        {"reader_id": reader, "list_at": NOW, "rank": rank, "article_id": article}
        for reader, articles in order.items()
        for rank, article in enumerate(articles, 1)
    ]
    reads = [{"reader_id": r, "list_at": NOW, "article_id": a, "seconds": s} for r, a, s in wanted]
    return place_answers(pa.Table.from_pylist(lists, ORDERED), pa.Table.from_pylist(reads, WANTED), k)


def judged(order, wanted, k=3, model="m", step=NOW, live=10, who=None):
    rows, reach = placed(order, wanted, k)
    ids = rows.column("reader_id")
    rows = rows.drop_columns(["list_at"]).append_column("who_id", ids if who is None else pa.array(who, pa.int64()))
    facts = {"questions": len(order), "live_count": live, "answers": len(wanted), "answers_in_reach": len(wanted)}
    return StepResult(model, step, rows, {**facts, **reach})


# Where what was read stands


def test_the_first_place_is_worth_one_and_the_third_half_of_it():
    found = measure([judged({1: [7, 8, 9], 2: [7, 8, 9], 3: [7, 8, 9]}, [(1, 7, None), (2, 9, None), (3, 5, None)])])
    assert found["ndcg"] == pytest.approx((1 + 1 / math.log2(4) + 0) / 3)
    assert found["hit_rate"] == pytest.approx(2 / 3)
    assert found["mrr"] == pytest.approx((1 + 1 / 3) / 3)
    assert found["recall"] == pytest.approx(2 / 3)


def test_several_reads_are_held_against_the_best_order_of_a_list_of_that_length():
    found = measure([judged({1: [7, 8, 9]}, [(1, a, None) for a in (8, 9, 4, 5, 6)])])
    best = 1 + 1 / math.log2(3) + 1 / 2
    assert found["ndcg"] == pytest.approx((1 / math.log2(3) + 1 / 2) / best)
    assert found["recall"] == pytest.approx(2 / 5)
    assert (found["hit_rate"], found["mrr"]) == (1.0, 0.5)


def test_what_stands_below_the_last_place_is_not_seen():
    found = measure([judged({1: [7, 8, 9, 4]}, [(1, 4, None)])])
    assert (found["ndcg"], found["hit_rate"], found["mrr"]) == (0.0, 0.0, 0.0)


def test_time_is_a_ratio_over_all_questions_and_capped_per_read():
    one = judged({1: [7, 8, 9], 2: [7, 8, 9]}, [(1, 7, 30.0), (2, 8, 9000.0)])
    assert measure([one])["time_ndcg"] == pytest.approx((30 + 600 / math.log2(3)) / (30 + 600))


def test_without_a_known_dwell_there_is_no_time_figure():
    assert math.isnan(measure([judged({1: [7]}, [(1, 7, None)])])["time_ndcg"])


def test_coverage_and_full_lists_are_counted_over_everything_shown():
    one = judged({1: [7, 8, 9], 2: [7, 8], 3: [7, 8, 5]}, [(1, 7, None)], live=8)
    assert measure([one])["coverage"] == 4 / 8
    assert measure([one])["full_share"] == pytest.approx(2 / 3)


def test_a_list_that_is_missing_counts_as_missed():
    assert measure([judged({1: [7]}, [(1, 7, None), (2, 7, None)])])["hit_rate"] == 0.5


def test_a_mean_is_over_questions_and_not_over_steps():
    busy = judged({n: [7] for n in range(1, 10)}, [(n, 7, None) for n in range(1, 10)])
    quiet = judged({1: [7]}, [(1, 8, None)], step=NOW + HOUR)
    assert measure([busy, quiet])["ndcg"] == pytest.approx(0.9)


def test_shorter_lists_are_told_of_too_as_if_they_had_been_asked_for():
    orders = {1: [7, 1, 2, 3, 4, 5], 2: [1, 2, 7, 3, 4, 5], 3: [1, 2, 3, 4, 5, 7], 4: [1, 2, 3, 4, 5, 6]}
    wanted = [(reader, 7, None) for reader in orders]
    found = add_up([judged(orders, wanted, k=6)], seed=1, k=6).shorter
    assert list(found) == [5]
    asked = measure([judged(orders, wanted, k=5)])
    assert found[5]["m"] == pytest.approx({name: asked[name] for name in ("ndcg", "hit_rate", "mrr")})
    assert found[5]["m"]["hit_rate"] == 2 / 4


def test_of_several_reads_no_ndcg_of_a_shorter_list_is_made_up(tmp_path):
    figures = add_up([judged({1: [7, 1, 2, 3, 4, 5]}, [(1, 7, None), (1, 4, None)], k=6)], seed=1, k=6)
    assert math.isnan(figures.shorter[5]["m"]["ndcg"])
    assert figures.shorter[5]["m"]["mrr"] == 1
    write_report(RUN, tmp_path, a_plan(k=6), figures, [])
    assert "MRR@5" in (tmp_path / "index.html").read_text()
    assert "NDCG@5" not in (tmp_path / "index.html").read_text()
    assert json.loads((tmp_path / "summary.json").read_text())["shorter"]["5"]["m"]["ndcg"] is None


def test_the_time_left_counts_a_fit_where_one_is_to_come_and_not_with_every_step():
    assert expect_seconds(100.0 + 3 * 2, [100.0], 3, 10, 0) == 20
    assert expect_seconds(100.0 + 3 * 2, [100.0], 3, 30, 1) == 160
    assert expect_seconds(6.0, [], 3, 10, 1) == 20


# Who is ahead


def contest(readers=40):
    wanted = [(reader, 7, None) for reader in range(1, readers + 1)]
    first, second, last = [7, 8, 9], [8, 7, 9], [8, 9, 7]
    orders = {"two_stage": first, "co_reading": second, "most_read_last_hour": last}
    return [judged({r: order for r, _, _ in wanted}, wanted, model=name) for name, order in orders.items()]


def test_every_model_is_held_against_the_best_baseline():
    figures = add_up(contest(), seed=1)
    assert figures.best_baseline == "co_reading"
    assert set(figures.differences) == {"two_stage", "most_read_last_hour"}
    gap = figures.differences["two_stage"]
    assert gap.mean == pytest.approx(1 - 1 / math.log2(3)) == pytest.approx(gap.low) == pytest.approx(gap.high)
    assert gap.readers == 40


def test_a_reader_with_several_sessions_is_drawn_once_with_all_of_them():
    wanted = [(n, 7, None) for n in range(1, 5)]
    ours = judged({n: [7] for n in range(1, 5)}, wanted, model="two_stage", who=[9, 9, 9, 5])
    theirs = judged({n: [8] for n in range(1, 5)}, wanted, model="co_reading", who=[9, 9, 9, 5])
    assert add_up([ours, theirs], seed=1).differences["two_stage"].readers == 2


def test_without_a_baseline_nothing_is_said_of_a_difference():
    figures = add_up([judged({1: [7]}, [(1, 7, None)], model="two_stage")], seed=1)
    assert (figures.best_baseline, figures.differences) == (None, {})
    assert "two_stage" in as_text(a_plan(), figures)


# What people see


def test_the_table_names_every_model_and_the_sentence_the_leader():
    figures = add_up(contest(), seed=1)
    text = as_text(a_plan(), figures)
    assert [line.split()[0] for line in text.splitlines()[:4]] == ["model", *figures.means]
    assert sentence(a_plan(), figures).startswith("two_stage leads 40 reader lists with NDCG@3 1.000, +58.5 % (+0.3691")
    assert "Time NDCG" not in text


def test_a_baseline_in_front_is_said_plainly():
    figures = add_up(contest()[1:], seed=1)
    assert sentence(a_plan(), figures).endswith("the best baseline is ahead of every model.")


def test_the_report_holds_page_steps_and_figures(tmp_path):
    plan, figures = a_plan(mode="next-read"), add_up(contest(), seed=1)
    write_report(RUN, tmp_path, plan, figures, [("snapshot", "s-1")])
    page = (tmp_path / "index.html").read_text()
    assert "<svg" in page
    linked = {address for address in re.findall(r'href="([^"]+)"', page) if ":" not in address}
    assert linked == {"steps.csv", "summary.json"} <= {file.name for file in tmp_path.iterdir()}
    assert len((tmp_path / "steps.csv").read_text().splitlines()) == 1 + 3
    stored = json.loads((tmp_path / "summary.json").read_text())
    assert stored == json.loads(json.dumps(summary(plan, figures, [("snapshot", "s-1")])))
    assert stored["means"]["two_stage"]["ndcg"] == 1.0
    assert stored["means"]["two_stage"]["time_ndcg"] is None


# The plan


def test_steps_are_whole_and_fits_are_as_often_as_asked():
    plan = a_plan(end=NOW + 26.5 * HOUR, refit=12 * HOUR)
    assert (plan.steps[0], plan.steps[-1], len(plan.steps)) == (NOW, NOW + 25 * HOUR, 26)
    assert sorted({plan.fitted_at(step) for step in plan.steps}) == [NOW, NOW + 12 * HOUR, NOW + 24 * HOUR]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"end": NOW + HOUR / 2}, "No step"),
        ({"k": 0}, "above zero"),
        ({"every": timedelta(seconds=1), "end": NOW + DAY}, "86,400 steps"),
        ({"mode": "guess"}, "no mode 'guess'"),
        ({"models": ("two_stage", "oracle")}, "no model oracle"),
        ({"models": ()}, "No model is named"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_says_why(changes, said):
    with pytest.raises(SettingsError, match=said):
        a_plan(**changes)


@pytest.mark.parametrize(("text", "length"), [("30m", HOUR / 2), ("1h", HOUR), ("7d", 7 * DAY)])
def test_a_length_is_written_as_people_say_it(text, length):
    assert parse_length(text) == length


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "1w", "1.5h", "-1d", "9999999d"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(SettingsError, match="not a length of time"):
        parse_length(text)


# Sessions


def sessions_of(clicks):
    """The first reads of clicks (reader, article, minute, session_id)."""
    import duckdb

    rows = {
        "event_id": np.arange(len(clicks)),
        "reader_id": [c[0] for c in clicks],
        "article_id": [c[1] for c in clicks],
        "kind": ["click"] * len(clicks),
        "occurred_at": pa.array([NOW + timedelta(minutes=c[2]) for c in clicks], MOMENT),
        "session_id": pa.array([c[3] for c in clicks], pa.int64()),
    }
    connection = duckdb.connect()
    connection.register("reading_events", pa.table(rows))
    found = first_reads(connection).to_pylist()
    return {(row["reader_id"], row["article_id"]): row for row in found}


def asked_for(found):
    return sorted(article for (_, article), row in found.items() if row["is_asked_for"])


def test_a_pause_of_more_than_half_an_hour_ends_a_session():
    found = sessions_of([(1, 11, 0, None), (1, 12, 30, None), (1, 13, 61, None), (1, 14, 70, None)])
    assert found[1, 11]["sitting_no"] == found[1, 12]["sitting_no"] != found[1, 13]["sitting_no"]
    assert asked_for(found) == [12, 14]


def test_the_publishers_own_sessions_are_taken_as_they_are():
    found = sessions_of([(1, 11, 0, 5), (1, 12, 1, 6), (1, 13, 300, 5)])
    assert asked_for(found) == [13]


def test_an_article_belongs_to_the_session_it_was_first_read_in():
    found = sessions_of([(1, 11, 0, None), (1, 12, 1, None), (1, 11, 100, None), (1, 13, 101, None)])
    assert len(found) == 3
    assert not found[1, 13]["is_asked_for"]  # 11 was known: nothing new comes before it


def test_a_session_of_one_article_is_not_asked_for():
    assert not sessions_of([(1, 11, 0, None)])[1, 11]["is_asked_for"]


def test_reading_again_keeps_a_session_going():
    found = sessions_of([(1, 11, 0, None), (1, 11, 25, None), (1, 12, 50, None)])
    assert found[1, 12]["is_asked_for"]
