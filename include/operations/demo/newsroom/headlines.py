"""Compose headlines and teasers of stories from the words of their sub-topic.

They depend on the seed and on the sub-topic, so the text says more about taste than the desk does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom.stories import OUTLETS, Stories
from include.operations.demo.newsroom.words import (
    CATEGORIES,
    DESKS,
    OUTLET_FIRST,
    OUTLET_LAST,
    PLACES,
    SUBTOPICS,
    TEASERS,
    TEMPLATES,
    VERBS,
)
from include.operations.demo.newsroom.world import TEXT, World

Array = NDArray[Any]

TOPIC_WORDS = tuple(
    (desk, tuple(who.split("|")), tuple(what.split("|"))) for desk, topics in DESKS.items() for who, what in topics
)
CHOICES = 8


def compose(world: World, stories: Stories, rows: Array) -> tuple[list[str], list[str]]:
    """Return the headline and the teaser of each story row."""
    numbers = stories.first_no + rows
    draws = np.empty((len(rows), CHOICES))
    block = numbers // 1024
    for part in np.unique(block):
        mine = block == part
        draws[mine] = world.stream(TEXT, int(part)).random((1024, CHOICES))[numbers[mine] % 1024]
    headlines, teasers = [], []
    for row, draw in zip(rows.tolist(), draws.tolist(), strict=True):
        headline, teaser = _compose_one(int(stories.topic[row]), int(stories.home[row]), draw)
        headlines.append(headline)
        teasers.append(teaser)
    return headlines, teasers


def _compose_one(topic: int, home: int, draw: list[float]) -> tuple[str, str]:
    desk, who, what = TOPIC_WORDS[topic]
    subject, thing, other = who[int(draw[0] * len(who))], int(draw[1] * len(what)), 1 + int(draw[2] * (len(what) - 1))
    words = {
        "who": subject,
        "what": what[thing],
        "other": what[(thing + other) % len(what)],
        "place": PLACES[home][int(draw[3] * len(PLACES[home]))],
        "verb": VERBS[int(draw[4] * len(VERBS))],
        "desk": desk,
        "hours": str(2 + int(draw[7] * 40)),
        "count": str(3 + int(draw[7] * 9)),
    }
    headline = TEMPLATES[int(draw[5] * len(TEMPLATES))].format(**words)
    teaser = TEASERS[int(draw[6] * len(TEASERS))].format(**words)
    return headline[0].upper() + headline[1:], teaser[0].upper() + teaser[1:]


def desk_names(topics: Array) -> list[str]:
    """Return the desk (category) of each topic."""
    return [CATEGORIES[topic // SUBTOPICS] for topic in topics]


def outlet_name(outlet: int) -> str:
    """Return the publisher's name."""
    return f"{OUTLET_FIRST[outlet % len(OUTLET_FIRST)]} {OUTLET_LAST[outlet * len(OUTLET_LAST) // OUTLETS]}"
