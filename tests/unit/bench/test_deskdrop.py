"""The protocol of the open set on a made-up one: who is in, what is held back, how a place is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.deskdrop import NEGATIVES, read_protocol, recall, score_model, score_svd
from include.core.errors import SettingsError
from include.core.settings import Settings

GROUPS, ARTICLES = 4, 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty people in four groups, each reading articles of its own group; one person read too little to count."""
    random, rows = np.random.default_rng(1), []
    for person in range(60):
        own = np.arange(ARTICLES)[np.arange(ARTICLES) % GROUPS == person % GROUPS]
        for n, article in enumerate(random.choice(own, 20, replace=False)):
            rows.append((1_459_000_000 + 100 * person + n, "VIEW", int(article) - 80, person))
    rows += [(1_459_000_000, "VIEW", n, 999) for n in range(4)]
    rows.append((1_459_000_000, "LIKE", rows[0][2], rows[0][3]))
    place = tmp_path_factory.mktemp("set")
    frame = pd.DataFrame(rows, columns=["timestamp", "eventType", "contentId", "personId"])
    frame.to_csv(place / "users_interactions.csv", index=False)
    return place


@pytest.fixture(scope="module")
def protocol(folder):
    return read_protocol(folder)


def test_who_read_little_is_left_out_and_a_fifth_is_held_back(protocol):
    assert protocol.people == 60
    assert (len(protocol.train), len(protocol.test)) == (960, 240)
    assert protocol.train["strength"].max() == pytest.approx(np.log2(1 + 1 + 2))


def test_a_test_article_is_ranked_against_articles_the_person_never_touched(protocol):
    pairs = pd.concat([protocol.train, protocol.test])
    touched = pairs.groupby("person")["article"].agg(set)
    for person, others in zip(protocol.test["person"], protocol.against, strict=True):
        assert len(set(others)) == NEGATIVES
        assert not touched[person] & set(others)


def test_a_score_for_everything_alike_finds_nothing(protocol):
    assert recall(protocol, np.zeros((protocol.people, protocol.articles))) == (0.0, 0.0)


def test_who_knows_the_answers_finds_all(protocol):
    scores = np.zeros((protocol.people, protocol.articles))
    scores[protocol.test["person"], protocol.test["article"]] = 1.0
    assert recall(protocol, scores) == (1.0, 1.0)


def test_planted_groups_are_found_by_factors_and_by_co_reading_and_not_by_popularity(protocol, tmp_path):
    factors, together, popular = (
        recall(protocol, scores)[1]
        for scores in (
            score_svd(protocol, GROUPS),
            score_model(protocol, "co_reading", Settings(home=tmp_path)),
            score_model(protocol, "most_read_last_day", Settings(home=tmp_path)),
        )
    )
    assert min(factors, together) > 2 * popular, (factors, together, popular)


def test_a_folder_without_the_set_is_said(tmp_path):
    with pytest.raises(SettingsError, match="holds no users_interactions"):
        read_protocol(tmp_path)
