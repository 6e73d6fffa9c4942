"""Arrange a model's ranking into a reader's list: caps, fallbacks, and full lists as long as there are articles.

Judging makes its lists here too, so a verdict is about the lists that readers would see.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

import pyarrow as pa

from include.adapters import duck
from include.core.settings import Settings
from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.models import RANKED, Recommender

DEPTH_PER_PLACE = 4  # articles ranked per place of a list, so that the caps leave enough
FILLING_POOL = 400


@dataclass(frozen=True)
class ListLimits:
    """The length of a list, its caps, and the age of its articles."""

    list_length: int
    max_per_publisher: int
    max_per_category: int
    article_max_age_hours: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits from the settings."""
        return cls(
            settings.list_length,
            settings.max_per_publisher,
            settings.max_per_category,
            settings.article_max_age_hours,
        )


def make_lists(limits: ListLimits, model: Recommender, scenes: Scenes, catalogue: pa.Table) -> pa.Table:
    """Return a list per request: reader_id, list_at, rank from 1, article_id, score, reason."""
    ranked = model.rank(scenes, limits.list_length * DEPTH_PER_PLACE)
    return arrange(limits, ranked, scenes, catalogue)


def arrange(limits: ListLimits, ranked: pa.Table, scenes: Scenes, catalogue: pa.Table) -> pa.Table:
    """Return the ranking with caps applied and gaps filled; `catalogue` holds the articles that may fill them."""
    with open_tables(scenes, suggested=ranked, catalogue=catalogue) as connection:
        parameters = {**asdict(limits), "pool": FILLING_POOL}
        return duck.fetch(connection, duck.query("lists/arrange"), parameters).cast(RANKED)
