"""The baselines every challenger must beat: the most read articles, plain and weighted by the reader's favourites.

They learn nothing, so their artifact is their name.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.models import RANKED
from include.models.kinds.queries import find_pairs, run

POPULAR_DEPTH = 300


class MostRead:
    """Rank by the number of reads in the last hours, the same for all readers except for articles already read."""

    name: ClassVar[str] = "most_read"
    is_baseline: ClassVar[bool] = True

    def fit(self, scenes: Scenes, outcomes: pa.Table, *, seed: int) -> dict[str, float]:
        """Learn nothing."""
        return {}

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """Return popular articles, most read first."""
        with open_tables(scenes) as connection:
            popular = {"popular_depth": max(POPULAR_DEPTH, 3 * depth)}
            connection.register("pairs", find_pairs(connection, candidates, "popular_pairs", **popular))
            return run(connection, self.name, depth=depth).select(RANKED.names).cast(RANKED)

    def save(self, folder: Path) -> None:
        """Save the name, because nothing was learnt."""
        (folder / "baseline.txt").write_text(f"{self.name}\n")

    @classmethod
    def load(cls, folder: Path) -> MostRead:
        """Return a baseline; all of one class are alike."""
        return cls()


class MostReadInFavourites(MostRead):
    """Rank by reads of the last hours, weighted with the reader's share of time in the category."""

    name: ClassVar[str] = "most_read_in_favourites"
    is_baseline: ClassVar[bool] = True
