"""The page of a verdict: what cannot be compared does not look worse, and measures read as people say them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from include.core.run import Run
from include.core.settings import Settings
from include.judging.bootstrap import Gap
from include.judging.intervals import draw_intervals, find_ticks
from include.judging.page import MEASURES, find_differences, verdict_page
from include.judging.verdict import judge_challenger
from tests.worlds.evidence import CHAMPION, LIMITS, SLICES, a_slice, evidence
from tests.worlds.scenes import NOW

FALL, RISE, CHANCE = Gap(-0.1, -0.2, -0.05, 0.0, 60), Gap(0.1, 0.05, 0.2, 1.0, 60), Gap(0.0, -0.1, 0.1, 0.5, 60)
RUN = Run(Settings(), "retrain/manual__1", NOW, "ada", "it is new", "dry_run", "manual", {"model": "most_read"})
RIVAL = "Judged against v1, champion since 2026-11-19 03:00 UTC."
MODEL = SimpleNamespace(id="4", parents=("features", "snapshot"), fingerprint="digest", facts={})


def rows(plot):
    """The plot's rows by name: the word beside each, and whether it is drawn."""
    found = [
        [*re.findall(r"<span(?: [^>]*)?>([^<>]+)</span>", row), "dot" in row]
        for row in re.findall(r"<div title.*?</div>", plot, re.DOTALL)
    ]
    return {name: (word, drawn) for name, word, _, drawn in found}


def page(**values):
    found = evidence(**values)
    return verdict_page(LIMITS, judge_challenger(LIMITS, found), found, MODEL, RUN, RIVAL)


def test_a_difference_is_called_better_worse_or_perhaps_chance():
    plot = draw_intervals([("up", RISE), ("down", FALL), ("either", CHANCE)])
    found = rows(plot)
    assert {name: word for name, (word, _) in found.items()} == {
        "up": "better", "down": "worse", "either": "may be chance",
    }  # fmt: skip
    assert '<span class="good">better' in plot
    assert '<span class="bad">worse' in plot


def test_what_cannot_be_compared_has_neither_a_line_nor_the_colour_of_what_is_worse():
    nothing = Gap(math.nan, math.nan, math.nan, math.nan, 0)
    plot = draw_intervals([("down", FALL), ("few", replace(FALL, readers=3)), ("none", nothing)], few={"few"})
    found = rows(plot)
    assert found == {"down": ("worse", True), "few": ("not comparable", False), "none": ("not comparable", False)}
    assert plot.count('class="bad"') == 1


def test_one_with_few_readers_does_not_stretch_the_scale_of_the_others():
    wide = draw_intervals([("down", FALL), ("few", Gap(-5, -9, -1, 0, 3))], few={"few"})
    assert re.findall(r"%\">([^<]+)</i>", wide) == ["-0.2", "-0.15", "-0.1", "-0.05", "0"]


@pytest.mark.parametrize(("low", "high"), [(-0.2, 0.0), (0.0, 0.0048), (-0.0301, 0.4601), (0.0, 0.0), (-7.0, 12.0)])
def test_an_axis_holds_all_of_what_is_drawn_in_few_round_steps(low, high):
    ticks = find_ticks(low, high)
    assert ticks[0] <= low + 1e-12
    assert high <= ticks[-1] + 1e-12
    assert 0.0 in ticks
    assert 2 <= len(ticks) <= 6


def test_the_gain_that_is_needed_is_drawn_beside_the_gain():
    html = page()
    assert "+0.0100 is needed" in html
    assert "Dashed: the gain over v1 (champion) that is needed." in html


def test_passed_checks_are_folded_and_failed_ones_are_not():
    opened = re.sub(r"<details>.*?</details>", "", page(ours={"full_list_share": 0.5}), flags=re.DOTALL)
    assert "RT103" in opened
    assert "RT101" not in opened
    assert "Nothing: every check that applies passed." in page()


def test_the_page_says_who_asked_for_it_why_and_how():
    html = page()
    for told in ("manual run, dry run by ada", "it is new", "model most_read", "/daybreak/runs/retrain/manual__1"):
        assert told in html


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
        assert f'<td data-name="">{words}</td><td class="number" data-name="v4 (challenger)">{number}</td>' in html
    assert all(words in html for words, _ in MEASURES.values())


def test_the_page_leads_with_what_failed():
    html = page(ours={"full_list_share": 0.5})
    assert "Kept v1: only 50 % of the lists are full; at least 99 % must be. [RT103]" in html


def test_a_version_that_knows_answers_is_not_drawn_as_ahead():
    fair, unfair = page(), page(rival=replace(CHAMPION, trained_until=NOW + timedelta(hours=3)))
    told = "No fair comparison: v1 learnt from reading up to 2025-03-09 15:00 UTC, the hold-out starts at"
    assert (told in fair, told in unfair) == (False, True)
    drawn = "<span>v1 (champion)</span>"
    assert ("against v1 (champion)" in fair, "against v1 (champion)" in unfair) == (True, False)
    assert (drawn in fair, drawn in unfair) == (True, False)
    assert "against most read" in unfair
    assert ("region: Africa" in fair, "region: Africa" in unfair) == (True, False)
    assert "against" not in page(trained_until=NOW + timedelta(hours=3)).split("What failed")[0].split("</dl>")[1]


def test_what_a_verdict_keeps_is_what_its_page_draws():
    few = a_slice("region", "Africa", readers=29)
    whole, slice_ = find_differences(LIMITS, evidence(slices=(few,)))
    assert (whole["rival"], whole["name"], whole["is_comparable"]) == (1, "all readers", True)
    assert (slice_["name"], slice_["is_comparable"], slice_["readers"]) == ("region: Africa", False, 29)
    assert find_differences(LIMITS, evidence(rival=None)) == []
    assert find_differences(LIMITS, evidence(trained_until=NOW + timedelta(hours=1))) == []
