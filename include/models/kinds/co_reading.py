"""Baselines that count an article's readers in the last hours: all of them, or those who share reads with the reader.

They learn nothing, so their artifact is their name. Co-reading in the last hours is hard to beat on news.
"""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.models import RANKED
from include.models.kinds.most_read import POPULAR_DEPTH, MostRead
from include.models.kinds.queries import find_pairs, run

NOTHING_TOGETHER = pa.schema(
    [RANKED.field(name) for name in ("reader_id", "list_at", "article_id")] + [pa.field("readers", pa.int64())]
).empty_table()


class MostReadLastHour(MostRead):
    """Rank by the number of readers in the last hour."""

    name: ClassVar[str] = "most_read_last_hour"
    is_baseline: ClassVar[bool] = True
    RECENT_HOURS: ClassVar[int] = 1
    COUNTS_TOGETHER: ClassVar[bool] = False

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """Rank by co-readers of the reader's own articles, if the class counts them, then by all readers."""
        with open_tables(scenes, together=NOTHING_TOGETHER) as connection:
            connection.register("recent", run(connection, "recent_reads", recent_hours=self.RECENT_HOURS))
            if self.COUNTS_TOGETHER:
                connection.register("together", run(connection, "read_together", recent_hours=self.RECENT_HOURS))
            popular_depth = max(POPULAR_DEPTH, 3 * depth)
            connection.register(
                "pairs", find_pairs(connection, candidates, "recent_pairs", popular_depth=popular_depth)
            )
            return run(connection, "read_lately", depth=depth).select(RANKED.names).cast(RANKED)


class MostReadLastDay(MostReadLastHour):
    """Rank by the number of readers in the last day."""

    name: ClassVar[str] = "most_read_last_day"
    is_baseline: ClassVar[bool] = True
    RECENT_HOURS: ClassVar[int] = 24


class CoReading(MostReadLastHour):
    """Rank by readers of the last three hours who also read the reader's own articles, with all of these as seeds."""

    name: ClassVar[str] = "co_reading"
    is_baseline: ClassVar[bool] = True
    RECENT_HOURS: ClassVar[int] = 3
    COUNTS_TOGETHER: ClassVar[bool] = True
