"""What the crowd of a log of clicks says: counted by hand, and never worse than plain co-reading on next to nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.features.scene_arrays import Reads, to_time
from include.models.kinds.factors import Factors
from include.models.kinds.two_stage import TwoStage, counts, next_reads
from include.models.kinds.two_stage.counts import find_ndcg
from include.models.kinds.two_stage.crowd_reading import count_crowd_reads
from include.models.kinds.two_stage.signals import Pairs
from tests.worlds import scenes

ARTICLES = [scenes.an_article(n, category="news" if n < 5 else "sport", age_hours=9) for n in range(1, 9)]


def reads(rows):
    """(reader, article, minutes ago) as a table of reads."""
    told = [
        {
            "reader_id": r,
            "article_id": a,
            "read_at": scenes.NOW - timedelta(minutes=m),
            "known_at": scenes.NOW - timedelta(minutes=m),
        }
        for r, a, m in rows
    ]
    return pa.Table.from_pylist(told, scenes.READS)


def crowd(rows, now=scenes.NOW):
    return count_crowd_reads(Reads(reads(rows)), np.arange(1, 9), to_time(now))


def test_what_is_read_after_is_told_apart_from_what_is_read_beside():
    found = crowd([(1, 1, 30), (1, 2, 25), (2, 1, 20), (2, 2, 15)])
    assert found.pairs["beside_lately"][0, 1] == found.pairs["beside_lately"][1, 0] == 2
    assert found.pairs["after_day"][0, 1] > 0
    assert found.pairs["after_day"][1, 0] == 0


def test_a_read_after_the_moment_or_known_after_it_counts_for_nothing():
    rows = [(1, 1, 30), (1, 2, 25)]
    late = reads([*rows, (2, 1, -10), (2, 2, -5), (3, 1, 20), (3, 2, 10)])
    known = [row["known_at"] if row["reader_id"] < 3 else scenes.NOW for row in late.to_pylist()]
    late = late.set_column(late.column_names.index("known_at"), "known_at", pa.array(known, late["known_at"].type))
    ours, theirs = (count_crowd_reads(Reads(one), np.arange(1, 9), to_time(scenes.NOW)) for one in (reads(rows), late))
    for name, matrix in ours.pairs.items():
        assert np.array_equal(matrix.toarray(), theirs.pairs[name].toarray()), name
    for name, count in ours.counts.items():
        assert np.array_equal(count, theirs.counts[name]), name


def test_other_names_of_readers_change_no_sum():
    """A version keeps no reader's id, and must rank as the batch did."""
    random = np.random.default_rng(1)
    rows = [
        (int(r), int(a), int(m)) for r, a, m in zip(*(random.integers(1, n, 400) for n in (60, 9, 900)), strict=True)
    ]
    rows = list({(r, a): (r, a, m) for r, a, m in rows}.values())
    ours, theirs = crowd(rows), crowd([(997 * r % 1009, a, m) for r, a, m in rows])
    for name, matrix in ours.pairs.items():
        assert np.array_equal(matrix.toarray(), theirs.pairs[name].toarray()), name


def asked(rows, own):
    """Scenes in which reader 100 asks, who has read `own`."""
    found = scenes.scenes([100], ARTICLES)
    return replace(found, reads=reads([(100, a, 5 * n + 1) for n, a in enumerate(own)]), all_reads=reads(rows))


def outcomes(rows):
    """(article, is opened, is shown) of reader 100."""
    return pa.table(
        {
            "reader_id": pa.array([100] * len(rows), pa.int64()),
            "list_at": pa.array([scenes.NOW] * len(rows), scenes.MOMENT),
            "article_id": pa.array([a for a, _, _ in rows], pa.int64()),
            "position": pa.nulls(len(rows), pa.float64()),
            "is_shown": [shown for _, _, shown in rows],
            "is_opened": [opened for _, opened, _ in rows],
            "read_seconds": pa.nulls(len(rows), pa.float64()),
        }
    )


TOGETHER = [(r, a, 60 - 5 * a) for r in range(1, 6) for a in (1, 2)] + [
    (r, a, 60 - 5 * a) for r in range(6, 9) for a in (1, 5)
]


@pytest.mark.parametrize("name", ["two_stage", "factors"])
def test_of_one_single_read_a_model_is_made_that_ranks_what_was_read_together(name):
    told = asked(TOGETHER, [1])
    model = TwoStage() if name == "two_stage" else Factors()
    model.fit(told, outcomes([(2, True, False)]), seed=1)
    ranked = model.rank(told, 8).to_pylist()
    assert [row["article_id"] for row in ranked][:2] == [2, 5]
    assert 1 not in {row["article_id"] for row in ranked}
    assert len(ranked) == 7


