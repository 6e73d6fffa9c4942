"""What the default model learns: topics from words, tastes from a few reads, and what comes next from clicks alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.adapters import skops_files
from include.core.errors import ArtifactDamaged
from include.core.settings import Settings
from include.features.scene_tables import open_tables
from include.judging.backtest.figures import add_up
from include.judging.backtest.plan import Plan
from include.judging.backtest.walking import Walk
from include.models.kinds.queries import run
from include.models.kinds.two_stage import FORM, TwoStage
from include.models.kinds.two_stage.tasting import NOTHING
from include.models.kinds.two_stage.topics import ABOUT, count_topics, find_topics, fit_topics
from tests.worlds import scenes, sessions, tiny

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


def test_what_was_left_at_once_says_less_than_a_usual_stay_and_that_less_than_a_long_one():
    some = scenes.scenes([1], [scenes.an_article(number) for number in range(5)], {1: [0, 1, 2, 4]})
    reads = some.reads.drop_columns(["read_seconds", "seconds_known_at"])
    reads = reads.append_column("read_seconds", pa.array([None, 60.0, 240.0, 60.0]))
    reads = reads.append_column("seconds_known_at", reads.column("known_at"))
    hours_ago = scenes.NOW - timedelta(hours=2)
    shown = pa.Table.from_pylist(
        [
            {"reader_id": 1, "article_id": number, "shown_at": hours_ago, "known_at": hours_ago, "position": 1}
            for number in range(4)
        ],
        scenes.SHOWN,
    )
    more = {
        **NOTHING,
        "topics": some.catalogue.select(ABOUT).append_column("topic", pa.array(range(5), pa.int32())),
        "asked": some.requests.append_column("row_no", pa.array([0])),
        "position_rates": pa.table({"position": [1], "rate": [0.1]}),
    }
    usual = {"usual_stay": np.log(60 / 500), "usual_words": 500, "unknown_gain": 0.5}
    with open_tables(replace(some, reads=reads, shown=shown), **more) as connection:
        found = run(connection, "seen_and_read", last_position=30, **usual)
    left, stayed, lingered, passed_over, searched = sorted(found.to_pylist(), key=lambda row: row["article_id"])
    assert (left["opened"], left["stay"]) == (0.5, None)
    assert (stayed["opened"], stayed["stay"]) == (1, pytest.approx(0))
    assert (lingered["opened"], lingered["stay"]) == (1, pytest.approx(np.log(4)))
    assert (passed_over["opened"], passed_over["stay"]) == (0, None)
    assert searched["odds"] is None
    assert [row["odds"] for row in (left, stayed, lingered, passed_over)] == pytest.approx([np.log(0.1 / 0.9)] * 4)


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
    log = tiny.store(settings, sessions.session_log(3, 40_000, 450), sessions.end_of(3), 3)
    figures = add_up(Walk(settings, plan, log, lambda line: None).results(), seed=7)
    assert figures.means["two_stage"]["ndcg"] > 1.04 * figures.means["co_reading"]["ndcg"]


@pytest.mark.parametrize("told", [{}, {"form": ["1"]}, {"form": FORM[:-1]}])
def test_a_model_of_another_release_is_refused_and_says_what_to_do(tmp_path, told):
    learnt = {"next_reads": {"trust": 0.0}}
    TwoStage(learnt).save(tmp_path)
    assert TwoStage.load(tmp_path).parts == learnt
    skops_files.dump({**told, **learnt}, tmp_path / "two_stage.skops")
    with pytest.raises(ArtifactDamaged, match=r"another release.*retrain"):
        TwoStage.load(tmp_path)
