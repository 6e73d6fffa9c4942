"""The verdict: every code passes and fails where it should, and nothing is promoted past a failure."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.checks import blocking
from include.evaluation import Evaluation
from include.settings import Settings
from include.verdict import judge_challenger

pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # what is not a number is the point

READERS = 60
SETTINGS = Settings(min_judged_readers=50, floor_ndcg=0.02, floor_coverage_share=0.99, min_effect_share=0.05)
SOUND = {"judged_readers": 60.0, "full_list_share": 1.0, "finite_score_share": 1.0}
BASELINES = ("most_read", "most_read_in_favourites")
CODES = ("RT101", "RT102", "RT103", "RT104", "RT105", "RT106", "RT107", "RT108", "RT109")


def a_model(ndcg, noise=0.0, /, **means):
    """An evaluation in which every reader got the share `ndcg` of what there was, give or take `noise`."""
    got = ndcg + noise * np.resize([1.0, -1.0], READERS)
    numbers = {**SOUND, "ndcg": ndcg, **means}
    return Evaluation(np.arange(READERS), got, np.ones(READERS), {k: v for k, v in numbers.items() if v != "absent"})


CHALLENGER = a_model(0.30)
CHAMPION = a_model(0.20)
BASELINE = a_model(0.10)


def judge(challenger=CHALLENGER, champion=CHAMPION, baselines=None, is_champion=False, champion_leads_hours=0.0):
    contestants = dict.fromkeys(BASELINES, BASELINE) | (baselines or {})
    return judge_challenger(
        SETTINGS,
        challenger,
        champion,
        contestants,
        is_champion=is_champion,
        champion_leads_hours=champion_leads_hours,
    )


def outcome(verdict, code):
    (check,) = (check for check in verdict.checks if check.code == code)
    return check.outcome


# For every code: a case at its edge that passes, and one just beyond that fails.
CASES = {
    "RT101": (judge(a_model(0.3, judged_readers=50.0)), judge(a_model(0.3, judged_readers=49.0))),
    "RT102": (
        judge(a_model(0.02), a_model(0.01), dict.fromkeys(BASELINES, a_model(0.0))),
        judge(a_model(0.0199), a_model(0.01), dict.fromkeys(BASELINES, a_model(0.0))),
    ),
    "RT103": (judge(a_model(0.3, full_list_share=0.99)), judge(a_model(0.3, full_list_share=0.98))),
    "RT104": (judge(), judge(a_model(0.3, finite_score_share=0.999))),
    "RT105": (judge(), judge(baselines={"most_read": a_model(0.30)})),
    "RT106": (judge(), judge(baselines={"most_read_in_favourites": a_model(0.31)})),
    "RT107": (judge(), judge(is_champion=True)),
    "RT108": (judge(a_model(0.211)), judge(a_model(0.209))),
    "RT109": (judge(champion_leads_hours=-24.0), judge(champion_leads_hours=0.5)),
}


@pytest.mark.parametrize("code", CODES)
def test_a_check_passes_at_its_limit_and_the_challenger_is_promoted(code):
    good, _ = CASES[code]
    assert outcome(good, code) == "passed"
    assert good.decision == "promote"


@pytest.mark.parametrize("code", CODES)
def test_a_check_fails_beyond_its_limit_and_the_champion_stays(code):
    _, bad = CASES[code]
    assert [check.code for check in blocking(bad.checks)] == [code]
    assert bad.decision == "keep"
    assert code in bad.sentence


def test_the_cases_are_all_the_codes_there_are():
    assert sorted(check.code for check in judge().checks) == list(CODES)


def test_without_a_champion_a_challenger_needs_to_beat_the_baselines_only():
    verdict = judge(champion=None)
    assert [check.code for check in verdict.checks] == list(CODES[:6])
    assert verdict.decision == "promote"


@pytest.mark.parametrize("code", ["RT105", "RT106", "RT108"])
def test_a_gain_that_may_be_chance_is_no_gain(code):
    lucky = a_model(0.32, 1.0)
    theirs = {"RT105": "most_read", "RT106": "most_read_in_favourites"}
    verdict = (
        judge(lucky, a_model(0.30))
        if code == "RT108"
        else judge(lucky, champion=None, baselines={theirs[code]: a_model(0.30)})
    )
    assert outcome(verdict, code) == "failed"


@pytest.mark.parametrize("value", [math.nan, math.inf, "absent"])
@pytest.mark.parametrize(
    ("name", "code"),
    [("judged_readers", "RT101"), ("ndcg", "RT102"), ("full_list_share", "RT103"), ("finite_score_share", "RT104")],
)
def test_a_metric_that_is_missing_or_not_a_number_fails_its_check(name, code, value):
    verdict = judge(a_model(0.3, **{name: value}))
    assert outcome(verdict, code) == "failed"
    assert verdict.decision == "keep"


@pytest.mark.parametrize("who", ["champion", "most_read"])
def test_an_opponent_whose_metric_is_not_a_number_is_not_beaten(who):
    broken = replace(a_model(0.1), got=np.full(READERS, math.nan), means={**SOUND, "ndcg": math.nan})
    verdict = judge(champion=broken) if who == "champion" else judge(baselines={who: broken})
    assert verdict.decision == "keep"


def test_with_nobody_to_judge_nothing_is_promoted():
    nobody = Evaluation(np.array([], int), np.array([]), np.array([]), {**SOUND, "judged_readers": 0, "ndcg": math.nan})
    assert judge_challenger(SETTINGS, nobody, nobody, dict.fromkeys(BASELINES, nobody), is_champion=False).decision == (
        "keep"
    )


def test_every_check_says_its_numbers():
    for check in judge().checks:
        assert check.sentence
        assert check.limit_is
        assert check.severity == "block"


def test_the_verdict_on_the_same_evaluations_is_the_same():
    assert judge(a_model(0.21, 0.1)) == judge(a_model(0.21, 0.1))


shares = st.one_of(st.floats(0, 1), st.sampled_from([math.nan, math.inf, -1.0]))
numbers = st.fixed_dictionaries(
    {
        "judged_readers": st.one_of(st.integers(0, 200).map(float), st.just(math.nan)),
        "full_list_share": shares,
        "finite_score_share": shares,
    }
)
evaluations = st.builds(lambda ndcg, noise, means: a_model(ndcg, noise, **means), shares, st.floats(0, 0.5), numbers)


@settings(max_examples=50)
@given(
    challenger=evaluations,
    champion=st.none() | evaluations,
    first=evaluations,
    second=evaluations,
    is_champion=st.booleans(),
    leads=st.sampled_from([-1.0, 0.0, 1.0, math.nan]),
)
def test_nothing_is_ever_promoted_past_a_check_that_did_not_pass(
    challenger, champion, first, second, is_champion, leads
):
    verdict = judge(challenger, champion, dict(zip(BASELINES, (first, second), strict=True)), is_champion, leads)
    passed = all(check.outcome == "passed" for check in verdict.checks)
    assert (verdict.decision == "promote") == passed


@settings(max_examples=50)
@given(challenger=evaluations, champion=evaluations, first=evaluations, second=evaluations)
def test_whoever_is_promoted_is_better_than_everybody_it_was_compared_with(challenger, champion, first, second):
    verdict = judge(challenger, champion, dict(zip(BASELINES, (first, second), strict=True)))
    if verdict.decision == "promote":
        others = [other.means["ndcg"] for other in (champion, first, second)]
        assert challenger.means["ndcg"] > max(others)
