"""The publisher's own front page, which its editors remake every half hour.

Belongs here: pools of stories per edition (region and language), desk and language, and filling a visit's slots from
them. The editors know fresh and popular stories and the reader's choices at sign-up, but not the true tastes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom.readers import HOUR, MOST_LIKES, Readers
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.truth import LOCAL_BONUS, appeal, language_gap
from include.operations.demo.newsroom.words import CATEGORIES, LANGUAGES, REGIONS, SUBTOPICS
from include.operations.demo.newsroom.world import World

Array = NDArray[Any]

REMADE_US = HOUR // 2
SETTLED_US = 5 * 60_000_000  # a story is in the database before it is on the page
TOP_AGE_US, EDITORIAL_AGE_US, SEARCH_AGE_US = 36 * HOUR, 6 * HOUR, 24 * HOUR
TOP, PER_DESK, EDITORIAL, SEARCHED = 40, 12, 64, 128
LEADS = 4
FROM_TOP, FROM_DESKS, FROM_EDITORS = 5, 4, 5
CANDIDATES = FROM_TOP + FROM_DESKS + FROM_EDITORS
SLOTS = 12
SEARCH_CANDIDATES = 8
NOBODY = -1


@dataclass(frozen=True)
class Pages:
    """Story rows per remake of the page; -1 for no story. The first axis is the remakes from `first_remake` on."""

    first_remake: int
    top: Array  # remake, region, language, TOP
    desks: Array  # remake, language, desk, PER_DESK
    editorial: Array  # remake, language, EDITORIAL
    searched: Array  # remake, language, SEARCHED


def make_pages(world: World, stories: Stories, from_us: int, to_us: int) -> Pages:
    """Return all front pages of a time span."""
    first, last = from_us // REMADE_US, -(-to_us // REMADE_US)
    shape = (last - first, len(LANGUAGES))
    top = np.full((last - first, len(REGIONS), len(LANGUAGES), TOP), NOBODY, np.int64)
    desks = np.full((*shape, len(CATEGORIES), PER_DESK), NOBODY, np.int64)
    editorial = np.full((*shape, EDITORIAL), NOBODY, np.int64)
    searched = np.full((*shape, SEARCHED), NOBODY, np.int64)
    known = world.topic_appeal[stories.topic] + stories.editor_noise
    desk_of = stories.topic // SUBTOPICS
    for page in range(last - first):
        at = (first + page) * REMADE_US
        begin, new, recent, end = np.searchsorted(
            stories.published_us, [at - TOP_AGE_US, at - SEARCH_AGE_US, at - EDITORIAL_AGE_US, at - SETTLED_US]
        )
        rows = np.arange(begin, end)
        buzz = known[rows] + appeal(stories, rows, np.array(at))
        for language in range(len(LANGUAGES)):
            foreign = language_gap(stories, rows, np.array(language))
            for region in range(len(REGIONS)):
                score = buzz - foreign + LOCAL_BONUS * (stories.home[rows] == region)
                _put(top[page, region, language], rows[_best(score, TOP)])
            own = np.flatnonzero(stories.language[rows] == language)
            _fill_desks(desks[page, language], rows[own], buzz[own], desk_of[rows[own]])
            _put(editorial[page, language], _spread(rows[own][rows[own] >= recent], EDITORIAL))
            _put(searched[page, language], _spread(rows[own][rows[own] >= new], SEARCHED))
    return Pages(first, top, desks, editorial, searched)


def fill_slots(pages: Pages, readers: Readers, at_us: Array, draws: Array, order: Array, shown: Array) -> Array:
    """Return the story rows of each visit's slots, best place first, -1 for an empty slot.

    `draws` and `order` are uniform numbers (visits x CANDIDATES); `shown` is the number of slots of each visit.
    """
    page = at_us // REMADE_US - pages.first_remake
    visit = np.arange(len(at_us))
    picks = np.empty((len(at_us), CANDIDATES), np.int64)

    # the page leads with one of its few top stories; the rest come from further down the same list
    u = draws[:, :FROM_TOP] ** np.array([3.0, *[1.6] * (FROM_TOP - 1)]) * np.array([LEADS, *[TOP] * (FROM_TOP - 1)])
    picks[:, :FROM_TOP] = pages.top[
        page[:, None], readers.region[:, None], readers.language[:, None], u.astype(np.int64)
    ]
    u = draws[:, FROM_TOP : FROM_TOP + FROM_DESKS]
    ticked = (readers.likes >= 0).sum(axis=1)
    desk = readers.likes[visit[:, None], np.arange(FROM_DESKS) % np.maximum(ticked, 1)[:, None] % MOST_LIKES]
    # readers who ticked nothing see any desk
    desk = np.where(ticked[:, None] > 0, desk, (u * 7919 % 1 * len(CATEGORIES)).astype(np.int64))
    picks[:, FROM_TOP : FROM_TOP + FROM_DESKS] = pages.desks[
        page[:, None], readers.language[:, None], desk, (u**1.3 * PER_DESK).astype(np.int64)
    ]
    u = draws[:, FROM_TOP + FROM_DESKS :]
    picks[:, FROM_TOP + FROM_DESKS :] = pages.editorial[
        page[:, None], readers.language[:, None], (u * EDITORIAL).astype(np.int64)
    ]
    prominence = np.repeat([-1.0, 0.0, 0.15, 0.3], [1, FROM_TOP - 1, FROM_DESKS, FROM_EDITORS])
    rank = np.where((picks == NOBODY) | repeats(picks), 9.0, order + prominence)
    best = np.argsort(rank, axis=1)[:, :SLOTS]
    slots = np.take_along_axis(picks, best, axis=1)
    empty = (np.take_along_axis(rank, best, axis=1) >= 9) | (np.arange(SLOTS) >= shown[:, None])
    return np.where(empty, NOBODY, slots)


def repeats(picks: Array) -> Array:
    """Return True where a row repeats a story."""
    order = np.argsort(picks, axis=1, kind="stable")
    ranked = np.take_along_axis(picks, order, axis=1)
    again = np.zeros(picks.shape, bool)
    np.put_along_axis(again, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return again


def _best(score: Array, count: int) -> Array:
    if len(score) > count:
        chosen = np.argpartition(-score, count)[:count]
        return chosen[np.argsort(-score[chosen], kind="stable")]
    return np.argsort(-score, kind="stable")


def _put(pool: Array, rows: Array) -> None:
    pool[: len(rows)] = rows


def _spread(rows: Array, count: int) -> Array:
    # An even spread over the span instead of the best, so that stories without readers have a chance to be seen.
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]


def _fill_desks(pool: Array, rows: Array, buzz: Array, desk: Array) -> None:
    order = np.lexsort((-buzz, desk))
    starts = np.searchsorted(desk[order], np.arange(len(CATEGORIES) + 1))
    place = np.arange(len(order)) - starts[desk[order]]
    kept = place < PER_DESK
    pool[desk[order][kept], place[kept]] = rows[order][kept]
