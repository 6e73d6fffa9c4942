"""What the default model learns: topics from words, tastes from a few reads, and what comes next from clicks alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.backtest.figures import add_up
from include.backtest.plan import Plan
from include.backtest.walking import Walk
from include.models.scene_tables import open_tables, run
from include.models.two_stage import TwoStage
from include.models.two_stage.taste import Counts, find_tastes, fit_taste
from include.models.two_stage.tasting import NOTHING
from include.models.two_stage.topics import ABOUT, count_topics, find_topics, fit_topics
from include.settings import Settings
from tests import scenes, sessions, worlds

SUBJECTS = 12


def written(count=720):
    """Articles of twelve subjects in three categories; which of the four it is shows in their words only."""
    rows = []
    for number in range(count):
        words = [f"{letter}word{number % SUBJECTS}" for letter in "abc"]
        title = f"{words[number // SUBJECTS % 3]} and {words[(number // SUBJECTS + 1) % 3]}, part {number}"
        category = ("sport", "science", "culture")[number % 3]
        rows.append(scenes.an_article(number, title=title, summary=words[0], category=category))
    return scenes.catalogue(rows).select(scenes.CATALOGUE.column_names)


def test_articles_about_the_same_get_the_same_topic_and_others_another():
    catalogue = written()
    found = find_topics(fit_topics(catalogue, seed=7), catalogue).to_pylist()
    subjects: dict[int, set[int]] = {}
    for row in found:
        subjects.setdefault(row["topic"], set()).add(row["article_id"] % SUBJECTS)
    pure = sum(len(one) == 1 for one in subjects.values())
    assert len(subjects) >= SUBJECTS
    assert pure >= 0.8 * len(subjects)


def test_articles_that_say_nothing_have_no_topics():
    silent = written().set_column(1, "title", pa.nulls(720, pa.string()))
    silent = silent.set_column(2, "summary", pa.nulls(720, pa.string()))
    silent = silent.set_column(3, "category", pa.nulls(720, pa.string()))
    parts = fit_topics(silent, seed=7)
    assert count_topics(parts) == 0
    assert find_topics(parts, silent).num_rows == 0


@pytest.fixture(scope="module")
def crowd():
    """Two kinds of readers: who likes a topic of the first six likes all of these, and the same with the other six."""
    random = np.random.default_rng(3)
    kind = np.repeat([0, 1], 400)
    liked = (np.arange(12) // 6)[None, :] == kind[:, None]
    chances = np.full((800, 12), 0.5)
    gains = random.poisson(chances * np.where(liked, 2.0, 0.3)).astype(float)
    ticked = (random.random((800, 2)) < np.where(kind[:, None] == [0, 1], 0.8, 0.1)).astype(float)
    return Counts(gains, chances, ticked)


def learnt(crowd):
    return fit_taste(crowd, seed=7, most_factors=12, most_kinds=12)


def test_one_read_says_something_about_topics_that_go_with_it(crowd):
    parts = learnt(crowd)
    gains = np.zeros((2, 12))
    gains[0, 0] = gains[1, 6] = 2
    taste, _ = find_tastes(parts, Counts(gains, np.full((2, 12), 0.5), np.zeros((2, 2))))
    assert taste[0, 1:6].min() > taste[0, 6:].max()
    assert taste[1, 7:].min() > taste[1, :6].max()


def test_who_was_shown_more_is_known_better_and_a_stranger_gets_the_mean(crowd):
    parts = learnt(crowd)
    chances = np.array([np.zeros(12), np.full(12, 1.0), np.full(12, 20.0)])
    taste, spread = find_tastes(parts, Counts(np.zeros((3, 12)), chances, np.zeros((3, 2))))
    assert (spread[0] > spread[1]).all()
    assert (spread[1] > spread[2]).all()
    crowds = np.log(crowd.gains.sum(axis=0) / crowd.chances.sum(axis=0))
    assert taste[0] == pytest.approx(crowds, abs=0.35)


def test_what_strangers_ticked_tells_of_which_kind_they_are(crowd):
    parts, nothing = learnt(crowd), np.zeros((2, 12))
    taste, _ = find_tastes(parts, Counts(nothing, nothing, np.eye(2)))
    assert taste[0, :6].min() > taste[0, 6:].max() + 0.3
    assert taste[1, 6:].min() > taste[1, :6].max() + 0.3


def test_what_was_left_at_once_says_less_than_a_usual_stay_and_that_less_than_a_long_one():
    some = scenes.scenes([1], [scenes.an_article(number) for number in range(3)], {1: [0, 1, 2]})
    reads = some.reads.drop_columns(["read_seconds", "seconds_known_at"])
    reads = reads.append_column("read_seconds", pa.array([None, 60.0, 240.0]))
    reads = reads.append_column("seconds_known_at", reads.column("known_at"))
    more = {
        **NOTHING,
        "topics": some.catalogue.select(ABOUT).append_column("topic", pa.array([0, 1, 2], pa.int32())),
        "asked": some.requests.append_column("row_no", pa.array([0])),
        "position_rates": pa.table({"position": [1], "rate": [0.1]}),
    }
    usual = {"usual_stay": np.log(60 / 500), "usual_words": 500, "unknown_gain": 0.3}
    with open_tables(replace(some, reads=reads), **more) as connection:
        found = run(connection, "taste_counts", half_life_days=14.0, last_position=30, **usual)
    left, stayed, lingered = (
        row["gain"] for row in sorted(found.to_pylist(), key=lambda row: row["topic"]) if row["topic"] >= 0
    )
    assert 0 < left < stayed < lingered


def test_nobody_is_offered_a_language_that_they_do_not_read():
    tongues = ("es", "en", "pt")
    some = scenes.scenes([1], [scenes.an_article(number, language=tongues[number % 3]) for number in range(30)])
    readers = some.readers.to_pylist()
    readers[0] |= {"languages": ["es", "pt", "en"], "language_shares": [0.6, 0.35, 0.05]}
    asked = replace(some, readers=pa.Table.from_pylist(readers, some.readers.schema))
    (found,) = TwoStage({"tastes": {}}).find_candidates(asked)
    assert {tongues[number % 3] for number in found.column("article_id").to_pylist()} == {"es", "pt"}


def test_from_clicks_alone_it_tells_what_comes_next_better_than_co_reading(tmp_path):
    """No text, no impressions, no times: short sessions of readers who mostly come once."""
    settings = Settings(home=tmp_path, lookback_days=2, train_days=1, min_free_mb=0)
    end = sessions.end_of(3) - timedelta(hours=9)
    plan = Plan(
        mode="next-read",
        start=end,
        end=end + timedelta(hours=2),
        every=timedelta(hours=1),
        train_window=timedelta(days=2),
        refit=timedelta(days=1),
        k=20,
        models=("two_stage", "co_reading"),
        sample=400,
        train_sample=4000,
    )
    log = worlds.store(settings, sessions.session_log(3, 40_000, 450), sessions.end_of(3), 3)
    figures = add_up(Walk(settings, plan, log, lambda line: None).results(), seed=7)
    assert figures.means["two_stage"]["ndcg"] > 1.04 * figures.means["co_reading"]["ndcg"]