def test_nothing_that_can_be_learnt_gives_what_was_read_together():
    told = asked(TOGETHER, [1])
    model = TwoStage()
    assert model.fit(told, outcomes([(1, True, False)]), seed=1)["trust"] == 0
    assert [row["article_id"] for row in model.rank(told, 3).to_pylist()][:2] == [2, 5]


def choose(tells, requests=240):
    """The mix of counts that is chosen, by the same rows."""
    _, tests, _ = lessons(tells, requests)
    features, gain, request = tests.join()
    return counts.choose_counts(features, gain, request)


def lessons(tells, requests=240, candidates=20):
    """Requests whose read candidate stands out in the feature that tells, as rows to learn from; the rest is noise."""
    random = np.random.default_rng(2)
    features = {
        name: random.normal(size=(requests, candidates)).astype(np.float32) for name in (*counts.COUNTS, "noise")
    }
    features["silent"] = np.zeros((requests, candidates), np.float32)
    read = random.integers(0, candidates, requests)
    gain = np.zeros((requests, candidates), np.float32)
    gain[np.arange(requests), read] = 1
    for name in tells:
        features[name][np.arange(requests), read] += 1.5
    row, place = (one.ravel() for one in np.indices(gain.shape))
    pairs = Pairs(row, place, {name: value.ravel() for name, value in features.items()})
    found = []
    for _ in range(2):
        rows = next_reads._Rows()
        rows.add(pairs, gain.ravel(), 0, np.arange(len(row)))
        found.append(rows)
    return *found, np.arange(requests) % next_reads.FOLDS


@pytest.mark.parametrize(
    ("tells", "low", "high"), [(["plain"], 0, 0.1), (["plain", "hour"], 0.25, 0.75), (["hour"], 0.75, 1)]
)
def test_counts_are_mixed_as_they_tell_what_is_read(tells, low, high):
    assert low <= choose(tells)["crowd"] <= high


@pytest.mark.parametrize("span", counts.SPANS)
def test_it_is_learnt_how_lately_everybody_must_have_read_what_is_read_next(span):
    learnt = choose([span])
    assert (learnt["span"], learnt["crowd"] >= 0.75) == (span, True)


def test_of_two_requests_no_mix_of_counts_is_learnt_whatever_they_say():
    assert choose(["day"], requests=2) == counts.USUAL


def test_a_gain_is_believed_when_it_is_twice_its_error():
    """Nine requests gain 0.1 each, and the error of their sum is 0.3; one lucky request shows nothing."""
    before = np.zeros(9)
    assert counts.choose_surely([before, before + 0.1]) == 1
    assert counts.choose_surely([before, np.array([5.0, *[0.0] * 8])]) == 0
    assert counts.choose_surely([before, before - 0.1]) == 0


def test_where_no_count_says_anything_the_day_and_then_the_newest_article_do():
    """Nobody has read in the last hours; of yesterday's evening two reads are known, and all else is told by age."""
    told = asked([(1, 3, 20 * 60), (2, 3, 20 * 60), (3, 6, 20 * 60)], [])
    age = [5, 9, 9, 3, 9, 9, 7, 1]  # hours, of articles 1 to 8
    at = pa.array([scenes.NOW - timedelta(hours=hours) for hours in age], scenes.MOMENT)
    articles = told.articles.sort_by("article_id")
    articles = articles.set_column(articles.column_names.index("published_at"), "published_at", at)
    model = TwoStage()
    model.fit(told, outcomes([(1, False, False)]), seed=1)
    ranked = model.rank(replace(told, articles=articles), 8).to_pylist()
    assert [row["article_id"] for row in ranked] == [3, 6, 8, 4, 1, 7, 2, 5]


def test_trees_that_know_no_more_than_counts_are_hardly_trusted():
    assert next_reads._learn(*lessons(["plain"]), seed=1)["trust"] <= 0.4


def test_trees_that_know_more_are_trusted():
    assert next_reads._learn(*lessons(["noise"]), seed=1)["trust"] >= 0.4


def test_where_nothing_tells_trees_that_look_better_by_chance_are_not_believed():
    assert next_reads._learn(*lessons([], requests=1000), seed=1)["trust"] == 0


def test_an_order_of_equal_scores_counts_as_the_worst_that_it_may_be():
    request, score, gain = np.zeros(3, int), np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    assert find_ndcg(request, score, gain) == pytest.approx([1 / np.log2(3)])


def test_given_candidates_are_ranked_and_no_others():
    told, model = asked(TOGETHER, [1]), TwoStage()
    model.fit(told, outcomes([(2, True, False)]), seed=1)
    given = pa.table(
        {"reader_id": [100] * 3, "list_at": pa.array([scenes.NOW] * 3, scenes.MOMENT), "article_id": [8, 5, 99]}
    )
    assert [row["article_id"] for row in model.rank(told, 5, given).to_pylist()] == [5, 8]
