"""Evidence about a challenger, whole or with one thing at or beyond its limit, and the verdict on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from include.core.settings import Settings
from include.judging.bootstrap import Gap
from include.judging.checks import GateLimits
from include.judging.fresh_process import Mechanics
from include.judging.guardrails import Turnover
from include.judging.slices import Slice
from include.judging.verdict import Evidence, Rival, judge_challenger
from tests.worlds.scenes import NOW

LIMITS = GateLimits.of(Settings(min_judged_readers=50, min_effect_share=0.05, min_slice_readers=30))
BASELINES = ("most_read", "most_read_in_favourites")
LISTS = {
    "mean_candidate_count": 30.0,
    "catalogue_share": 0.2,
    "mean_diversity": 0.8,
    "mean_surprise_bits": 8.0,
    "concentration": 0.5,
    "median_age_hours": 10.0,
    "largest_publisher_share": 0.3,
}
SOUND = {"judged_readers": 60.0, "full_list_share": 1.0, "finite_score_share": 1.0, **LISTS}
OURS = {**SOUND, "ndcg": 0.3, "kept_place_share": 0.5, "shorter_list_share": 0.0}
WORKS = Mechanics("", 60, 1.0, 2.0, 300.0, 0.0)
GAIN = Gap(0.1, 0.05, 0.15, 1.0, 60)
CHAMPION = Rival(1, "champion", False, NOW - timedelta(hours=48))


def a_slice(kind, name, mean=0.01, low=-0.02, high=0.03, readers=40):
    return Slice(kind, name, 0.2, Gap(mean, low, high, 0.7, readers))


SLICES = (a_slice("region", "Africa"), a_slice("hold-out", "part 1 of 3"))


def evidence(ours=None, gaps=None, slices=SLICES, champion=None, **values):
    """Evidence that speaks for the challenger in everything, but for what is named."""
    given_means = {
        "challenger": {name: value for name, value in {**OURS, **(ours or {})}.items() if value != "absent"},
        "champion": {**SOUND, "ndcg": 0.2, **(champion or {})},
        **{name: {**SOUND, "ndcg": 0.1} for name in BASELINES},
    }
    usual = {
        "version": 4,
        "champion": 1,
        "means": given_means,
        "gaps": {**dict.fromkeys(("champion", *BASELINES), GAIN), **(gaps or {})},
        "slices": slices,
        "mechanics": WORKS,
        "holdout_start": NOW,
        "trained_until": NOW,
        "rival": CHAMPION,
    }
    return Evidence(**{**usual, **values})


def judge(*args, **values):
    """The verdict on evidence that differs in what is named."""
    return judge_challenger(LIMITS, evidence(*args, **values))


# For every code that blocks: evidence at its edge that passes, and just beyond that fails.
CASES = {
    "RT101": ({"ours": {"judged_readers": 50.0}}, {"ours": {"judged_readers": 49.0}}),
    "RT102": ({"ours": {"ndcg": 0.10101}}, {"ours": {"ndcg": 0.1009}}),
    "RT103": ({"ours": {"full_list_share": 0.99}}, {"ours": {"full_list_share": 0.98}}),
    "RT104": ({}, {"ours": {"finite_score_share": 0.999}}),
    "RT105": ({}, {"gaps": {"most_read": Gap(0.02, -0.01, 0.05, 0.9, 60)}}),
    "RT107": ({}, {"rival": replace(CHAMPION, is_same=True)}),
    "RT108": (
        {"gaps": {"champion": Gap(0.011, 0.001, 0.02, 0.99, 60)}},
        {"gaps": {"champion": Gap(0.009, 0.001, 0.02, 0.99, 60)}},
    ),
    "RT109": (
        {"rival": replace(CHAMPION, trained_until=NOW)},
        {"rival": replace(CHAMPION, trained_until=NOW + timedelta(minutes=1))},
    ),
    "RT110": (
        {"slices": (a_slice("region", "Africa", -0.0099, -0.02, -0.001), *SLICES[1:])},
        {"slices": (a_slice("region", "Africa", -0.0101, -0.02, -0.001), *SLICES[1:])},
    ),
    "RT111": (
        {"slices": (*SLICES[:1], a_slice("hold-out", "part 2 of 3", -0.0039, -0.02, -0.001))},
        {"slices": (*SLICES[:1], a_slice("hold-out", "part 2 of 3", -0.0041, -0.02, -0.001))},
    ),
    "RT112": ({}, {"mechanics": Mechanics("the files have another digest"), "means": {}, "gaps": {}}),
    "RT113": ({}, {"mechanics": replace(WORKS, differing_share=0.001)}),
    "RT114": (
        {"mechanics": replace(WORKS, milliseconds_per_list=50.0)},
        {"mechanics": replace(WORKS, milliseconds_per_list=50.1)},
    ),
    "RT115": ({"mechanics": replace(WORKS, peak_mb=4000.0)}, {"mechanics": replace(WORKS, peak_mb=4001.0)}),
    "RT116": ({"ours": {"mean_candidate_count": 24.0}}, {"ours": {"mean_candidate_count": 23.9}}),
    "RT117": ({"trained_until": NOW}, {"trained_until": NOW + timedelta(minutes=1)}),
}
# And for every code that makes a person decide.
DOUBTS = {
    "RT106": ({}, {"gaps": {"champion": Gap(0.03, -0.001, 0.06, 0.95, 60)}}),
    "RT118": ({}, {"champion_trouble": "Its files are gone."}),
    "RT119": ({"ours": {"catalogue_share": 0.1}}, {"ours": {"catalogue_share": 0.099}}),
    "RT120": ({"ours": {"mean_diversity": 0.65}}, {"ours": {"mean_diversity": 0.63}}),
    "RT121": ({"ours": {"mean_surprise_bits": 6.5}}, {"ours": {"mean_surprise_bits": 6.3}}),
    "RT122": ({"ours": {"concentration": 0.64}}, {"ours": {"concentration": 0.66}}),
    "RT123": ({"ours": {"median_age_hours": 16.0}}, {"ours": {"median_age_hours": 16.1}}),
    "RT124": ({"ours": {"largest_publisher_share": 0.39}}, {"ours": {"largest_publisher_share": 0.41}}),
    "RT125": ({"ours": {"kept_place_share": 0.3}}, {"ours": {"kept_place_share": 0.29}}),
    "RT126": ({"live": Turnover("b", 50, 0.3, 0.0)}, {"live": Turnover("b", 50, 0.3, 0.01)}),
}
