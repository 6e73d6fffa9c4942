"""The planted truth: how much a reader likes a story, the chance that they open it, and how long they stay.

Belongs here: the formulas that simulated readers follow, and `expected_dwell`, against which a model can be measured.
Does not belong here: random draws (`events.py`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom.readers import DAY, GROUPS, HOUR, Readers
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.world import World, to_us

Array = NDArray[Any]

OPEN_AT_REST = -2.5  # log-odds that a seen, fresh story of no interest is opened
LANGUAGE_PENALTY = 2.2
LOCAL_BONUS = 0.4
AGE_WEIGHT = 0.9
WORDS_PER_SECOND = 3.8
EXAMINED_DECAY = 0.13
GIVES_UP_PER_SLOT = 0.01
LONGEST_READ_SECONDS = 1200.0
PAIRS_AT_ONCE = 1_000_000  # of expected_dwell, to bound memory


def sigmoid(x: Array) -> Array:
    """Return the logistic function of x."""
    return 1 / (1 + np.exp(-x))


def taste_mix(world: World, readers: Readers, at_us: Array) -> Array:
    """Return each reader's share of every taste group at a moment: it swings slowly and changes in drift scenarios."""
    angle = (2 * np.pi * (at_us / readers.period_us) + readers.phase)[:, None] + np.arange(GROUPS) * 2.4
    mix: Array = readers.mix * (1 + readers.swing[:, None] * np.sin(angle))
    for scenario in world.scenarios:
        if scenario.name == "drift":
            # `fickleness` is uniform, so the same readers change in every replay, and a larger share adds more
            turned = (at_us >= scenario.starts_us) & (readers.fickleness < scenario.parameters["share"])
            moved = np.roll(mix, int(scenario.parameters.get("groups", 4)), axis=1)
            mix = np.where(turned[:, None], moved, mix)
    mix /= mix.sum(axis=1, keepdims=True)
    return mix


def tastes(world: World, readers: Readers, at_us: Array) -> tuple[Array, Array]:
    """Return each reader's liking of every topic (readers x topics) and every outlet (readers x outlets)."""
    topics = taste_mix(world, readers, at_us) @ world.group_taste + readers.own @ world.own_topics
    return topics, readers.outlet_taste @ world.outlet_factors


def fit(world: World, readers: Readers, stories: Stories, rows: Array, at_us: Array) -> Array:
    """Return how well each story (`rows`: readers x slots, indexes into `stories`) suits the reader of its row."""
    topics, outlets = tastes(world, readers, at_us)
    own = np.arange(len(readers))[:, None]
    suited = topics[own, stories.topic[rows]] + outlets[own, stories.outlet[rows]]
    suited -= language_gap(stories, rows, readers.language[:, None])
    suited += LOCAL_BONUS * (stories.home[rows] == readers.region[:, None])
    return suited


def language_gap(stories: Stories, rows: Array, language: Array) -> Array:
    """Return the appeal that a story loses with readers of another language; breaking news loses little."""
    gap: Array = LANGUAGE_PENALTY * np.where(stories.boost[rows] > 0, 0.2, 1.0)
    return np.where(stories.language[rows] != language, gap, 0.0)


def freshness(stories: Stories, rows: Array, at_us: Array) -> Array:
    """Return the interest at a story's age, 0 to 1: it peaks within hours, then halves every half-life."""
    age = (at_us - stories.published_us[rows]) / HOUR
    peak = stories.peak_hours[rows]
    rise = np.sqrt(np.clip(age / peak, 0, 1)) * 0.6 + 0.4
    fall = 0.5 ** (np.maximum(age - peak, 0) / stories.half_life_hours[rows])
    return np.where(age < 0, 0.0, rise * fall)


def appeal(stories: Stories, rows: Array, at_us: Array) -> Array:
    """Return a story's appeal to every reader at a moment, in log-odds: quality, freshness, breaking news."""
    fresh = np.log(freshness(stories, rows, at_us) + 1e-6)
    burst = stories.boost[rows]
    return 0.5 * stories.quality[rows] + AGE_WEIGHT * fresh + burst


def open_chance(suited: Array, drawn: Array) -> Array:
    """Return the chance that a reader opens a story they have seen."""
    return sigmoid(OPEN_AT_REST + suited + drawn)


def bounce_chance(suited: Array) -> Array:
    """Return the chance that an opened story is left at once."""
    return sigmoid(-1.6 - 0.5 * suited)


def read_seconds(suited: Array, words: Array, pace: Array) -> Array:
    """Return the mean time spent on a story that is read, by its length, the reader's pace and how well it suits."""
    finished = 0.06 + 0.9 * sigmoid(0.9 * suited - 0.5)
    return np.minimum(pace * words / WORDS_PER_SECOND * finished, LONGEST_READ_SECONDS)


def examined_chance(position: Array) -> Array:
    """Return the chance that a reader looks at the slot at a 1-based position."""
    return 1 / (1 + EXAMINED_DECAY * (np.maximum(position, 1) - 1))


def expected_dwell(world: World, reader_ids: Array, article_ids: Array, at: datetime) -> Array:
    """Return the seconds a reader would spend on average on an article they look at now; readers x articles.

    `article_ids` is one list for all readers or one row per reader (a column gives plain pairs). Unpublished articles
    get almost nothing.
    """
    reader_ids, article_ids = np.asarray(reader_ids, np.int64), np.asarray(article_ids, np.int64)
    at_us = to_us(at)
    everyone = world.readers(int(reader_ids.max()))
    stories = world.stories(*world.hours_of_stories(article_ids))
    every_row = np.broadcast_to(article_ids, (len(reader_ids), article_ids.shape[-1])) - stories.first_no
    seconds = np.empty(every_row.shape)
    block = max(1, PAIRS_AT_ONCE // every_row.shape[1])
    for begin in range(0, len(reader_ids), block):
        part = slice(begin, begin + block)
        readers, rows = everyone.pick(reader_ids[part] - 1), every_row[part]
        suited = fit(world, readers, stories, rows, np.full(len(readers), at_us))
        stays = open_chance(suited, appeal(stories, rows, np.array(at_us))) * (1 - bounce_chance(suited))
        seconds[part] = stays * read_seconds(suited, stories.words[rows], readers.pace[:, None])
    return seconds


def live_articles(world: World, at: datetime, max_age_hours: int = 48) -> Array:
    """Return the numbers of the articles published in the hours before a moment."""
    at_us = to_us(at)
    stories = world.stories((at_us - max_age_hours * HOUR) // HOUR, at_us // HOUR + 1)
    published = stories.published_us
    rows: Array = np.flatnonzero((published <= at_us) & (published > at_us - max_age_hours * HOUR))
    return rows + stories.first_no


def active_share(readers: Readers, at_us: int) -> Array:
    """Return the share of readers' usual activity: 0 before sign-up, and fading within days when they leave."""
    # clipped, so that readers who left long ago do not overflow the exponential
    fading = 1 / (1 + np.exp(np.clip((at_us - readers.fades_us) / DAY * 2, -30, 30)))
    return np.where(readers.signed_up_us < at_us, fading, 0.0)
