"""The trial: everybody is asked about the same moments, in this run, and about what readers could choose from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from include import trial
from include.models.most_read import MostRead
from include.registry import RegisteredModel
from include.settings import Settings
from tests.scenes import NOW, an_article, catalogue, ranking, scenes
from tests.unit.test_evaluation import OUTCOMES, outcomes

SETTINGS = Settings(list_length=3, min_judged_readers=1)
ARTICLES = [an_article(n, read_count_6h=10 - n) for n in range(1, 7)]
VERSION = RegisteredModel(2, "digest of 2", "m", "v1", "f", "s", NOW, "run", "mlflow-run")
CHAMPION = replace(VERSION, version=1, digest="digest of 1")


class Fixed:
    """A model that always gives the same order."""

    name = "fixed"

    def __init__(self, *articles):
        self.articles, self.asked = articles, []

    def rank(self, scenes, depth, candidates=None):
        self.asked.append(candidates)
        return ranking({1: list(self.articles[:depth])})


@pytest.fixture
def hold():
    def hold_trial(challenger, champion=None, then=None):
        then = outcomes((1, 6, 60.0), (1, 5, 0.0)) if then is None else then
        return trial.hold_trial(SETTINGS, challenger, champion, scenes([1], ARTICLES), then, catalogue(ARTICLES))

    return hold_trial


def test_everybody_is_judged_in_the_same_trial(hold):
    _, metrics = hold((VERSION, Fixed(6, 5, 4)), (CHAMPION, Fixed(1, 2, 3)))
    assert list(metrics) == ["challenger", "champion", "most_read", "most_read_in_favourites"]
    assert (metrics["challenger"]["ndcg"], metrics["champion"]["ndcg"]) == (1.0, 0.0)


def test_everybody_puts_in_order_what_readers_could_choose_from(hold):
    models = Fixed(6, 5, 4), Fixed(1, 2, 3)
    hold((VERSION, models[0]), (CHAMPION, models[1]))
    for model in models:
        lists, offered = model.asked
        assert lists is None
        assert sorted(offered.column("article_id").to_pylist()) == [5, 6]


def test_a_log_without_impressions_is_judged_by_the_lists(hold):
    model = Fixed(6, 5, 4)
    read_only = outcomes((1, 6, 60.0)).set_column(4, "is_shown", pa.array([False]))
    hold((VERSION, model), then=read_only)
    assert model.asked == [None]


def test_the_champions_very_own_files_are_not_another_model(hold):
    verdict, _ = hold((VERSION, Fixed(6, 5, 4)), (replace(CHAMPION, digest=VERSION.digest), Fixed(6, 5, 4)))
    assert "RT107" in {check.code for check in verdict.checks if check.outcome == "failed"}


@pytest.mark.parametrize(("hours", "outcome"), [(-24, "passed"), (0, "passed"), (1, "failed")])
def test_a_champion_that_was_trained_later_cannot_be_beaten_fairly(hold, hours, outcome):
    later = replace(CHAMPION, as_of=NOW + timedelta(hours=hours))
    verdict, _ = hold((VERSION, Fixed(6, 5, 4)), (later, Fixed(1, 2, 3)))
    assert [check.outcome for check in verdict.checks if check.code == "RT109"] == [outcome]


def test_with_nobody_to_judge_the_champion_is_kept_and_nothing_breaks(hold):
    verdict, _ = hold((VERSION, MostRead()), (CHAMPION, MostRead()), OUTCOMES.empty_table())
    assert verdict.decision == "keep"
    assert verdict.sentence.startswith("Kept: RT101")
