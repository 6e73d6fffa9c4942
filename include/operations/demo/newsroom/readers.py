"""The planted readers: their properties, true tastes and changes of taste, all derived from the seed and their number.

Does not belong here: their opinion of a story (`truth.py`) and the times of their visits (`visits.py`). Each block of
readers has a random stream of its own, so any number of readers can be added later without changing the others.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.operations.demo.newsroom.words import CATEGORIES, PLANS

Array = NDArray[Any]

BLOCK = 1024
GROUPS = 10
OWN_FACTORS = 8
OUTLET_FACTORS = 4
MOST_LIKES = 4
HOUR = 3_600_000_000  # microseconds, the unit of every time in the played world
DAY = 24 * HOUR

REGION_SHARES = (0.5, 0.3, 0.2)
# share of en, es, fr, pt per region
LANGUAGE_SHARES = ((0.08, 0.64, 0.0, 0.28), (0.55, 0.0, 0.35, 0.10), (0.84, 0.13, 0.03, 0.0))
PLAN_SHARES = (0.55, 0.25, 0.08, 0.12)
GROUP_SHARES = (0.17, 0.15, 0.13, 0.12, 0.11, 0.09, 0.08, 0.06, 0.05, 0.04)
KNOWN_AT_START_SHARE = 0.93
JOINING_SHARE_PER_DAY = 0.005


@dataclass(frozen=True)
class Readers:
    """Columns of readers 1..n; `reader - 1` is the row. Times are microseconds since 1970, UTC."""

    region: Array
    language: Array
    plan: Array
    signed_up_us: Array
    fades_us: Array
    activity: Array
    pace: Array
    mix: Array
    swing: Array
    period_us: Array
    phase: Array
    own: Array
    outlet_taste: Array
    likes: Array
    fickleness: Array

    def __len__(self) -> int:
        return len(self.region)

    def pick(self, rows: Array) -> Readers:
        """Return the readers in these rows, in this order."""
        return Readers(*(getattr(self, field.name)[rows] for field in fields(self)))


def join(parts: list[Readers]) -> Readers:
    """Return all blocks as one."""
    return Readers(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Readers)))


def make_block(
    random: np.random.Generator, block: int, *, planned: int, started_us: int, category_taste: Array
) -> Readers:
    """Return block number `block` of a world with `planned` readers; the last 7 % sign up after the start."""
    n = BLOCK
    region = _choose(random, REGION_SHARES, n)
    language_cut = np.cumsum(np.array(LANGUAGE_SHARES), axis=1)[region]
    language = (random.random(n)[:, None] >= language_cut[:, :-1]).sum(axis=1)
    main = _choose(random, GROUP_SHARES, n)
    mix = random.dirichlet(np.full(GROUPS, 0.25), n) * 0.45
    mix[np.arange(n), main] += 0.55

    number = block * BLOCK + np.arange(n)
    known = count_at_start(planned)
    spacing = DAY / (planned * JOINING_SHARE_PER_DAY)
    signed_up = np.where(
        number < known,
        started_us - (HOUR + random.exponential(300, n) * DAY),
        started_us + (number - known + 1) * spacing,
    ).astype(np.int64)
    fades = np.maximum(signed_up, started_us) + ((0.5 + random.exponential(120, n)) * DAY).astype(np.int64)
    return Readers(
        region=region.astype(np.int8),
        language=language.astype(np.int8),
        plan=_choose(random, PLAN_SHARES, n).astype(np.int8),
        signed_up_us=signed_up,
        fades_us=fades,
        activity=random.lognormal(-0.24, 0.8, n),
        pace=random.lognormal(-0.03, 0.25, n).astype(np.float32),
        mix=mix.astype(np.float32),
        swing=random.uniform(0.2, 0.8, n).astype(np.float32),
        period_us=random.uniform(6, 30, n) * DAY,
        phase=random.uniform(0, 2 * np.pi, n).astype(np.float32),
        own=random.standard_normal((n, OWN_FACTORS)).astype(np.float32),
        outlet_taste=random.standard_normal((n, OUTLET_FACTORS)).astype(np.float32),
        likes=_declare_likes(random, mix @ category_taste),
        fickleness=random.random(n),
    )


def count_at_start(planned: int) -> int:
    """Return the number of readers who have signed up when the world starts."""
    return max(1, round(planned * KNOWN_AT_START_SHARE))


def _choose(random: np.random.Generator, shares: tuple[float, ...], n: int) -> Array:
    return np.searchsorted(np.cumsum(shares[:-1]), random.random(n), side="right")


def _declare_likes(random: np.random.Generator, taste: Array) -> Array:
    # Choices on a sign-up form are the taste with much noise; one reader in eight ticks nothing (-1).
    n = len(taste)
    noisy = taste + random.normal(0, 0.5, taste.shape)
    likes = np.argsort(-noisy, axis=1)[:, :MOST_LIKES].astype(np.int8)
    count = random.integers(1, MOST_LIKES + 1, n)
    count[random.random(n) < 0.125] = 0
    likes[np.arange(MOST_LIKES) >= count[:, None]] = -1
    return likes


def plan_names(readers: Readers) -> list[str]:
    """Return the name of each reader's tariff."""
    return [PLANS[code] for code in readers.plan]


def like_names(readers: Readers) -> list[list[str]]:
    """Return the desks that each reader ticked at sign-up."""
    return [[CATEGORIES[code] for code in row if code >= 0] for row in readers.likes]
