"""The table of the verdict's checks: what each says, and that numbers are written as people write them."""

from __future__ import annotations

import math
import re

import pytest

from include.core.numbers import write_number
from include.judging.checks import AGAINST_CHAMPION, ALWAYS, ASKING, GATE_CHECKS, TABLE, make_check
from include.judging.verdict import judge_challenger
from tests.worlds.evidence import BASELINES, CASES, DOUBTS, GAIN, LIMITS, SLICES, a_slice, evidence, judge


def sentence(code, **values):
    """What the one check with this code says."""
    (told,) = {check.sentence for check in judge(**values).checks if check.code == code and check.outcome != "passed"}
    return told


@pytest.mark.parametrize("code", [*CASES, *DOUBTS])
def test_a_check_says_one_thing_when_it_passes_and_another_when_it_fails(code):
    """Made from the same evidence but for its edge: neither sentence may be said of both."""
    rule = GATE_CHECKS[code]
    assert rule.passed != rule.failed
    made = [check for check in judge(**{**CASES, **DOUBTS}[code][1]).checks if check.code == code]
    bad = [check for check in made if check.outcome == "failed"]
    assert bad
    assert {check.title for check in made} == {rule.title}
    assert {check.severity for check in bad} == {"block" if rule.kind == "blocks" else "warn"}
    good = {check.sentence for check in judge(**{**CASES, **DOUBTS}[code][0]).checks if check.code == code}
    assert not good & {check.sentence for check in bad}


def test_what_a_verdict_must_hold_is_what_a_whole_trial_makes():
    """The table decides which checks may not be missing; this is what says that the table is right."""

    def codes(verdict):
        return {check.code for check in verdict.checks}

    first = evidence(rival=None, slices=(), gaps=dict.fromkeys(BASELINES, GAIN))
    assert codes(judge_challenger(LIMITS, first)) == ALWAYS
    assert codes(judge()) == ALWAYS | AGAINST_CHAMPION == set(GATE_CHECKS) - {"RT118"}
    assert set(DOUBTS) == ASKING


def test_a_title_is_a_name_and_claims_nothing():
    for rule in TABLE:
        assert not re.search(r"\b(is|are|beats?|falls?|has|have|could|works?|do|does|not|no)\b", rule.title)


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.code)
def test_what_is_not_known_fails_and_says_so(rule):
    told = {"rival": "v1", "challenger": "v4", "trouble": "gone", "why": "Nothing is known."}
    made = make_check(rule.code, LIMITS, math.nan, "most_read", **told)
    assert (made.outcome, made.observed) == ("failed", None)
    assert made.sentence[0].isupper() or made.sentence.startswith("v4")
    assert "{" not in made.sentence


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.225, "share", "22.5 %"),
        (0.9, "share", "90 %"),
        (1.0, "share", "100 %"),
        (1085.0, "count", "1,085"),
        (0.00343, "gain", "+0.0034"),
        (-0.02, "gain", "-0.0200"),
        (0.6831, "score", "0.683"),
        (-0.0001, "plain", "0"),
        (0.1, "points", "10 points"),
        (math.nan, "share", "unknown"),
    ],
)
def test_numbers_are_written_as_people_write_them(value, kind, text):
    assert write_number(value, kind) == text


def test_a_number_that_fails_does_not_read_like_its_limit():
    assert write_number(0.29996, "share", 0.3) == "29.996 %"
    assert write_number(0.3, "share", 0.3) == "30 %"
    assert "Only 99.999 % of the scores" in sentence("RT104", ours={"finite_score_share": 0.99999})


def test_a_slice_that_cannot_be_compared_is_not_called_worse():
    few = a_slice("region", "Africa", -0.15, -0.2, -0.1, readers=29)
    slices = (few, a_slice("region", "America"), *SLICES[1:])
    assert sentence("RT110", slices=slices) == "Region Africa: not comparable (29 readers; at least 30 are needed)."
