"""The verdict: every code passes and fails where it should, and nothing is promoted past a failure."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.core.checks import Check, blocking
from include.judging.bootstrap import Gap
from include.judging.checks import AGAINST_CHAMPION, ALWAYS, ASKING, GATE_CHECKS, TABLE
from include.judging.guardrails import Turnover
from include.judging.slices import Slice
from include.judging.verdict import conclude, judge_challenger
from tests.worlds.evidence import (
    BASELINES,
    CASES,
    CHAMPION,
    DOUBTS,
    GAIN,
    LIMITS,
    OURS,
    SLICES,
    SOUND,
    WORKS,
    a_slice,
    evidence,
    judge,
)
from tests.worlds.scenes import NOW

AGAINST = {"has_rival": True, "challenger": 4, "champion": 1}


def outcome(verdict, code):
    return {check.outcome for check in verdict.checks if check.code == code}


@pytest.mark.parametrize("code", [*CASES, *DOUBTS])
def test_at_its_limit_a_check_passes_and_the_challenger_is_promoted(code):
    verdict = judge(**{**CASES, **DOUBTS}[code][0])
    assert outcome(verdict, code) <= {"passed"}
    assert verdict.decision == "promote", verdict.sentence


@pytest.mark.parametrize("code", CASES)
def test_beyond_its_limit_a_check_fails_and_the_champion_stays(code):
    verdict = judge(**CASES[code][1])
    assert {check.code for check in blocking(verdict.checks)} == {code}
    assert verdict.decision == "keep"
    assert verdict.sentence.startswith("Kept v1: ")
    assert verdict.sentence.endswith(f" [{code}]")


@pytest.mark.parametrize("code", DOUBTS)
def test_a_doubt_is_put_to_a_person(code):
    verdict = judge(**DOUBTS[code][1])
    assert blocking(verdict.checks) == []
    assert verdict.decision == "ask"
    assert verdict.sentence.startswith("Needs a decision: ")
    assert verdict.sentence.endswith(f" [{code}]")


def test_the_cases_are_all_the_codes_there_are():
    codes = {check.code for check in judge(champion_trouble="Gone.").checks}
    assert codes == {*CASES, *DOUBTS} == set(GATE_CHECKS)
    assert len(TABLE) == len(GATE_CHECKS)


@pytest.mark.parametrize("code", sorted(ALWAYS | AGAINST_CHAMPION))
def test_a_check_that_was_forgotten_promotes_nobody(code):
    checks = [check for check in judge().checks if check.code != code]
    verdict = conclude(checks, **AGAINST)
    assert verdict.decision == "keep"
    assert verdict.sentence == (f"Kept v1: 1 check was not made; a missing check does not pass. [{code}]")


@pytest.mark.parametrize("code", sorted((ALWAYS | AGAINST_CHAMPION) - ASKING))
@pytest.mark.parametrize("outcome", ["passed", "not applicable"])
def test_a_check_that_could_not_have_blocked_was_not_made(code, outcome):
    checks = [
        replace(check, severity="info", outcome=outcome) if check.code == code else check for check in judge().checks
    ]
    assert conclude(checks, **AGAINST).sentence.startswith("Kept v1: 1 check was not made")


def test_without_a_champion_a_challenger_needs_to_beat_the_baselines_only():
    first = evidence(rival=None, slices=(), gaps=dict.fromkeys(BASELINES, GAIN))
    verdict = judge_challenger(LIMITS, first)
    assert not {check.code for check in verdict.checks} & AGAINST_CHAMPION
    assert verdict.decision == "promote"


def first_of(ours, **baselines):
    """The verdict on a first challenger of this accuracy beside these baselines, all of which it certainly beats."""
    means = {name: {**SOUND, "ndcg": value} for name, value in baselines.items()}
    gaps = {name: replace(GAIN, mean=ours - value, low=(ours - value) / 2) for name, value in baselines.items()}
    challenger = {**evidence().means["challenger"], "ndcg": ours}
    first = evidence(rival=None, champion=None, slices=(), gaps={}, means={"challenger": challenger, **means})
    return judge_challenger(LIMITS, replace(first, champion=None, gaps=gaps))


def test_how_accurate_lists_must_be_follows_from_the_best_baseline():
    """Of thousands of live articles few clicks fall on ten: 0.05 may be far better than anything simple."""
    assert first_of(0.05, most_read=0.02, co_reading=0.04).decision == "promote"
    assert first_of(0.201, most_read=0.1, co_reading=0.2).sentence == (
        "Did not promote v4: time-weighted NDCG@10 is only 0.201; at least 0.202 is needed (101 % of 0.200 of the best "
        "baseline, co_reading). [RT102]"
    )


def test_without_a_baseline_measured_nothing_is_accurate_enough():
    assert outcome(first_of(0.5), "RT102") == {"failed"}


def test_the_baseline_to_beat_is_told_first():
    verdict = first_of(0.05, co_reading=0.06, most_read=0.07)
    told = [check.subject for check in verdict.checks if check.code == "RT105"]
    assert told == ["most_read", "co_reading"]


@pytest.mark.parametrize("closest", BASELINES)
def test_a_first_champion_is_told_beside_the_baseline_that_came_closest(closest):
    gaps = {**dict.fromkeys(BASELINES, GAIN), closest: replace(GAIN, mean=0.06)}
    verdict = judge_challenger(LIMITS, evidence(rival=None, slices=(), gaps=gaps))
    assert verdict.sentence == (
        f"Promoted v4: NDCG@10 0.300 against 0.100 of the closest baseline, {closest} (+0.0600; 95 % interval "
        "+0.0500 to +0.1500; 60 readers). [RT105]"
    )


def test_however_many_baselines_there_are_each_must_be_beaten():
    more = evidence()
    means, gaps = {**more.means, "third": {"ndcg": 0.29}}, {**more.gaps, "third": Gap(0.01, -0.01, 0.03, 0.8, 60)}
    verdict = judge_challenger(LIMITS, replace(more, means=means, gaps=gaps))
    assert [check.subject for check in blocking(verdict.checks)] == ["third"]


def test_a_likely_gain_is_asked_about_and_a_less_likely_one_is_not():
    likely, less = Gap(0.03, -0.001, 0.06, 0.9, 60), Gap(0.03, -0.01, 0.06, 0.89, 60)
    assert [judge(gaps={"champion": gap}).decision for gap in (likely, less)] == ["ask", "keep"]


def test_a_fall_that_may_be_chance_does_not_block():
    uncertain = a_slice("region", "Africa", -0.05, -0.12, 0.001)
    assert judge(slices=(uncertain, *SLICES[1:])).decision == "promote"


def test_a_slice_of_few_readers_is_told_and_neither_passes_nor_blocks():
    few = a_slice("region", "Africa", -0.15, -0.2, -0.1, readers=29)
    verdict = judge(slices=(few, a_slice("region", "America"), *SLICES[1:]))
    (check,) = (check for check in verdict.checks if check.subject == "region Africa")
    assert (check.severity, check.outcome) == ("info", "not applicable")
    assert verdict.decision == "promote"


@pytest.mark.parametrize("code", ["RT110", "RT111"])
def test_when_no_slice_can_be_judged_nothing_is_promoted(code):
    few = tuple(replace(one, gap=replace(one.gap, readers=5)) for one in SLICES)
    slices = (few[0], SLICES[1]) if code == "RT110" else (SLICES[0], few[1])
    what = "group of readers" if code == "RT110" else "part of the hold-out"
    assert judge(slices=slices).sentence == f"Kept v1: no {what} has 30 readers, so none can be compared. [{code}]"
    assert judge(slices=()).decision == "keep"


@pytest.mark.parametrize("value", [math.nan, math.inf, "absent"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("judged_readers", "RT101"),
        ("ndcg", "RT102"),
        ("full_list_share", "RT103"),
        ("finite_score_share", "RT104"),
        ("mean_candidate_count", "RT116"),
    ],
)
def test_a_metric_that_is_missing_or_not_a_number_fails_its_check(name, code, value):
    verdict = judge(ours={name: value})
    assert outcome(verdict, code) == {"failed"}
    assert verdict.decision == "keep"


def test_what_neither_model_has_is_not_held_against_it():
    nothing = {"largest_publisher_share": math.nan}
    assert judge(ours=nothing, champion=nothing).decision == "promote"
    assert judge(ours=nothing).decision == "ask"


def test_where_no_live_lists_can_be_compared_that_is_told_and_nobody_asked():
    verdict = judge(live=Turnover("No lists are live yet."))
    (check,) = (check for check in verdict.checks if check.code == "RT126")
    assert (check.outcome, check.sentence, verdict.decision) == ("not applicable", "No lists are live yet.", "promote")


def test_how_many_candidates_there_were_must_be_known_of_both():
    nothing = {"mean_candidate_count": math.nan}
    verdict = judge(ours=nothing, champion=nothing)
    assert verdict.sentence == "Kept v1: the number of candidates per list is not known. [RT116]"


@pytest.mark.parametrize("name", ["mean_candidate_count", "catalogue_share", "mean_diversity", "mean_surprise_bits"])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_of_a_champion_that_has_nothing_of_it_as_much_is_kept(name, value):
    """A log without categories has lists of one kind, and a champion without candidates must not be there for good."""
    assert judge(ours={name: value}, champion={name: 0.0}).decision == "promote"
    assert judge(ours={name: math.nan}, champion={name: 0.0}).decision in ("ask", "keep")


@pytest.mark.parametrize("name", ["champion", "most_read"])
def test_an_opponent_who_cannot_be_compared_is_not_beaten(name):
    nothing = Gap(math.nan, math.nan, math.nan, math.nan, 0)
    assert judge(gaps={name: nothing}).decision == "keep"


def test_nobody_knows_until_when_it_was_trained_means_no():
    assert judge(trained_until=None).decision == "keep"
    assert judge(rival=replace(CHAMPION, trained_until=None)).decision == "keep"


def test_a_champion_without_a_stand_in_leaves_the_decision_to_a_person():
    alone = evidence(rival=None, slices=(), gaps=dict.fromkeys(BASELINES, GAIN), champion_trouble="Its files are gone.")
    verdict = judge_challenger(LIMITS, alone)
    assert verdict.decision == "ask"
    assert verdict.sentence == (
        "Needs a decision: v1 cannot be loaded: Its files are gone. No other version could stand in. [RT118]"
    )


def test_every_check_says_its_numbers():
    for check in judge().checks:
        assert check.sentence
        assert check.limit_is
        assert not {"nan", "unknown"} & set(re.findall(r"\w+", check.sentence))


def test_a_verdict_tells_what_failed_and_never_the_title_of_the_check():
    weak, unsure = Gap(0.0005, -0.004, 0.005, 0.55, 60), Gap(0.03, -0.001, 0.06, 0.96, 60)
    assert judge(gaps={"champion": weak}).sentence == (
        "Kept v1: v4 does not beat it (+0.0005; needs +0.0100 and 90 % certainty, has 55 %). [RT108]"
    )
    assert judge(gaps={"champion": unsure}).sentence == (
        "Needs a decision: the gain is not certain (96 %, 97.5 % needed; 95 % interval -0.0010 to +0.0600). [RT106]"
    )
    assert judge().sentence == (
        "Promoted v4: NDCG@10 0.300 against 0.200 of v1 (+0.1000; needs +0.0100 and 90 % certainty, has 100 %; "
        "60 readers). [RT108]"
    )


def test_of_several_checks_that_failed_the_first_is_told_and_the_others_are_counted():
    many = judge(ours={"ndcg": 0.01, "full_list_share": 0.5, "finite_score_share": 0.5})
    assert many.sentence == (
        "Kept v1: time-weighted NDCG@10 is only 0.010; at least 0.101 is needed (101 % of 0.100 of the best baseline, "
        "most_read). [RT102] (2 more checks failed)"
    )
    doubts = judge(ours={"concentration": 0.7, "median_age_hours": 20.0})
    assert doubts.sentence.endswith("[RT122] (1 more check failed)")


def test_without_a_champion_it_is_the_challenger_that_is_told_of():
    first = evidence(rival=None, slices=(), gaps=dict.fromkeys(BASELINES, replace(GAIN, low=-0.1)))
    assert judge_challenger(LIMITS, replace(first, champion=None)).sentence == (
        "Did not promote v4: v4 does not certainly beat the baseline most_read (+0.1000; 95 % interval -0.1000 to "
        "+0.1500, which must lie above zero). [RT105] (1 more check failed)"
    )


def test_who_stands_in_for_the_champion_is_named():
    stand_in = replace(CHAMPION, version=2, name="previous")
    verdict = judge(
        rival=stand_in,
        gaps={"previous": replace(GAIN, mean=0.0001)},
        champion_trouble="Its files are gone.",
        means={**evidence().means, "previous": {**SOUND, "ndcg": 0.2}},
    )
    (said,) = (check.sentence for check in verdict.checks if check.code == "RT118")
    assert said == "v1 cannot be loaded: Its files are gone. The earlier champion v2 was compared instead."
    assert verdict.sentence.startswith("Kept v1: v4 does not beat v2, which stands in for the champion (+0.0001; ")


def test_a_verdict_that_an_earlier_version_kept_comes_to_the_same():
    """Checks of before have other titles and sentences under the same keys."""
    made = judge().checks
    kept = [{**check.to_dict(), "title": "Beats the champion", "sentence": "It is better."} for check in made]
    assert conclude([Check(**check) for check in kept], **AGAINST).decision == "promote"
    failed = [{**check, "outcome": "failed"} if check["code"] == "RT108" else check for check in kept]
    found = conclude([Check(**check) for check in failed], **AGAINST)
    assert (found.decision, found.sentence) == ("keep", "Kept v1: it is better. [RT108]")


numbers = st.one_of(st.floats(0, 1), st.sampled_from([math.nan, math.inf, -1.0]))
gaps = st.builds(Gap, numbers, numbers, numbers, numbers, st.integers(0, 60))
all_evidence = st.builds(
    lambda ours, champion, ours_to, theirs_to, trouble, late, cost: evidence(
        ours=dict(zip(OURS, ours, strict=True)),
        gaps={"champion": champion, "most_read": theirs_to},
        slices=(Slice("region", "Africa", 0.2, ours_to), SLICES[1]),
        champion_trouble=trouble,
        trained_until=NOW + timedelta(hours=late),
        mechanics=replace(WORKS, differing_share=cost),
    ),
    st.lists(numbers, min_size=len(OURS), max_size=len(OURS)),
    gaps,
    gaps,
    gaps,
    st.sampled_from(["", "Gone."]),
    st.sampled_from([-1.0, 0.0, 1.0]),
    numbers,
)


@settings(max_examples=200)
@given(all_evidence)
def test_nothing_is_ever_promoted_past_a_check_that_did_not_pass(found):
    verdict = judge_challenger(LIMITS, found)
    stopped = [check for check in verdict.checks if check.severity == "block" and check.outcome != "passed"]
    doubts = [check for check in verdict.checks if check.severity == "warn" and check.outcome == "failed"]
    assert verdict.decision == ("keep" if stopped else "ask" if doubts else "promote")
