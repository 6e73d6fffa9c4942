"""The trial: everybody is asked about the same moments, in this run, and about what readers could choose from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from include.core.settings import Settings
from include.judging import trial
from include.judging.fresh_process import Mechanics
from include.judging.verdict import sum_up
from include.models import BASELINES
from include.models.kinds.most_read import MostRead
from include.models.registry import RegisteredModel
from tests.unit.judging.test_metrics import OUTCOMES, outcomes
from tests.worlds.scenes import NOW, an_article, catalogue, ranking, scenes

SETTINGS = Settings(list_length=3, min_judged_readers=1, min_slice_readers=1)
ARTICLES = [an_article(n, read_count_6h=10 - n) for n in range(1, 7)]
VERSION = RegisteredModel(2, "digest of 2", "m", "v1", "f", "s", NOW, "run", "mlflow-run", NOW - timedelta(hours=24))
CHAMPION = replace(VERSION, version=1, digest="digest of 1")
WORKS = Mechanics("", 1, 1.0, 1.0, 100.0, 0.0)


class Fixed:
    """A model that always gives the same order."""

    name = "fixed"

    def __init__(self, *articles, score=None):
        self.articles, self.asked, self.score = articles, [], score

    def rank(self, scenes, depth, candidates=None):
        self.asked.append(candidates)
        ranked = ranking({1: list(self.articles[:depth])})
        if self.score is None:
            return ranked
        return ranked.set_column(4, "score", pa.array([self.score] * ranked.num_rows, pa.float32()))


@pytest.fixture
def hold():
    def hold_trial(model, champion=None, then=None, version=VERSION, rival="champion", works=WORKS, trouble=""):
        then = outcomes((1, 6, 60.0), (1, 5, 0.0)) if then is None else then
        start = NOW - timedelta(hours=24)
        holdout = trial.Holdout(scenes([1], ARTICLES), then, catalogue(ARTICLES), start, NOW + timedelta(hours=1))
        rivals = {rival: champion} if champion else {}
        verdict, evidence = trial.hold_trial(SETTINGS, version, model, works, rivals, holdout, trouble)
        return verdict, evidence

    return hold_trial


def outcomes_of(verdict):
    return {(check.code, check.subject): check.outcome for check in verdict.checks}


def test_everybody_is_judged_in_the_same_trial(hold):
    _, evidence = hold(Fixed(6, 5, 4), (CHAMPION, Fixed(1, 2, 3)))
    assert list(evidence.means) == ["challenger", "champion", *BASELINES]
    assert (evidence.means["challenger"]["ndcg"], evidence.means["champion"]["ndcg"]) == (1.0, 0.0)


def test_the_outcome_is_summed_up_against_the_champion_or_before_there_is_one_the_best_baseline(hold):
    _, evidence = hold(Fixed(6, 5, 4), (CHAMPION, Fixed(1, 2, 3)))
    found, gap = sum_up(evidence), evidence.gaps["champion"]
    assert (found["ndcg"], found["ndcg_champion"]) == (1.0, 0.0)
    assert found["ndcg_best_baseline"] == max(evidence.means[name]["ndcg"] for name in BASELINES)
    assert (found["gain_low"], found["gain_high"]) == (gap.low, gap.high)
    _, alone = hold(Fixed(6, 5, 4))
    best = max(BASELINES, key=lambda name: alone.means[name]["ndcg"])
    assert "ndcg_champion" not in sum_up(alone)
    assert sum_up(alone)["gain_low"] == alone.gaps[best].low


def test_everybody_puts_in_order_what_readers_could_choose_from(hold):
    models = Fixed(6, 5, 4), Fixed(1, 2, 3)
    hold(models[0], (CHAMPION, models[1]))
    for model in models:
        lists, offered = model.asked
        assert lists is None
        assert sorted(offered.column("article_id").to_pylist()) == [5, 6]


def test_a_log_without_impressions_is_judged_by_the_lists(hold):
    model = Fixed(6, 5, 4)
    read_only = outcomes((1, 6, 60.0)).set_column(4, "is_shown", pa.array([False]))
    hold(model, then=read_only)
    assert model.asked == [None]


def test_the_champions_very_own_files_are_not_another_model(hold):
    verdict, _ = hold(Fixed(6, 5, 4), (replace(CHAMPION, digest=VERSION.digest), Fixed(6, 5, 4)))
    assert outcomes_of(verdict)["RT107", "challenger"] == "failed"


@pytest.mark.parametrize(("hours", "outcome"), [(-48, "passed"), (-24, "passed"), (-23, "failed")])
def test_whoever_learnt_from_the_hold_out_knows_the_answers(hold, hours, outcome):
    until = NOW + timedelta(hours=hours)
    verdict, _ = hold(Fixed(6, 5, 4), (replace(CHAMPION, trained_until=until), Fixed(1, 2, 3)))
    assert outcomes_of(verdict)["RT109", "champion"] == outcome
    verdict, _ = hold(Fixed(6, 5, 4), (CHAMPION, Fixed(1, 2, 3)), version=replace(VERSION, trained_until=until))
    assert outcomes_of(verdict)["RT117", "challenger"] == outcome


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_scores_that_are_no_numbers_keep_the_champion(hold, score):
    verdict, _ = hold(Fixed(6, 5, 4, score=score), (CHAMPION, Fixed(1, 2, 3)))
    assert verdict.decision == "keep"
    assert verdict.sentence.startswith("Kept v1: only 0 % of the scores are finite numbers; all must be. [RT104]")


def test_a_model_that_finds_fewer_candidates_is_kept_out(hold):
    verdict, evidence = hold(Fixed(6), (CHAMPION, Fixed(1, 2, 3)))
    assert evidence.means["challenger"]["full_list_share"] == 1.0, "gaps are filled up, so full lists do not show it"
    assert outcomes_of(verdict)["RT116", "challenger"] == "failed"
    (said,) = (check.sentence for check in verdict.checks if check.code == "RT116")
    assert said == "v2 finds too few candidates: 1.0 per list against 3.0 of v1 (33.3 %; at least 80 % is needed)."


def test_a_challenger_that_does_not_work_is_asked_nothing_and_that_is_a_verdict(hold):
    champion = Fixed(1, 2, 3)
    verdict, evidence = hold(None, (CHAMPION, champion), works=Mechanics("its files are gone"))
    assert verdict.sentence == "Kept v1: v2 cannot be used from the registry: its files are gone. [RT112]"
    assert (evidence.means, champion.asked) == ({}, [])


def test_who_stands_in_for_the_champion_is_compared_and_a_person_is_asked_at_most(hold):
    verdict, evidence = hold(
        Fixed(6, 5, 4), (CHAMPION, Fixed(1, 2, 3)), rival="previous", trouble="Its files are gone."
    )
    assert evidence.gaps["previous"].mean == 1.0
    assert outcomes_of(verdict)["RT118", "champion"] == "failed"
    assert "The earlier champion v1 was compared instead." in " ".join(check.sentence for check in verdict.checks)


def test_a_slice_in_which_the_challenger_falls_shows(hold):
    _, evidence = hold(Fixed(1, 2, 3), (CHAMPION, Fixed(6, 5, 4)))
    assert {(one.kind, one.name): (one.theirs, one.gap.mean) for one in evidence.slices} == {
        ("activity", "no read lately"): (1.0, -1.0),
        ("category", "category 6"): (1.0, -1.0),
        ("hold-out", "part 3 of 3"): (1.0, -1.0),
        ("readers", "unknown"): (1.0, -1.0),
        ("region", "unknown"): (1.0, -1.0),
    }


def test_how_much_of_the_lists_stays_is_told(hold):
    _, evidence = hold(Fixed(1, 2, 6), (CHAMPION, Fixed(1, 2, 3)))
    assert evidence.means["challenger"]["kept_place_share"] == pytest.approx(2 / 3)
    assert evidence.means["challenger"]["shorter_list_share"] == 0.0


def test_with_nobody_to_judge_the_champion_is_kept_and_nothing_breaks(hold):
    verdict, _ = hold(MostRead(), (CHAMPION, MostRead()), OUTCOMES.empty_table())
    assert verdict.decision == "keep"
    assert verdict.sentence.startswith("Kept v1: only 0 readers read something in the hold-out; at least 1 are needed.")
