"""The demo newsroom's world: a pure function of seed, size, start and scenarios.

Belongs here: the tables of planted taste, and the readers and stories derived from them on demand. Does not belong
here: a database, a clock or other state; two worlds with the same parameters are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom import readers as reader_blocks
from include.operations.demo.newsroom import stories as story_hours
from include.operations.demo.newsroom.readers import (
    BLOCK,
    DAY,
    GROUPS,
    HOUR,
    OUTLET_FACTORS,
    OWN_FACTORS,
    Readers,
    count_at_start,
)
from include.operations.demo.newsroom.stories import OUTLETS, Outlets, Stories
from include.operations.demo.newsroom.words import CATEGORIES, SUBTOPICS, TOPICS

Array = NDArray[Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WARM_UP_HOURS = 24  # hours of stories before the first visit, so that the first front page is not empty
KEPT_HOURS = 100
# one random stream per purpose; never renumber them
TASTE, OUTLET, READERS, STORIES, VISITS, TEXT = range(6)


def to_us(moment: datetime) -> int:
    """Return the microseconds since 1970."""
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def to_moment(us: int) -> datetime:
    """Return the aware UTC datetime of microseconds since 1970."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=int(us) % 1_000_000)


@dataclass(frozen=True)
class Scenario:
    """A lasting change that takes effect from a moment on, named after its function in `scenarios.py`."""

    name: str
    starts_us: int
    parameters: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Parameters:
    """The parameters of a world; the same parameters give the same world."""

    seed: int
    readers: int
    articles_per_day: int
    started_us: int


class World:
    """Readers, stories and planted taste, made on demand; recent ones are remembered."""

    def __init__(self, parameters: Parameters, scenarios: Iterable[Scenario] = ()) -> None:
        self.parameters = parameters
        self.scenarios = tuple(scenarios)
        random = self.stream(TASTE)
        self.group_taste = _plant_tastes(random)
        self.own_topics = (random.standard_normal((OWN_FACTORS, TOPICS)) * 0.5 / OWN_FACTORS**0.5).astype(np.float32)
        self.outlet_factors = (random.standard_normal((OUTLET_FACTORS, OUTLETS)) * 0.35 / 2).astype(np.float32)
        self.topic_appeal = np.array(reader_blocks.GROUP_SHARES) @ self.group_taste
        self.outlets: Outlets = story_hours.make_outlets(self.stream(OUTLET))
        self.first_hour = parameters.started_us // HOUR - WARM_UP_HOURS
        self._before = int(story_hours.count_until(self.first_hour, parameters.articles_per_day))
        self._blocks: list[Readers] = []
        self._readers: Readers | None = None
        self._hours: dict[int, Stories] = {}

    def stream(self, purpose: int, number: int = 0) -> np.random.Generator:
        """Return the random stream of a purpose and a number (a block, an hour, a step)."""
        return np.random.default_rng([self.parameters.seed, purpose, number])

    def count_readers(self, at_us: int) -> int:
        """Return the number of readers who have signed up by a moment; their numbers are 1 to this."""
        known = count_at_start(self.parameters.readers)
        per_day = self.parameters.readers * reader_blocks.JOINING_SHARE_PER_DAY
        return known + max(0, int((at_us - self.parameters.started_us) / DAY * per_day))

    def readers(self, count: int) -> Readers:
        """Return at least the first `count` readers."""
        if self._readers is None or len(self._readers) < count:
            taste = self.group_taste.reshape(GROUPS, len(CATEGORIES), SUBTOPICS).mean(axis=2)
            while len(self._blocks) * BLOCK < count:
                number = len(self._blocks)
                self._blocks.append(
                    reader_blocks.make_block(
                        self.stream(READERS, number),
                        number,
                        planned=self.parameters.readers,
                        started_us=self.parameters.started_us,
                        category_taste=taste,
                    )
                )
            self._readers = reader_blocks.join(self._blocks)
        return self._readers

    def stories(self, from_hour: int, to_hour: int) -> Stories:
        """Return the stories published in these hours (since 1970, end excluded), none before the warm-up."""
        hours = range(max(from_hour, self.first_hour), max(to_hour, self.first_hour + 1))
        parts = [self._hour(hour) for hour in hours]
        for old in [hour for hour in self._hours if hour < hours.start - KEPT_HOURS]:
            del self._hours[old]
        return story_hours.join(parts)

    def hours_of_stories(self, story_nos: Array) -> tuple[int, int]:
        """Return the span of hours in which these stories were published, end excluded."""
        low, high = int(story_nos.min()), int(story_nos.max())
        per_day = self.parameters.articles_per_day
        last = self.first_hour + int(high / per_day * 24) + 240
        counts = story_hours.count_until(np.arange(self.first_hour, last), per_day) - self._before
        first, end = np.searchsorted(counts, [low, high])
        return self.first_hour + int(first) - 1, self.first_hour + int(end)

    def _hour(self, hour: int) -> Stories:
        if hour not in self._hours:
            per_day = self.parameters.articles_per_day
            made = story_hours.make_hour(
                self.stream(STORIES, hour),
                hour,
                articles_per_day=per_day,
                outlets=self.outlets,
                first_no=int(story_hours.count_until(hour, per_day)) - self._before + 1,
            )
            for scenario in self.scenarios:
                if scenario.name == "breaking":
                    made = self._break_news(made, hour, scenario)
            self._hours[hour] = made
        return self._hours[hour]

    def _break_news(self, made: Stories, hour: int, scenario: Scenario) -> Stories:
        # The first story from this moment on becomes the burst, in the next hour if this one has none.
        per_day = self.parameters.articles_per_day
        start_hour = scenario.starts_us // HOUR
        if hour < start_hour:
            return made
        if hour > start_hour:
            earlier = story_hours.count_until(np.array([start_hour + 1, hour]), per_day)
            if earlier[0] != earlier[1] or (self._hour(start_hour).published_us >= scenario.starts_us).any():
                return made
        rows = np.flatnonzero(made.published_us >= scenario.starts_us)[:1]
        boost, half_life = made.boost.copy(), made.half_life_hours.copy()
        boost[rows], half_life[rows] = scenario.parameters.get("boost", story_hours.BREAKING_BOOST), 5.0
        return replace(made, boost=boost, half_life_hours=half_life)


def _plant_tastes(random: np.random.Generator) -> Array:
    # Each group likes two sub-topics in each of three desks, and two more anywhere, and cares little for the rest. So
    # the desk says something about fit, and the sub-topic, which only co-reading and words reveal, says more.
    taste = random.normal(-0.9, 0.3, (GROUPS, len(CATEGORIES), SUBTOPICS))
    desks = np.concatenate([random.permutation(len(CATEGORIES)) for _ in range(3)])[: GROUPS * 3].reshape(GROUPS, 3)
    for group in range(GROUPS):
        for desk in desks[group]:
            taste[group, desk] += 0.5
            taste[group, desk, random.permutation(SUBTOPICS)[:2]] += 2.6
        for _ in range(2):
            taste[group, random.integers(len(CATEGORIES)), random.integers(SUBTOPICS)] = 1.6
    return taste.reshape(GROUPS, TOPICS).astype(np.float32)
