"""Guardrails: what must not get worse for the sake of accuracy, each measured on both models' lists of the hold-out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from include.core.checks import Check, Severity, at_least, at_most
from include.core.settings import Settings

Means = Mapping[str, float]


@dataclass(frozen=True)
class Turnover:
    """How much of the live lists stays, of so many readers; with none, `told` says why they were not compared."""

    told: str
    readers: int = 0
    kept_place_share: float = math.nan
    shorter_list_share: float = math.nan


NOT_LIVE = Turnover("No lists are live yet.")


def check_guardrails(
    settings: Settings, means: Mapping[str, Means], rival: str | None, subject: str, live: Turnover = NOT_LIVE
) -> list[Check]:
    """The challenger's lists beside those of its rival; none without a rival."""
    if rival is None:
        return []
    ours, theirs = means.get(subject, {}), means.get(rival, {})
    return [
        _kept(
            "RT116",
            "Enough candidates",
            ours,
            theirs,
            "mean_candidate_count",
            settings.min_candidates_share,
            "{:,.1f} candidates per list against {:,.1f}",
            "block",
        ),
        _kept(
            "RT119",
            "Lists reach the catalogue",
            ours,
            theirs,
            "catalogue_share",
            settings.min_catalogue_kept_share,
            "{:.2%} of the live articles are in a list against {:.2%}",
        ),
        _kept(
            "RT120",
            "Lists are mixed",
            ours,
            theirs,
            "mean_diversity",
            settings.min_diversity_kept_share,
            "the chance that two places of a list are of different categories is {:.3f} against {:.3f}",
        ),
        _kept(
            "RT121",
            "Lists hold more than what everybody reads",
            ours,
            theirs,
            "mean_surprise_bits",
            settings.min_novelty_kept_share,
            "an article in a list holds {:.2f} bits of surprise against {:.2f}",
        ),
        _risen(
            "RT122",
            "Attention is not concentrated",
            ours,
            theirs,
            "concentration",
            settings.max_concentration_rise,
            "the Gini coefficient of how often articles are listed is {:.3f} against {:.3f}",
        ),
        _risen(
            "RT123",
            "Articles are fresh",
            ours,
            theirs,
            "median_age_hours",
            settings.max_age_rise_hours,
            "the median article is {:.1f} h old against {:.1f} h",
        ),
        _risen(
            "RT124",
            "No publisher takes over",
            ours,
            theirs,
            "largest_publisher_share",
            settings.max_publisher_rise_share,
            "the largest publisher has {:.1%} of the places against {:.1%}",
        ),
        _overlap(settings, ours),
        _check_live(settings, live),
    ]


def _kept(
    code: str,
    title: str,
    ours: Means,
    theirs: Means,
    name: str,
    limit: float,
    told: str,
    severity: Severity = "warn",
) -> Check:
    """Passed while ours is at least this share of theirs; of nothing, anything is enough."""
    our, their = _of(ours, name), _of(theirs, name)
    said = f"{_capital(told.format(our, their))} of the champion; at least {limit:.0%} of that is wanted."
    if _is_unknown(our, their) and severity != "block":
        return _not_applicable(code, title, name)
    share = our / their if their else float(our >= 0)
    return at_least(code, title, "challenger", share, limit, said, severity)


def _risen(code: str, title: str, ours: Means, theirs: Means, name: str, limit: float, told: str) -> Check:
    """Passed while ours is not more than the limit above theirs."""
    our, their = _of(ours, name), _of(theirs, name)
    said = f"{_capital(told.format(our, their))} of the champion; a rise of {limit:g} is allowed."
    if _is_unknown(our, their):
        return _not_applicable(code, title, name)
    return at_most(code, title, "challenger", our - their, limit, said, "warn")


def _overlap(settings: Settings, ours: Means) -> Check:
    share, shorter = _of(ours, "kept_place_share"), _of(ours, "shorter_list_share")
    return at_least(
        "RT125",
        "Lists do not turn over",
        "challenger",
        share - shorter,
        settings.min_kept_places_share,
        f"{share:.1%} of the champion's places of the last moment stay, {shorter:.2%} of the readers get fewer; "
        f"at least {settings.min_kept_places_share:.0%} are wanted to stay.",
        "warn",
    )


def _check_live(settings: Settings, live: Turnover) -> Check:
    """Passed while enough of what readers have now would stay; nothing is claimed where nobody was compared."""
    code, title, limit = "RT126", "Live lists do not turn over", settings.min_kept_places_share
    if not live.readers:
        return Check(code, title, "challenger", "info", "not applicable", None, "compared", live.told)
    said = (
        f"{live.kept_place_share:.1%} of the places of {live.told} stay for {live.readers:,} readers asked, "
        f"{live.shorter_list_share:.2%} of them get fewer; at least {limit:.0%} are wanted to stay."
    )
    return at_least(code, title, "challenger", live.kept_place_share - live.shorter_list_share, limit, said, "warn")


def _of(means: Means, name: str) -> float:
    return means.get(name, math.nan)


def _is_unknown(our: float, their: float) -> bool:
    """Neither has it, as with articles without publishers: then there is nothing to compare."""
    return math.isnan(our) and math.isnan(their)


def _not_applicable(code: str, title: str, name: str) -> Check:
    said = f"Neither model's lists have a {name.replace('_', ' ')}."
    return Check(code, title, "challenger", "info", "not applicable", None, "measured", said)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
