"""Recommenders: their protocol, and the list of models.

To add a model, put a file or folder with a class that has a `name` into `kinds/`. It can then be chosen in the
settings, the contract tests run on it, and every verdict includes it if it sets `is_baseline`. A model gets `Scenes`
(the world as known at each moment) and outcomes to learn from, and never sees a database, a clock or a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar, Protocol, cast

import pyarrow as pa

from include.core.contract import MOMENT
from include.core.errors import SettingsError
from include.core.model_names import find_names
from include.features.scenes import Scenes

RANKED = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("list_at", MOMENT),
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
        """Learn from what readers did after each moment; return facts worth logging (rows used, positives).

        Facts named `weight_<feature>` are its explanation: each feature's share of its influence on the ranking.
        """
        ...

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """Return up to `depth` articles per request, best first, none that the reader had read (schema `RANKED`).

        With `candidates` (reader_id, list_at, article_id) only these are ranked.
        """
        ...

    def save(self, folder: Path) -> None:
        """Save everything that was learnt as files; equal models give equal bytes."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Recommender:
        """Return the model that `save` wrote."""
        ...


MODELS = tuple(find_names())
BASELINES = tuple(name for name, found in find_names().items() if found.is_baseline)


@dataclass(frozen=True)
class Range:
    """The range of a parameter; `is_log` when it varies by factors rather than by steps."""

    low: float
    high: float
    is_whole: bool = False
    is_log: bool = False


class Tunable(Recommender, Protocol):
    """A model that also declares tunable parameters; this is optional."""

    TUNABLE: ClassVar[Mapping[str, Range]]

    @classmethod
    def tuned(cls, parameters: Mapping[str, float]) -> Recommender:
        """Return a model to be fitted with these parameters, all of those in `TUNABLE`."""
        ...


def ranges_of(name: str) -> Mapping[str, Range]:
    """Return a model's tunable parameters; empty unless its class declares some."""
    return getattr(model_class(name), "TUNABLE", {})


def make_model(name: str, tuned: Mapping[str, float]) -> Recommender:
    """Return a model to be fitted, as it is or with tuned parameters."""
    if not tuned:
        return model_class(name)()
    if tuned.keys() != ranges_of(name).keys():
        takes = ", ".join(sorted(ranges_of(name))) or "nothing"
        raise SettingsError(f"{name} was tuned in {', '.join(sorted(tuned))}; it takes {takes}.", hint="tune it again.")
    return cast(type[Tunable], model_class(name)).tuned(tuned)


def model_class(name: str) -> type[Recommender]:
    """Return the class of a model without importing the others."""
    found = find_names().get(name)
    if found is None:
        raise SettingsError(f"There is no model {name!r}.", hint=f"choose one of {', '.join(MODELS)}.")
    return cast(type[Recommender], getattr(import_module(found.module), found.class_name))
