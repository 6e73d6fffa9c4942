"""The planted stories: subject, quality and ageing of each, all derived from the seed and the hour.

Belongs here: a story's properties, and the number of stories over time. Does not belong here: its words
(`headlines.py`) and the readers' opinion (`truth.py`). Every hour has a random stream of its own; story numbers are a
running count, so that they need no state.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom.readers import HOUR
from include.operations.demo.newsroom.words import CATEGORIES, LANGUAGES, REGIONS, SUBTOPICS, TOPICS

Array = NDArray[Any]

OUTLETS = 40
BREAKING_PER_HOUR = 1 / 30
BREAKING_BOOST = 3.0
HOURS_OF_WEEK = 168
# Outlets are ordered by size; this cycle keeps each language in proportion to its readers.
OUTLET_LANGUAGES = ("es", "en", "es", "en", "pt", "en", "es", "fr")


@dataclass(frozen=True)
class Stories:
    """Columns of consecutive stories; `first_no` is the number of the first. Times are microseconds since 1970."""

    first_no: int
    published_us: Array
    received_us: Array
    revised_us: Array
    disputed: Array
    topic: Array
    outlet: Array
    language: Array
    home: Array
    words: Array
    quality: Array
    peak_hours: Array
    half_life_hours: Array
    boost: Array
    editor_noise: Array

    def __len__(self) -> int:
        return len(self.published_us)

    def pick(self, rows: Array) -> Stories:
        """Return the stories in these rows; `first_no` stays the same."""
        return Stories(self.first_no, *(getattr(self, field.name)[rows] for field in fields(self)[1:]))


def join(parts: list[Stories]) -> Stories:
    """Return consecutive hours as one."""
    columns = fields(Stories)[1:]
    return Stories(parts[0].first_no, *(np.concatenate([getattr(part, c.name) for part in parts]) for c in columns))


def _week_rhythm() -> Array:
    # Share of a week's stories up to each hour; hour 0 of the epoch is a Thursday's midnight.
    hours = np.arange(HOURS_OF_WEEK)
    by_hour = 0.45 + 0.55 * np.exp(-0.5 * ((hours % 24 - 15) / 5.0) ** 2)
    weekend = np.isin((hours // 24 + 3) % 7, (5, 6))
    share = by_hour * np.where(weekend, 0.85, 1.06)
    return np.concatenate([[0.0], np.cumsum(share) / share.sum()])


WEEK_RHYTHM = _week_rhythm()


def count_until(hour: int | Array, articles_per_day: int) -> Array:
    """Return the number of stories published from 1970 until each hour (in hours since 1970)."""
    week, hour_of_week = np.divmod(np.asarray(hour, dtype=np.int64), HOURS_OF_WEEK)
    count: Array = np.floor(articles_per_day * 7 * (week + WEEK_RHYTHM[hour_of_week])).astype(np.int64)
    return count


@dataclass(frozen=True)
class Outlets:
    """The publishers: share of all stories, desk profile, language, home region and quality."""

    share_cut: Array
    topic_cut: Array
    language: Array
    home: Array
    quality: Array


def make_outlets(random: np.random.Generator) -> Outlets:
    """Return forty outlets of unequal size, each with favourite desks."""
    share = 1 / (np.arange(OUTLETS) + 3.0) ** 0.8
    desk = random.dirichlet(np.full(len(CATEGORIES), 1.2), OUTLETS) + 0.02
    subtopic = random.dirichlet(np.full(SUBTOPICS, 4.0), len(CATEGORIES))
    topic = (desk[:, :, None] * subtopic[None]).reshape(OUTLETS, TOPICS)
    language = np.array([LANGUAGES.index(OUTLET_LANGUAGES[i % len(OUTLET_LANGUAGES)]) for i in range(OUTLETS)])
    # home regions of the languages: en everywhere, es and pt mostly Latin America, fr Africa
    homes = {"en": (1, 2), "es": (0, 0, 0, 2), "fr": (1,), "pt": (0, 0, 0, 1)}
    home = [random.choice(homes[LANGUAGES[code]]) for code in language]
    return Outlets(
        share_cut=np.cumsum(share / share.sum()),
        topic_cut=np.cumsum(topic / topic.sum(axis=1, keepdims=True), axis=1),
        language=language.astype(np.int8),
        home=np.array(home, dtype=np.int8),
        quality=random.normal(0, 0.4, OUTLETS),
    )


def make_hour(
    random: np.random.Generator, hour: int, *, articles_per_day: int, outlets: Outlets, first_no: int
) -> Stories:
    """Return the stories published in an hour, in order; now and then the first one is breaking news."""
    n = int(np.diff(count_until(np.array([hour, hour + 1]), articles_per_day))[0])
    published = hour * HOUR + np.sort((random.random(n) * HOUR).astype(np.int64))
    received = published + (random.uniform(20, 240, n) * 1e6).astype(np.int64)
    outlet = np.minimum(np.searchsorted(outlets.share_cut, random.random(n)), OUTLETS - 1)
    topic = np.minimum((random.random(n)[:, None] > outlets.topic_cut[outlet]).sum(axis=1), TOPICS - 1)
    disputed = random.random(n) < 0.004
    corrected = random.random(n) < 0.05
    boost = np.zeros(n)
    if random.random() < BREAKING_PER_HOUR:
        boost[:1] = BREAKING_BOOST
    hours_later = random.uniform(1.0, 20.0, n)
    return Stories(
        first_no=first_no,
        published_us=published,
        received_us=received,
        revised_us=received + np.where(disputed | corrected, hours_later * HOUR, 0).astype(np.int64),
        disputed=disputed,
        topic=topic.astype(np.int16),
        outlet=outlet.astype(np.int16),
        language=outlets.language[outlet],
        home=np.where(random.random(n) < 0.7, outlets.home[outlet], random.integers(0, len(REGIONS), n)).astype(
            np.int8
        ),
        words=np.clip(random.lognormal(6.25, 0.5, n), 90, 3000).astype(np.int32),
        # misinformation is written to be opened
        quality=outlets.quality[outlet] + random.normal(0, 0.6, n) + 0.8 * disputed,
        peak_hours=random.uniform(1, 3, n),
        half_life_hours=np.where(boost > 0, 5.0, random.uniform(8, 12, n)),
        boost=boost,
        editor_noise=random.normal(0, 0.6, n),
    )
