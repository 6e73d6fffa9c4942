"""A backtest from the command line: one line in, a table and a report out."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from include.models import BASELINES
from tests.parts import cli, servers
from tests.worlds import sessions, tiny

HOUR = timedelta(hours=1)
DAYS = 3
COUNTING = ("co_reading", "most_read_last_hour", "most_read_last_day")


@pytest.fixture(scope="module")
def backtest(tiny_world):
    """A backtest of the tiny world's last twelve hours, from the publisher's tables to the report."""
    words = (
        *("backtest", "--from", (tiny.AS_OF - 12 * HOUR).isoformat(), "--to", tiny.AS_OF.isoformat()),
        *("--every", "6h", "--train-window", "2d", "--sample", "100"),
    )
    return words, cli.say(tiny_world, *words)


def test_a_backtest_needs_one_line_and_ends_with_a_table(backtest):
    _, answer = backtest
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].split()[:2] == ["model", "NDCG@10"]
    assert {line.split()[0] for line in lines[1 : 2 + len(BASELINES)]} == {"two_stage", *BASELINES}
    assert "step 2 of 2" in answer.err


def test_its_report_is_there_and_said_where(backtest):
    _, answer = backtest
    page = Path(answer.out.splitlines()[-1].split()[-1])
    assert "<svg" in page.read_text()
    found = json.loads((page.parent / "summary.json").read_text())
    assert found["questions"] > 50
    assert found["means"]["two_stage"]["time_ndcg"] > found["means"]["most_read_last_hour"]["time_ndcg"]


def test_the_same_line_again_gives_the_same_answer_and_works_nothing_out(tiny_world, backtest):
    words, answer = backtest
    again = cli.say(tiny_world, *words)
    assert again.out == answer.out
    assert "2 of 2 steps were already done" in again.err


def test_a_log_of_clicks_alone_goes_from_the_views_to_the_table(fresh_warehouse):
    """No title, category, dwell, position or session: validation lets it pass, and each next read is asked for."""
    servers.write_env_file(fresh_warehouse)
    tiny.publish(fresh_warehouse, sessions.session_log(DAYS, 7000, 450))
    step = sessions.end_of(DAYS) - 9 * HOUR
    words = ("backtest", "--from", step.isoformat(), "--to", (step + 2 * HOUR).isoformat(), "--train-window", "1d")
    answer = cli.say(fresh_warehouse, *words, "--mode", "next-read", "--k", "20", "--models", ",".join(COUNTING))
    assert answer.code == 0, answer.err
    figures = {line.split()[0]: float(line.split()[1]) for line in answer.out.splitlines()[1:4]}
    assert figures["co_reading"] == max(figures.values()) > 0.1
    assert "leads" in answer.out


def test_a_backtest_of_the_future_is_refused(tiny_world):
    answer = cli.say(tiny_world, "backtest", "--from", "2025-03-01", "--to", "2999-01-01")
    assert (answer.code, len(answer.error_lines)) == (1, 1)
    assert "in the future" in answer.error_lines[0]
