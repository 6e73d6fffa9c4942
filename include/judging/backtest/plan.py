"""The plan of a backtest and its moments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from include.core.errors import SettingsError
from include.models import MODELS

Mode = Literal["lists", "next-read"]

CHAMPION = "champion"
EVERYBODY = 1 << 62
LONGEST_STEPS = 10_000


@dataclass(frozen=True)
class Plan:
    """Steps of `every` from `start` to `end`, with `k` articles per question.

    Models are refitted every `refit`, on the `train_window` before it. At most `sample` questions are asked per step,
    and at most `train_sample` are used for training; 0 means all.
    """

    start: datetime
    end: datetime
    every: timedelta
    train_window: timedelta
    refit: timedelta
    k: int
    mode: Mode
    models: tuple[str, ...]
    sample: int = 2000
    train_sample: int = 30_000

    def __post_init__(self) -> None:
        """Raise a `SettingsError` with the reason if the plan cannot be carried out."""
        if self.start + self.every > self.end:
            raise SettingsError(
                f"No step of {self.every} lies between {self.start:%Y-%m-%d %H:%M} and {self.end:%Y-%m-%d %H:%M} UTC.",
                hint="give an earlier --from, a later --to or a shorter --every.",
            )
        if min(self.every, self.refit, self.train_window) <= timedelta(0) or self.k < 1:
            raise SettingsError("Lengths of time and --k must be above zero.", hint="write them like 1h, 7d, 20.")
        if (self.end - self.start) // self.every > LONGEST_STEPS:
            raise SettingsError(
                f"The plan has {(self.end - self.start) // self.every:,} steps; at most {LONGEST_STEPS:,} are allowed.",
                hint="give a longer --every.",
            )
        if self.mode not in get_args(Mode):
            raise SettingsError(f"There is no mode {self.mode!r}.", hint=f"choose one of {', '.join(get_args(Mode))}.")
        unknown = sorted(set(self.models) - {*MODELS, CHAMPION})
        if unknown or not self.models:
            raise SettingsError(
                f"There is no model {', '.join(unknown)}." if unknown else "No model is named.",
                hint=f"choose from {', '.join(MODELS)}.",
            )

    @property
    def steps(self) -> list[datetime]:
        """Return the moments at which lists are made; no step ends after `end`."""
        return [self.start + self.every * number for number in range((self.end - self.start) // self.every)]

    def days_to_read(self, lookback_days: int) -> int:
        """Return the whole days before `end` that training or features need."""
        return math.ceil(
            (self.end - self.start + max(self.train_window, timedelta(days=lookback_days))) / timedelta(days=1)
        )

    def fitted_at(self, step: datetime) -> datetime:
        """Return the moment of the last fit at or before a step."""
        return self.start + (step - self.start) // self.refit * self.refit

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as shown in reports."""
        return {name: value if isinstance(value, int) else str(value) for name, value in vars(self).items()}
