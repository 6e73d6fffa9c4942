"""The limits of history's checks, read once from `limits.toml`, which people review and commit."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from include.core.errors import SettingsError

FILE = Path(__file__).resolve().parent / "limits.toml"
STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Share = Annotated[float, Field(ge=0, le=1)]


class TableLimits(BaseModel):
    """The limits of one table; the comments in the file explain them."""

    model_config = STRICT
    block_below: float = Field(ge=0, lt=1)
    block_above: float = Field(gt=1)
    warn_below: float = Field(ge=0, lt=1)
    warn_above: float = Field(gt=1)
    stale_hours: float = Field(6, gt=0)
    null_share: dict[str, Share] = {}
    words: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _warns_before_it_blocks(self) -> TableLimits:
        if not (self.block_below <= self.warn_below and self.warn_above <= self.block_above):
            raise ValueError("block_below <= warn_below and warn_above <= block_above must hold")
        return self


class ChangeLimits(BaseModel):
    """The largest distances allowed between two profiles."""

    model_config = STRICT
    mean_shift: float = Field(gt=0)
    word_distance: float = Field(gt=0, le=1)
    null_share: float = Field(gt=0, le=1)


class SkewLimits(BaseModel):
    """The largest distances allowed between the features of two builds, as Evidently measures them."""

    model_config = STRICT
    number_distance: float = Field(gt=0)
    word_distance: float = Field(gt=0, le=1)
    null_share: float = Field(gt=0, le=1)


class Limits(BaseModel):
    """All limits of history's checks."""

    model_config = STRICT
    min_days: int = Field(ge=1)
    min_rows: int = Field(ge=1)
    subscribers: TableLimits
    articles: TableLimits
    reading_events: TableLimits
    change: ChangeLimits
    skew: SkewLimits

    def of(self, table: str) -> TableLimits:
        """Return the limits of a table."""
        found: TableLimits = getattr(self, table)
        return found


@cache
def load_limits(path: Path = FILE) -> Limits:
    """Return the limits in force; raise `SettingsError` with the faults if the file is unusable."""
    try:
        return Limits.model_validate(tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.", hint="correct it, or restore it from git.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise SettingsError(f"{path}: {faults}.", hint="correct it, or restore it from git.") from None
