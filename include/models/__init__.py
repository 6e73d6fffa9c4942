"""Recommenders: the protocol, and the list of those that exist.

Another model is one file here and one line in `MODELS`; the contract tests then run on it. A model gets `Scenes` (what
was known at each moment) and, to learn from, the outcomes (what readers did next). It never sees a database, a clock or
a setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol

import pyarrow as pa

from include.features import Scenes

RANKED = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("list_at", pa.timestamp("us", tz="UTC")),
        ("rank", pa.int32()),
        ("article_id", pa.int64()),
        ("score", pa.float32()),
        ("reason", pa.string()),
    ]
)


class Recommender(Protocol):
    """A model that ranks articles for readers."""

    name: ClassVar[str]

    def fit(self, scenes: Scenes, outcomes: pa.Table, *, seed: int) -> dict[str, float]:
        """Learn from what readers did after each moment; returns facts worth logging (rows used, positives)."""
        ...

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """Up to `depth` articles per request, best first, none that the reader had read (schema `RANKED`).

        With `candidates` (reader_id, list_at, article_id) these are put in order and no others are looked for.
        """
        ...

    def save(self, folder: Path) -> None:
        """Everything that was learnt, as files; equal models give equal bytes."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Recommender:
        """The model that `save` wrote."""
        ...


def model_class(name: str) -> type[Recommender]:
    """The class of a registered model."""
    from include.models.co_reading import CoReading, MostReadLastDay, MostReadLastHour
    from include.models.most_read import MostRead, MostReadInFavourites
    from include.models.two_stage import TwoStage

    classes: tuple[type[Recommender], ...] = (
        *(TwoStage, CoReading),
        *(MostRead, MostReadInFavourites, MostReadLastHour, MostReadLastDay),
    )
    return {cls.name: cls for cls in classes}[name]


MODELS = (
    "two_stage",
    "co_reading",
    "most_read",
    "most_read_in_favourites",
    "most_read_last_hour",
    "most_read_last_day",
)
BASELINES = ("co_reading", "most_read", "most_read_in_favourites", "most_read_last_hour", "most_read_last_day")
