"""A publisher's first days, from the command line: no reading, an hour, a day, and the first model that is promoted.

A log of clicks alone. At first every reader clicks what is new, so nothing beats the baselines; then four groups of
readers each have articles of their own.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from include.adapters import feast_store
from include.adapters.warehouse import connect
from tests.loop.test_clicks_only import MAPPING
from tests.parts import cli, servers

pytestmark = pytest.mark.timeout(1800)  # two trainings, on a machine that may do much else
HOUR = timedelta(hours=1)
FIRST_HOUR = datetime(2017, 10, 4, 23, tzinfo=UTC)  # its end is midnight
FIRST_DAY = FIRST_HOUR + 32 * HOUR
FIRST_MODEL = FIRST_DAY + 72 * HOUR
ORIGIN = FIRST_HOUR - 24 * HOUR
READERS, SLOT = 120, timedelta(hours=3)


def clicks(start, end, *, have_groups=False):
    """(reader, article, ms): a click each four hours, on one of twelve articles of a recent slot of three hours."""
    random = np.random.default_rng(3)
    hours = (end - start) / HOUR
    for reader in range(READERS):
        for seconds in random.uniform(0, 3600 * hours, max(1, round(hours / 4))).tolist():
            at = start + timedelta(seconds=seconds)
            slot = (at - ORIGIN) // SLOT - int(random.integers(0, 4))
            own = reader % 4 * 3 + int(random.integers(0, 3)) if have_groups else int(random.integers(0, 12))
            yield reader, 10_000 + 12 * slot + own, int(at.timestamp() * 1000)


@pytest.fixture(scope="module")
def said(pristine, tmp_path_factory):
    """What the commands said in the course of the days, and the settings of the installation."""
    home = tmp_path_factory.mktemp("first")
    ports = {"postgres_port": servers.free_port(), "mlflow_port": servers.free_port()}
    settings = pristine.model_copy(update={"home": home, **ports})
    servers.write_env_file(settings)
    (home / "mapping.yaml").write_text(MAPPING)
    answers = {}

    def load(name, rows):
        with (home / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("user_id", "click_article_id", "click_timestamp"), *rows])
        answer = cli.say(settings, "load", str(home / f"{name}.csv"), "--mapping", str(home / "mapping.yaml"))
        assert answer.code == 0, answer.err

    def at(name, as_of, *words):
        for word in words:
            answers[name, word] = cli.say(settings, word, "--as-of", as_of.isoformat())
        answers[name, "live"] = ask(settings, "select distinct model_version, baseline from recs.current")

    with servers.postgres(settings, template=pristine.home / "postgres"), servers.mlflow(settings):
        feast_store.apply_shared(settings)
        load("hour", clicks(FIRST_HOUR, FIRST_HOUR + HOUR))
        at("none", FIRST_HOUR, "recommend", "retrain", "monitor")
        at("hour", FIRST_HOUR + HOUR, "retrain", "recommend", "monitor")
        load("day", clicks(FIRST_HOUR + HOUR, FIRST_DAY))
        at("day", FIRST_DAY, "retrain", "recommend")
        load("model", clicks(FIRST_DAY, FIRST_MODEL, have_groups=True))
        at("model", FIRST_MODEL, "retrain", "recommend")
        yield answers, settings


def ask(settings, text):
    with connect(settings) as database:
        return database.execute(text).fetchall()


def one_line(answer):
    (line,) = answer.error_lines
    return line


@pytest.mark.parametrize("word", ["recommend", "retrain", "monitor"])
def test_without_reading_every_command_says_that_there_is_none_yet(said, word):
    answer = said[0]["none", word]
    assert answer.code == 14
    assert one_line(answer).startswith(
        "daybreak: Nothing has been read from this publisher yet. source.reading_events has no row for the window "
    )


def test_after_an_hour_readers_have_lists_by_the_default_baseline(said):
    answers, _ = said
    assert answers["hour", "recommend"].code == 0
    assert answers["hour", "recommend"].out.strip().endswith("; no model has been promoted yet.")
    assert "is live. Lists by the baseline most_read (the default until a verdict" in answers["hour", "recommend"].out
    assert answers["hour", "live"] == [(None, "most_read")]


def test_after_an_hour_there_is_nothing_to_learn_from_and_retrain_says_from_when_on(said):
    answer = said[0]["hour", "retrain"]
    assert answer.code == 14
    line = one_line(answer)
    assert line.startswith("daybreak: Reading begins at 2017-10-04 23:0")
    assert "needs reading from more than 27 h before: 24 h are held out for judging" in line
    assert "Hint: from 2017-10-06 02:0" in line
    assert "until one is promoted, a baseline makes the lists." in line


def test_after_a_day_the_challenger_is_kept_and_the_best_baseline_makes_the_lists(said):
    answers, settings = said
    assert answers["day", "retrain"].code == 0
    assert answers["day", "retrain"].out.startswith("Did not promote v1: ")
    (metrics,) = ask(settings, "select metrics from ops.verdicts where challenger_version = 1")[0]
    ndcg = {name: numbers["ndcg"] for name, numbers in metrics.items() if name != "challenger"}
    best = max(ndcg, key=ndcg.get)
    assert f"Until a model is promoted, the best baseline makes the lists, in this verdict {best}." in (
        answers["day", "retrain"].out
    )
    assert answers["day", "live"] == [(None, best)]
    assert f"Lists by the baseline {best} (the best in verdict " in answers["day", "recommend"].out


def test_until_then_monitor_has_no_drift_to_measure_which_is_no_failure(said):
    answer = said[0]["hour", "monitor"]
    assert answer.code == 0
    assert "No model has been promoted yet, so there is no drift to measure." in answer.out


def test_the_first_model_that_beats_the_baselines_takes_over_by_itself(said):
    answers, settings = said
    assert answers["model", "retrain"].out.startswith("Promoted v2: NDCG@10 ")
    assert answers["model", "recommend"].out.strip().endswith("is live. Lists by v2.")
    assert answers["model", "live"] == [(2, None)]
    ((why,),) = ask(settings, "select why from ops.champions")
    assert "It replaces the baseline " in why


def test_nothing_pages(said):
    assert ask(said[1], "select subject from ops.alerts") == []
