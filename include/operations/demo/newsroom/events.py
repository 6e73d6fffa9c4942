"""Turn visits into rows of the tracking log: stories that readers see, open and read.

Belongs here: reactions by the planted truth, and their order in time. Does not belong here: storing rows.
A visit first shows the reader's own list, if there is one, then the front page; some readers also search.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom import truth
from include.operations.demo.newsroom.front_page import NOBODY, REMADE_US, Pages, fill_slots, repeats
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.visits import LIST_SLOTS, REACTION_SLOTS, SEEN_SLOTS, VISITS_PER_STEP, Visits
from include.operations.demo.newsroom.world import World

Array = NDArray[Any]

ACTIONS = ("shown", "opened", "finished")
SHOWN, OPENED, FINISHED = range(3)
PLACES = ("front", "list", "search")
FRONT, LIST, SEARCH = range(3)

LIST_SHARE = 0.6
SEARCH_SHARE = 0.15
FEWEST_SLOTS, MOST_SLOTS = 6, 12
MEMORY_STEPS = 216  # readers do not open a story twice within 36 hours
NOISE = 0.55
_SLOT_PLACE = np.repeat([LIST, FRONT, SEARCH], [LIST_SLOTS, SEEN_SLOTS - LIST_SLOTS, 1])
_SLOT_POSITION = np.concatenate([np.arange(1, LIST_SLOTS + 1), np.arange(1, SEEN_SLOTS - LIST_SLOTS + 1), [0]])


@dataclass(frozen=True)
class Events:
    """Rows of the log without their numbers. NaN, 0 and -1 mean "none" in seconds, slot and list_code."""

    reader: Array
    story: Array
    action: Array
    happened_us: Array
    logged_us: Array
    seconds: Array
    slot: Array
    place: Array
    list_code: Array
    visit: Array

    def __len__(self) -> int:
        return len(self.reader)

    def pick(self, rows: Array) -> Events:
        """Return these rows, in this order."""
        return Events(*(getattr(self, column.name)[rows] for column in fields(self)))


DTYPES = ("i8", "i8", "i1", "i8", "i8", "f8", "i2", "i1", "i2", "i8")
NOTHING = Events(*(np.empty(0, dtype) for dtype in DTYPES))


def join(parts: Iterable[Events]) -> Events:
    """Return all rows in the order in which the log receives them."""
    given = list(parts)
    joined = Events(*(np.concatenate([getattr(part, c.name) for part in given]) for c in fields(Events)))
    # ties are broken by the time of happening, so that the order does not depend on how the span was cut
    return joined.pick(np.lexsort((joined.slot, joined.story, joined.action, joined.visit, joined.logged_us)))


@dataclass(frozen=True)
class Lists:
    """Daybreak's live lists: for each reader (sorted) up to ten articles by rank, 0 for none, and their start."""

    readers: Array
    articles: Array
    code: int
    since_us: int


class Memory:
    """A memory of the stories that each reader opened recently, with the step."""

    def __init__(self, readers: Array, stories: Array, steps: Array) -> None:
        self.keys, self.steps = _key(readers, stories), np.asarray(steps, np.int64)
        self._sort()

    def keep_first(self, readers: Array, stories: Array, steps: Array) -> Array:
        """Return True for the openings (in time order) that are not repetitions, and remember these."""
        if not len(readers):
            return np.zeros(0, bool)
        keys = _key(readers, stories)
        fresh = np.ones(len(keys), bool)
        if len(self.keys):
            at = np.minimum(np.searchsorted(self.keys, keys, side="right") - 1, len(self.keys) - 1)
            fresh = (self.keys[at] != keys) | (steps - self.steps[at] > MEMORY_STEPS)
        rows = np.flatnonzero(fresh)
        kept = np.zeros(len(keys), bool)
        kept[rows[np.unique(keys[rows], return_index=True)[1]]] = True
        recent = self.steps >= steps.min() - MEMORY_STEPS
        self.keys = np.concatenate([self.keys[recent], keys[kept]])
        self.steps = np.concatenate([self.steps[recent], steps[kept]])
        self._sort()
        return kept

    def _sort(self) -> None:
        order = np.lexsort((self.steps, self.keys))
        self.keys, self.steps = self.keys[order], self.steps[order]


def _key(readers: Array, stories: Array) -> Array:
    return (np.asarray(readers, np.int64) << 36) | np.asarray(stories, np.int64)


