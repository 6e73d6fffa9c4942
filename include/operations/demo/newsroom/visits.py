"""Draw the visits of readers, and the random numbers that each visit uses.

Belongs here: the rhythm of days and regions, and the draws. Every step of ten minutes has a random stream of its own,
and every visit takes a fixed count of numbers from it. So neither cutting a span into parts nor the stories shown to a
reader changes another reader's draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom.front_page import CANDIDATES, SEARCH_CANDIDATES, SLOTS
from include.operations.demo.newsroom.readers import HOUR
from include.operations.demo.newsroom.truth import active_share, freshness
from include.operations.demo.newsroom.world import VISITS, World

Array = NDArray[Any]

STEP_US = 10 * 60_000_000
VISITS_PER_STEP = 1_000_000  # visit number = step * this + place in the step
LIST_SLOTS = 10
SEEN_SLOTS = LIST_SLOTS + SLOTS
REACTION_SLOTS = SEEN_SLOTS + 1  # and one story that the reader searched for
UTC_OFFSET_HOURS = (-4, 1, -6)
# uniform numbers of a visit, by name
LAYOUT = {
    "who": 1, "when": 1, "list": 1, "lag": 1, "count": 1, "search": 1, "draws": CANDIDATES, "order": CANDIDATES,
    "found": SEARCH_CANDIDATES, "taste": SEARCH_CANDIDATES, "look": SEEN_SLOTS, "open": REACTION_SLOTS,
    "bounce": REACTION_SLOTS,
}  # fmt: skip
WIDTH = sum(LAYOUT.values())


@dataclass(frozen=True)
class Visits:
    """Visits in order of their number, with their draws: `uniform` by the names of LAYOUT, `normal` per slot."""

    number: Array
    reader: Array
    at_us: Array
    uniform: Array
    normal: Array

    def __len__(self) -> int:
        return len(self.number)

    def draw(self, name: str) -> Array:
        """Return the uniform numbers of a name: a column if there is one per visit, else visits x count."""
        names = list(LAYOUT)
        begin = sum(LAYOUT[before] for before in names[: names.index(name)])
        part: Array = self.uniform[:, begin : begin + LAYOUT[name]]
        if LAYOUT[name] == 1:
            part = part[:, 0]
        return part


def hour_rhythm() -> Array:
    """Return the activity by local weekday and hour (7 x 24, Monday first), 1 on average."""
    hour = np.arange(24)
    day = 0.12 + sum(
        height * np.exp(-0.5 * ((hour - peak) / width) ** 2)
        for peak, width, height in ((7.5, 1.6, 1.0), (12.5, 1.5, 0.55), (20.5, 2.2, 1.25))
    )
    week: Array = np.tile(day, (7, 1))
    # at weekends people get up later and read less
    week[5:] = np.roll(day, 2) * np.array([[0.82], [0.9]])
    week /= week.mean()
    return week


RHYTHM = hour_rhythm()


def make_visits(world: World, from_us: int, to_us: int) -> Visits:
    """Return the visits that begin in a span of whole steps."""
    parts: list[Visits] = []
    weights, hour = np.empty(0), -1
    for step in range(from_us // STEP_US, to_us // STEP_US):
        at = step * STEP_US
        if at // HOUR != hour:
            hour = at // HOUR
            weights = np.cumsum(_reader_weights(world, hour))
        parts.append(_make_step(world, step, weights))
    if not parts:
        nothing = np.empty(0, np.int64)
        return Visits(nothing, nothing, nothing, np.empty((0, WIDTH), np.float32), np.empty((0, REACTION_SLOTS)))
    columns = ("number", "reader", "at_us", "uniform", "normal")
    return Visits(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def expected_visits(world: World, from_us: int, to_us: int) -> float:
    """Return about how many visits a span has, for chunk sizes and progress; not part of the world."""
    return world.count_readers(from_us) * 0.9 * (to_us - from_us) / (24 * HOUR)


def _reader_weights(world: World, hour: int) -> Array:
    at = hour * HOUR
    count = world.count_readers(at)
    readers = world.readers(count)
    day = np.array([(at // HOUR + offset) // 24 for offset in UTC_OFFSET_HOURS])
    local = np.array([(hour + offset) % 24 for offset in UTC_OFFSET_HOURS])
    by_region = RHYTHM[(day + 3) % 7, local]
    weights: Array = readers.activity * active_share(readers, at) * by_region[readers.region]
    weights[count:] = 0  # blocks hold some readers who have not signed up
    weights *= _excitement(world, hour)
    return weights


def _excitement(world: World, hour: int) -> float:
    # Breaking news brings readers to the site, most of all in its first hours.
    stories = world.stories(hour - 12, hour)
    rows = np.flatnonzero(stories.boost > 0)
    if not len(rows):
        return 1.0
    return 1.0 + 0.5 * float(freshness(stories, rows, np.array(hour * HOUR)).max())


def _make_step(world: World, step: int, weights: Array) -> Visits:
    random = world.stream(VISITS, step)
    total = weights[-1]
    n = int(random.poisson(total * STEP_US / (24 * HOUR)))
    uniform = random.random((n, WIDTH), np.float32)
    normal = random.standard_normal((n, REACTION_SLOTS), np.float32)
    # float32 is too coarse to choose among half a million readers
    row = np.searchsorted(weights, random.random(n) * total, side="right")
    # no reader is in two visits at once
    first = np.sort(np.unique(row, return_index=True)[1])
    at = step * STEP_US + (uniform[first, 1].astype(np.float64) * STEP_US).astype(np.int64)
    return Visits(step * VISITS_PER_STEP + first, row[first] + 1, at, uniform[first], normal[first])
