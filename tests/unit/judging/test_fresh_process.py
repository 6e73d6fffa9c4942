"""What counts as reproduced, and which readers a fresh process is tried on."""

from __future__ import annotations

import math
from datetime import timedelta

import pyarrow as pa
import pytest

from include.core.contract import MOMENT
from include.judging.fresh_process import SAMPLE_READERS, differing_share, take_sample
from tests.worlds.scenes import NOW, an_article, ranking, scenes

SAME = ranking({1: [4, 5], 2: [6, 7]})


def with_scores(*scores):
    return SAME.set_column(4, "score", pa.array(scores, pa.float32()))


@pytest.mark.parametrize(
    ("other", "share"),
    [
        (SAME, 0.0),
        (SAME.take([3, 1, 0, 2]), 0.0),
        (ranking({1: [4, 5], 2: [7, 6]}), 0.5),
        (ranking({1: [4, 5]}), 1.0),
        (SAME.slice(0, 0), 1.0),
        (with_scores(1.0, 0.5, 1.0, 0.51), 0.25),
        (with_scores(1.0, 0.5, 1.0, math.nan), 0.25),
        (with_scores(1.00001, 0.5, 1.0, 0.5), 0.0),
    ],
    ids=["same", "order of rows", "order of articles", "fewer", "none", "a score", "no number", "rounding"],
)
def test_each_place_needs_the_same_article_and_score(other, share):
    assert differing_share(SAME, other) == share


def test_scores_that_are_no_numbers_are_never_reproduced():
    nothing = with_scores(*[math.nan] * 4)
    assert differing_share(nothing, nothing) == 1.0


def test_a_sample_is_of_the_last_moment_and_spread_over_all_readers():
    readers = list(range(1, 3 * SAMPLE_READERS + 1))
    world = scenes(readers, [an_article(1)], {1: [1], 2: [1]})
    earlier = world.requests.set_column(1, "list_at", pa.array([NOW - timedelta(hours=3)] * len(readers), MOMENT))
    sample = take_sample(type(world)(**{**vars(world), "requests": pa.concat_tables([earlier, world.requests])}))
    chosen = sample.requests.column("reader_id").to_pylist()
    assert sample.requests.column("list_at").unique().to_pylist() == [NOW]
    assert len(chosen) == SAMPLE_READERS
    assert (chosen[0], chosen[-1]) == (1, readers[-3])
    assert sample.reads.column("reader_id").to_pylist() == [1], "of others only what is asked about goes along"
