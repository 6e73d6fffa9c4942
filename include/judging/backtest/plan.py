"""What a backtest is to do, and its moments."""

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
    """Steps of `every` from `start` until `end`; at each one `k` articles per question.

    Models are fitted anew every `refit`, on `train_window` before it. Of a step's questions at most `sample` are asked,
    of those to learn from `train_sample`; 0 means all.
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
        """A plan that cannot be carried out is a `SettingsError` that says why."""
        if self.start + self.every > self.end:
            raise SettingsError(
                f"No step of {self.every} lies between {self.start:%Y-%m-%d %H:%M} and {self.end:%Y-%m-%d %H:%M} UTC.",
                hint="give an earlier --from, a later --to or a shorter --every.",
            )
        if min(self.every, self.refit, self.train_window) <= timedelta(0) or self.k < 1:
            raise SettingsError("Lengths and --k must be above zero.", hint="write them like 1h, 7d, 20.")
        if (self.end - self.start) // self.every > LONGEST_STEPS:
            raise SettingsError(
                f"That is {(self.end - self.start) // self.every:,} steps.", hint="give a longer --every."
            )
        if self.mode not in get_args(Mode):
            raise SettingsError(f"There is no mode {self.mode!r}.", hint=f"take one of {', '.join(get_args(Mode))}.")
        unknown = sorted(set(self.models) - {*MODELS, CHAMPION})
        if unknown or not self.models:
            raise SettingsError(
                f"There is no model {', '.join(unknown) or 'named'}.", hint=f"take some of {', '.join(MODELS)}."
            )

    @property
    def steps(self) -> list[datetime]:
        """The moments at which lists are asked for; each whole step ends before `end`."""
        return [self.start + self.every * number for number in range((self.end - self.start) // self.every)]

    def days_to_read(self, lookback_days: int) -> int:
        """Whole days before `end` of which something is looked at: by a model that learns, or by a feature."""
        return math.ceil(
            (self.end - self.start + max(self.train_window, timedelta(days=lookback_days))) / timedelta(days=1)
        )

    def fitted_at(self, step: datetime) -> datetime:
        """The moment of the last fit at or before a step."""
        return self.start + (step - self.start) // self.refit * self.refit

    def to_dict(self) -> dict[str, Any]:
        """The plan as it stands in reports."""
        return {name: value if isinstance(value, int) else str(value) for name, value in vars(self).items()}
