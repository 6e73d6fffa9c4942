"""Tastes: what a few reads, stays and ticks say of a reader, in a crowd of two kinds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from include.models.kinds.two_stage.taste import Seen, find_tastes, fit_taste

SUBJECTS, EACH = 12, 3
USUAL_ODDS = np.log(0.2 / 0.8)


def looks(subjects, opened, *, stay=None, found=None, ticked=None):
    """What some readers saw: lists of subjects and whether each was opened, a list per reader."""
    count = len(subjects)
    row = np.repeat(np.arange(count), [len(one) for one in subjects])
    flat = np.array([subject for one in subjects for subject in one], np.int64)
    hits = np.array([hit for one in opened for hit in one], float)
    return Seen(
        row=row,
        subject=flat,
        weight=np.ones(len(flat)),
        odds=np.full(len(flat), USUAL_ODDS),
        opened=hits,
        stay=np.full(len(flat), np.nan) if stay is None else np.array([one for own in stay for one in own], float),
        found=np.zeros((count, SUBJECTS)) if found is None else np.array(found, float),
        shares=np.full((count, SUBJECTS), 1 / SUBJECTS),
        ticked=np.zeros((count, 2)) if ticked is None else np.array(ticked, float),
    )


@pytest.fixture(scope="module")
def crowd():
    """Two kinds of readers: who likes a topic of the first six likes all of these, and the same with the other six.

    What they like they open more often and read longer."""
    random = np.random.default_rng(3)
    kind = np.repeat([0, 1], 400)
    subjects = np.tile(np.repeat(np.arange(SUBJECTS), EACH), (800, 1))
    likes = np.where(subjects // 6 == kind[:, None], 1.2, -1.2)
    opened = random.random(likes.shape) < 1 / (1 + np.exp(-USUAL_ODDS - likes))
    stay = np.where(opened, 0.5 * likes + random.normal(0, 0.5, likes.shape), np.nan)
    ticked = random.random((800, 2)) < np.where(kind[:, None] == [0, 1], 0.8, 0.1)
    return looks(subjects.tolist(), opened.tolist(), stay=stay.tolist(), ticked=ticked)


@pytest.fixture(scope="module")
def learnt(crowd):
    return fit_taste(crowd, seed=7, most_factors=12, most_kinds=12)


def test_one_read_says_something_about_topics_that_go_with_it(learnt):
    opened = np.zeros((2, SUBJECTS))
    opened[0, 0] = opened[1, 6] = 1
    taste, _ = find_tastes(learnt, looks([range(SUBJECTS)] * 2, opened.tolist()))
    assert taste[0, 1:6].min() > taste[0, 6:].max()
    assert taste[1, 7:].min() > taste[1, :6].max()


def test_what_was_searched_for_says_something_too(learnt):
    found = np.zeros((2, SUBJECTS))
    found[0, 0] = found[1, 6] = 1
    taste, _ = find_tastes(learnt, looks([[], []], [[], []], found=found))
    assert taste[0, 1:6].min() > taste[0, 6:].max()
    assert taste[1, 7:].min() > taste[1, :6].max()


def test_a_long_stay_says_more_than_a_short_one(learnt):
    taste, _ = find_tastes(learnt, looks([[0]] * 3, [[1]] * 3, stay=[[-0.8], [np.nan], [0.8]]))
    assert taste[0, 0] < taste[1, 0] < taste[2, 0]


def test_who_reads_everything_slowly_does_not_like_it_more(learnt):
    """A pace of one's own is told apart from taste by what is read of other subjects."""
    own = [0, 1, 6, 7, 0, 1, 6, 7]
    stays = [[0.6] * 8, [0.6] * 2 + [-0.6] * 2 + [0.6] * 2 + [-0.6] * 2]
    taste, _ = find_tastes(learnt, looks([own] * 2, [[1] * 8] * 2, stay=stays))
    assert taste[1, 0] - taste[1, 6] > taste[0, 0] - taste[0, 6] + 0.2


def test_who_was_shown_more_is_known_better_and_a_stranger_gets_the_mean(learnt):
    subjects = [[], list(range(SUBJECTS)), list(range(SUBJECTS)) * 20]
    taste, spread = find_tastes(learnt, looks(subjects, [[0] * len(one) for one in subjects]))
    assert (spread[0] > spread[1]).all()
    assert (spread[1] > spread[2]).all()
    assert taste[0] == pytest.approx(np.log((np.exp(1.2) + np.exp(-1.2)) / 2), abs=0.35)


def test_what_strangers_ticked_tells_of_which_kind_they_are(learnt):
    taste, _ = find_tastes(learnt, looks([[], []], [[], []], ticked=np.eye(2)))
    assert taste[0, :6].min() > taste[0, 6:].max() + 0.3
    assert taste[1, 6:].min() > taste[1, :6].max() + 0.3


def test_where_all_are_of_one_kind_a_stranger_may_still_be_anybody(crowd):
    """The mean of what such readers open is above that of their middle, and shrinks to their own as they are known."""
    one_kind = fit_taste(crowd, seed=7, most_factors=12, most_kinds=1)
    subjects = [[], list(range(SUBJECTS)) * 20]
    taste, spread = find_tastes(one_kind, looks(subjects, [[0] * len(one) for one in subjects]))
    assert spread[0].min() > 0.6
    assert spread[1].max() < 0.5 * spread[0].min()
    assert taste[0] == pytest.approx(np.log((np.exp(1.2) + np.exp(-1.2)) / 2), abs=0.35)


def test_what_was_read_without_being_shown_says_nothing_by_having_been_opened(learnt):
    unseen = replace(looks([[0, 1]], [[1, 1]]), odds=np.full(2, np.nan))
    stranger = looks([[]], [[]])
    for ours, theirs in zip(find_tastes(learnt, unseen), find_tastes(learnt, stranger), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)
    stayed, _ = find_tastes(learnt, replace(unseen, stay=np.full(2, 0.8)))
    assert stayed[0, 0] > find_tastes(learnt, stranger)[0][0, 0] + 0.1


def test_what_counts_for_less_says_less(learnt):
    told = looks([[0, 1, 2]] * 2, [[1, 1, 1]] * 2)
    taste, _ = find_tastes(learnt, replace(told, weight=np.repeat([1.0, 0.2], 3)))
    stranger, _ = find_tastes(learnt, looks([[]], [[]]))
    assert taste[0, 0] > taste[1, 0] + 0.1
    assert taste[1, 0] > stranger[0, 0]


def test_to_search_for_what_is_everywhere_says_less_than_for_what_is_rare(learnt):
    found = np.zeros((2, SUBJECTS))
    found[:, 0] = 1
    shares = np.full((2, SUBJECTS), 0.2 / (SUBJECTS - 1))
    shares[0, 0], shares[1, 0] = 0.8, 0.2 / (SUBJECTS - 1)
    taste, _ = find_tastes(learnt, replace(looks([[], []], [[], []], found=found), shares=shares))
    assert taste[1, 0] > taste[0, 0] + 0.1
