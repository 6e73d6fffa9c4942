"""Guardrails: qualities of the lists that must not suffer for accuracy, measured on both models' hold-out lists."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.core.checks import Check
from include.judging.checks import ASKING, GateLimits, make_check, skip_check

Means = Mapping[str, float]


@dataclass(frozen=True)
class Turnover:
    """The share of the live lists that stays, for a sample of readers; without readers, `told` says why."""

    told: str
    readers: int = 0
    kept_place_share: float = math.nan
    shorter_list_share: float = math.nan


NOT_LIVE = Turnover("No lists are live yet.")


def check_guardrails(
    limits: GateLimits, ours: Means, theirs: Means, challenger: str, rival: str, live: Turnover | Check = NOT_LIVE
) -> list[Check]:
    """Compare the challenger's lists with those of its rival."""

    def kept(code: str, name: str) -> Check:
        """Pass if ours is at least a share of theirs; if theirs is 0, any number passes."""
        our, their = _of(ours, name), _of(theirs, name)
        if _is_unknown(our, their) and code in ASKING:
            return skip_check(code, limits, "challenger")
        share = our / their if their else float(our >= 0)
        return make_check(code, limits, share, "challenger", ours=our, theirs=their, challenger=challenger, rival=rival)

    def risen(code: str, name: str) -> Check:
        """Pass if ours exceeds theirs by no more than the limit."""
        our, their = _of(ours, name), _of(theirs, name)
        if _is_unknown(our, their):
            return skip_check(code, limits, "challenger")
        return make_check(code, limits, our - their, "challenger", ours=our, theirs=their, rival=rival)

    return [
        kept("RT116", "mean_candidate_count"),
        kept("RT119", "catalogue_share"),
        kept("RT120", "mean_diversity"),
        kept("RT121", "mean_surprise_bits"),
        risen("RT122", "concentration"),
        risen("RT123", "median_age_hours"),
        risen("RT124", "largest_publisher_share"),
        _overlap(limits, ours, rival),
        _check_live(limits, live),
    ]


def _overlap(limits: GateLimits, ours: Means, rival: str) -> Check:
    kept, shorter = _of(ours, "kept_place_share"), _of(ours, "shorter_list_share")
    return make_check("RT125", limits, kept - shorter, "challenger", kept=kept, shorter=shorter, rival=rival)


def _check_live(limits: GateLimits, live: Turnover | Check) -> Check:
    """Pass if enough of the live lists would stay; not applicable if no readers were compared. A check of before stays
    as it is, for the live lists have changed since.
    """
    if isinstance(live, Check):
        return live
    if not live.readers:
        return skip_check("RT126", limits, "challenger", live.told)
    kept, shorter = live.kept_place_share, live.shorter_list_share
    told: dict[str, Any] = {"kept": kept, "shorter": shorter, "told": live.told, "readers": live.readers}
    return make_check("RT126", limits, kept - shorter, "challenger", **told)


def _of(means: Means, name: str) -> float:
    return means.get(name, math.nan)


def _is_unknown(our: float, their: float) -> bool:
    """Return whether neither model has the number, for example when articles have no publishers."""
    return math.isnan(our) and math.isnan(their)
