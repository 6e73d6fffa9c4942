"""The page of a verdict: what cannot be compared does not look worse, and measures read as people say them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from types import SimpleNamespace

from include.core.run import Run
from include.judging.bootstrap import Gap
from include.judging.page import BAD, GOOD, MEASURES, interval_plot, verdict_page
from include.judging.verdict import judge_challenger
from tests.worlds.evidence import LIMITS, SLICES, a_slice, evidence
from tests.worlds.scenes import NOW

FALL, RISE, CHANCE = Gap(-0.1, -0.2, -0.05, 0.0, 60), Gap(0.1, 0.05, 0.2, 1.0, 60), Gap(0.0, -0.1, 0.1, 0.5, 60)
RUN = Run(None, "retrain/manual__1", NOW, "ada", "it is new", "dry_run", "manual", {"model": "most_read"})
RIVAL = "Judged against v1, champion since 2026-11-19 03:00 UTC."
MODEL = SimpleNamespace(id="4", parents=("features", "snapshot"), fingerprint="digest", facts={})


def rows(plot):
    """The plot's rows by name: the word beside each, and the colours used."""
    return {
        re.findall(r">([^<>]+)</text>", row)[0]: (
            re.findall(r">([^<>]+)</text>", row)[1],
            set(re.findall("#\\w+", row)),
        )
        for row in re.findall(r"<g.*?</g>", plot)
    }


def page(**values):
    found = evidence(**values)
    return verdict_page(LIMITS, judge_challenger(LIMITS, found), found, MODEL, RUN, RIVAL)


def test_a_difference_is_called_better_worse_or_perhaps_chance():
    found = rows(interval_plot([("up", RISE), ("down", FALL), ("either", CHANCE)]))
    assert {name: word for name, (word, _) in found.items()} == {
        "up": "better", "down": "worse", "either": "may be chance",
    }  # fmt: skip
    assert GOOD in found["up"][1]
    assert BAD in found["down"][1]


def test_what_cannot_be_compared_has_neither_a_line_nor_the_colour_of_what_is_worse():
    nothing = Gap(math.nan, math.nan, math.nan, math.nan, 0)
    plot = interval_plot([("down", FALL), ("few", replace(FALL, readers=3)), ("none", nothing)], few={"few"})
    found = rows(plot)
    assert [found[name][0] for name in ("few", "none")] == ["not comparable", "not comparable"]
    assert not {BAD, GOOD} & (found["few"][1] | found["none"][1])
    assert plot.count("<circle") == 1


def test_one_with_few_readers_does_not_stretch_the_scale_of_the_others():
    wide = interval_plot([("down", FALL), ("few", Gap(-5, -9, -1, 0, 3))], few={"few"})
    assert "-0.200<" in wide


def test_a_slice_of_few_readers_is_not_shown_as_worse_on_the_page():
    few = a_slice("region", "Africa", -0.15, -0.2, -0.1, readers=29)
    shown = rows(page(slices=(few, a_slice("region", "America", -0.15, -0.2, -0.1), *SLICES[1:])))
    assert (shown["region: Africa"][0], shown["region: America"][0]) == ("not comparable", "worse")


def test_measures_are_told_in_plain_words_and_numbers_as_people_write_them():
    html = page(ours={"hit_share": 0.225, "article_count": 1085.0, "seconds_reached": 41.23})
    for words, number in (
        ("Lists with an article that was read afterwards", "22.5 %"),
        ("Different articles in all lists", "1,085"),
        ("Reading time on listed articles, seconds per reader", "41.2"),
    ):
        assert f'<td>{words}</td><td class="number">{number}</td>' in html
    assert all(words in html for words, _ in MEASURES.values())


def test_the_page_leads_with_what_failed():
    html = page(ours={"full_list_share": 0.5})
    assert "Kept v1: only 50 % of the lists are full; at least 99 % must be. [RT103]" in html
