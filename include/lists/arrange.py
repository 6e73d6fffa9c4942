"""Lists: from a model's ranking to the ten articles a reader gets.

Belongs here: caps, fallbacks, and the promise that everybody gets a full list while articles exist. Judging uses the
same lists, so a verdict is about what readers would see.
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

DEPTH_PER_PLACE = 4  # how much deeper than a list a model ranks, so that caps have something to choose from
FILLING_POOL = 400


@dataclass(frozen=True)
class ListLimits:
    """What a list may hold."""

    list_length: int
    max_per_publisher: int
    max_per_category: int
    article_max_age_hours: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits as this installation is set up."""
        return cls(
            settings.list_length,
            settings.max_per_publisher,
            settings.max_per_category,
            settings.article_max_age_hours,
        )


def make_lists(limits: ListLimits, model: Recommender, scenes: Scenes, catalogue: pa.Table) -> pa.Table:
    """A list per request: reader_id, at, rank from 1, article_id, score, reason."""
    ranked = model.rank(scenes, limits.list_length * DEPTH_PER_PLACE)
    return arrange(limits, ranked, scenes, catalogue)


def arrange(limits: ListLimits, ranked: pa.Table, scenes: Scenes, catalogue: pa.Table) -> pa.Table:
    """The ranking under caps and filled up; `catalogue` holds every article that may fill a gap."""
    with open_tables(scenes, suggested=ranked, catalogue=catalogue) as connection:
        parameters = {**asdict(limits), "pool": FILLING_POOL}
        return duck.fetch(connection, duck.query("lists/arrange"), parameters).cast(RANKED)