def react(
    world: World, visits: Visits, stories: Stories, pages: Pages, lists: Lists | None, memory: Memory
) -> tuple[Events, Array]:
    """Return the log rows of these visits in the order the log receives them, and which visits showed a list."""
    if not len(visits):
        return NOTHING, np.zeros(0, bool)
    readers = world.readers(int(visits.reader.max())).pick(visits.reader - 1)
    count = FEWEST_SLOTS + (visits.draw("count") * (MOST_SLOTS - FEWEST_SLOTS + 1)).astype(np.int64)
    front = fill_slots(pages, readers, visits.at_us, visits.draw("draws"), visits.draw("order"), count)
    listed = _listed(visits, lists)
    found = _search(world, visits, stories, pages)
    number = np.column_stack([listed, np.where(front == NOBODY, 0, front + stories.first_no), found])
    # stories on the list are not shown again below it and not searched for
    number[repeats(number)] = 0

    row = number - stories.first_no
    known = (number > 0) & (row >= 0) & (row < len(stories))
    row = np.where(known, row, 0)
    at = visits.at_us[:, None]
    suited = truth.fit(world, readers, stories, row, visits.at_us)
    chance = truth.open_chance(suited, truth.appeal(stories, row, at))
    looked = visits.draw("look") < truth.examined_chance(_SLOT_POSITION[:SEEN_SLOTS])
    opened = known & (visits.draw("open") < chance)
    opened[:, :SEEN_SLOTS] &= looked
    opened[:, SEEN_SLOTS] = known[:, SEEN_SLOTS]

    visit, slot = np.nonzero(opened)
    opened[visit, slot] = memory.keep_first(
        visits.reader[visit], number[visit, slot], visits.number[visit] // VISITS_PER_STEP
    )
    stays = opened & (visits.draw("bounce") >= truth.bounce_chance(suited))
    mean = truth.read_seconds(suited, stories.words[row], readers.pace[:, None])
    mean *= 1 - truth.GIVES_UP_PER_SLOT * np.maximum(_SLOT_POSITION - 1, 0)
    seconds = np.clip(mean * np.exp(NOISE * visits.normal - NOISE**2 / 2), 2.0, 2 * truth.LONGEST_READ_SECONDS)
    events = _log(visits, number, opened, stays, seconds, lists.code if lists else -1)
    return events, np.asarray(listed.any(axis=1))


def _listed(visits: Visits, lists: Lists | None) -> Array:
    if lists is None or not len(lists.readers):
        return np.zeros((len(visits), LIST_SLOTS), np.int64)
    place = np.minimum(np.searchsorted(lists.readers, visits.reader), len(lists.readers) - 1)
    has = (lists.readers[place] == visits.reader) & (visits.at_us >= lists.since_us)
    shown = has & (visits.draw("list") < LIST_SHARE)
    return np.where(shown[:, None], lists.articles[place], 0)


def _search(world: World, visits: Visits, stories: Stories, pages: Pages) -> Array:
    # A reader who searches finds the best suited of a few stories of the last day, which no editor chose.
    searched = np.flatnonzero(visits.draw("search") < SEARCH_SHARE)
    found = np.zeros(len(visits), np.int64)
    if not len(searched):
        return found
    readers = world.readers(int(visits.reader.max())).pick(visits.reader[searched] - 1)
    page = visits.at_us[searched] // REMADE_US - pages.first_remake
    place = (visits.draw("found")[searched] * pages.searched.shape[-1]).astype(np.int64)
    rows = pages.searched[page[:, None], readers.language[:, None], place]
    suited = truth.fit(world, readers, stories, np.maximum(rows, 0), visits.at_us[searched])
    chance = np.clip(visits.draw("taste")[searched], 1e-6, 1 - 1e-6)
    best = np.argmax(np.where(rows == NOBODY, -99.0, suited - np.log(-np.log(chance))), axis=1)
    chosen = rows[np.arange(len(rows)), best]
    found[searched] = np.where(chosen == NOBODY, 0, chosen + stories.first_no)
    return found


def _log(visits: Visits, number: Array, opened: Array, stays: Array, seconds: Array, list_code: int) -> Events:
    # The page is shown at once; stories are opened one after the other, each after leaving the previous one.
    spent = np.where(stays, seconds, np.where(opened, 3.0, 0.0)) + np.where(opened, 2.0, 0.0)
    glance = 0.6 * np.arange(1, REACTION_SLOTS + 1)
    opened_after = glance + np.cumsum(spent, axis=1) - spent + 1.0
    after = {
        SHOWN: np.broadcast_to(0.02 * np.arange(REACTION_SLOTS), number.shape),
        OPENED: opened_after,
        FINISHED: opened_after + seconds,
    }
    shown = number > 0
    shown[:, SEEN_SLOTS] = False
    lag = 2.0 - 25.0 * np.log(np.maximum(visits.draw("lag"), 1e-4))
    parts = []
    for action, which in ((SHOWN, shown), (OPENED, opened), (FINISHED, stays)):
        visit, slot = np.nonzero(which)
        happened = visits.at_us[visit] + (after[action][visit, slot] * 1e6).astype(np.int64)
        place = _SLOT_PLACE[slot].astype(np.int8)
        parts.append(
            Events(
                reader=visits.reader[visit],
                story=number[visit, slot],
                action=np.full(len(visit), action, np.int8),
                happened_us=happened,
                logged_us=happened + (lag[visit] * 1e6).astype(np.int64),
                seconds=np.round(seconds[visit, slot], 1) if action == FINISHED else np.full(len(visit), np.nan),
                slot=_SLOT_POSITION[slot].astype(np.int16),
                place=place,
                list_code=np.where(place == LIST, list_code, -1).astype(np.int16),
                visit=visits.number[visit],
            )
        )
    return join(parts)
