"""The verdict on a challenger: a list of coded checks, and what follows from them.

Pure: evidence in, verdict out. A check that blocks and was not passed keeps the champion, a check that warns and failed
asks a person, and only when neither is there is a challenger promoted. Keeping is a successful run. The codes are
explained in `docs/checks.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from include.core.checks import Check, at_least, at_most, blocking
from include.core.settings import Settings
from include.judging.bootstrap import Gap
from include.judging.fresh_process import Mechanics, check_mechanics
from include.judging.guardrails import NOT_LIVE, Turnover, check_guardrails
from include.judging.slices import Slice, check_slices

SUBJECT = "challenger"
ALWAYS = frozenset(("RT101", "RT102", "RT103", "RT104", "RT105", "RT107", "RT112", "RT113", "RT114", "RT115", "RT117"))
ASKING = frozenset(("RT106", "RT119", "RT120", "RT121", "RT122", "RT123", "RT124", "RT125", "RT126"))
AGAINST_CHAMPION = ASKING | {"RT108", "RT109", "RT110", "RT111", "RT116"}

Decision = Literal["promote", "ask", "keep"]


@dataclass(frozen=True)
class Rival:
    """Whom the challenger has to beat: the champion, or the one before it when the champion cannot be asked."""

    version: int
    name: str  # of its evaluation: champion or previous
    is_same: bool
    trained_until: datetime | None


@dataclass(frozen=True)
class Evidence:
    """Everything that a verdict follows from: measured in this run, on one hold-out."""

    means: Mapping[str, Mapping[str, float]]  # by contestant
    gaps: Mapping[str, Gap]  # the challenger minus each other contestant
    slices: tuple[Slice, ...]
    mechanics: Mechanics
    holdout_start: datetime
    trained_until: datetime | None
    rival: Rival | None = None
    champion_trouble: str = ""
    live: Turnover = NOT_LIVE


@dataclass(frozen=True)
class Verdict:
    """Promote, ask or keep, why, and every check behind it."""

    decision: Decision
    sentence: str
    checks: tuple[Check, ...]


def judge_challenger(settings: Settings, evidence: Evidence) -> Verdict:
    """The verdict that follows from the evidence."""
    works = check_mechanics(settings, evidence.mechanics, SUBJECT)
    if blocking(works) and SUBJECT not in evidence.means:  # what cannot be loaded was not asked either
        return conclude(works, has_champion=evidence.rival is not None)
    checks = [
        *works,
        *_check_floors(settings, evidence),
        *_check_baselines(settings, evidence),
        *_check_rival(settings, evidence),
        *(check_slices(settings, evidence.slices) if evidence.rival else ()),
        *check_guardrails(
            settings, evidence.means, evidence.rival.name if evidence.rival else None, SUBJECT, evidence.live
        ),
    ]
    return conclude(checks, has_champion=evidence.rival is not None)


def conclude(checks: Iterable[Check], *, has_champion: bool) -> Verdict:
    """What follows from checks. One that is missing counts as failed, whoever it was that forgot it; and a code that
    blocks was checked only where it could have blocked.
    """
    checks = tuple(checks)
    made = {check.code for check in checks if check.severity == "block" or check.code in ASKING}
    missing = sorted((ALWAYS | (AGAINST_CHAMPION if has_champion else set())) - made)
    stopped = blocking(checks)
    if stopped:
        first, more = stopped[0], f" ({len(stopped) - 1} more)" if len(stopped) > 1 else ""
        return Verdict("keep", f"Kept: {first.code} {_lower(first.title)}: {first.sentence}{more}", checks)
    if missing:
        return Verdict(
            "keep", f"Kept: {', '.join(missing)} was not checked, and what is not checked does not pass.", checks
        )
    doubts = [check for check in checks if check.severity == "warn" and check.outcome == "failed"]
    if doubts:
        told = " ".join(f"{check.code} {_lower(check.title)}: {check.sentence}" for check in doubts)
        return Verdict("ask", f"A person is asked: {told}", checks)
    code = "RT108" if has_champion else "RT105"
    closest = min((check for check in checks if check.code == code), key=lambda check: check.observed or 0)
    return Verdict("promote", f"Promoted: {closest.sentence}", checks)


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _check_floors(settings: Settings, evidence: Evidence) -> list[Check]:
    means = _means(evidence, SUBJECT)
    until, start = evidence.trained_until, evidence.holdout_start
    late_hours = (until - start).total_seconds() / 3600 if until else None
    return [
        at_least(
            "RT101",
            "Enough readers judged",
            SUBJECT,
            means["judged_readers"],
            settings.min_judged_readers,
            f"{means['judged_readers']:,.0f} readers read something in the hold-out; a verdict needs "
            f"{settings.min_judged_readers:,}.",
        ),
        at_least(
            "RT102",
            "Good enough at all",
            SUBJECT,
            means["ndcg"],
            settings.floor_ndcg,
            f"Time-weighted NDCG@{settings.list_length} is {means['ndcg']:.4f}, the floor {settings.floor_ndcg:.4f}.",
        ),
        at_least(
            "RT103",
            "Lists are full",
            SUBJECT,
            means["full_list_share"],
            settings.floor_coverage_share,
            f"{means['full_list_share']:.2%} of the lists are full; {settings.floor_coverage_share:.2%} must be.",
        ),
        at_least(
            "RT104",
            "Scores are numbers",
            SUBJECT,
            means["finite_score_share"],
            1.0,
            f"{means['finite_score_share']:.2%} of the scores are finite; all must be.",
        ),
        at_most(
            "RT117",
            "Trained before the hold-out",
            SUBJECT,
            late_hours,
            0.0,
            "Nobody knows until when it was trained."
            if until is None
            else f"It learnt from reading up to {until:%Y-%m-%d %H:%M} UTC; the hold-out starts at "
            f"{start:%Y-%m-%d %H:%M} UTC{', so it has seen the answers' if until > start else ''}.",
        ),
    ]


def _check_baselines(settings: Settings, evidence: Evidence) -> list[Check]:
    others = sorted(set(evidence.means) - {SUBJECT, "champion", "previous"})
    return [_beats(settings, evidence, name) for name in others]


def _beats(settings: Settings, evidence: Evidence, name: str) -> Check:
    gap = evidence.gaps[name]
    return at_least(
        "RT105",
        "Beats every baseline",
        name,
        gap.mean if gap.low > 0 else min(gap.mean, gap.low),
        1e-9,
        f"{_told(settings, evidence, name)}; needed is an interval above zero.",
    )


def _told(settings: Settings, evidence: Evidence, name: str) -> str:
    gap = evidence.gaps[name]
    ours, theirs = _means(evidence, SUBJECT)["ndcg"], _means(evidence, name)["ndcg"]
    return (
        f"NDCG@{settings.list_length} {ours:.4f} against {theirs:.4f} of {name}: "
        f"{gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}) over {gap.readers:,} readers"
    )


def _check_rival(settings: Settings, evidence: Evidence) -> list[Check]:
    checks = []
    if evidence.champion_trouble:
        instead = (
            f"v{evidence.rival.version}, the one before it, stood in" if evidence.rival else "nobody could stand in"
        )
        checks.append(
            Check(
                "RT118",
                "The champion could be asked",
                "champion",
                "warn",
                "failed",
                0.0,
                "loads",
                f"The champion cannot be loaded: {evidence.champion_trouble} For the comparison {instead}.",
            )
        )
    rival = evidence.rival
    checks.append(
        Check(
            "RT107",
            "Is another model than the champion",
            SUBJECT,
            "block",
            "failed" if rival and rival.is_same else "passed",
            float(not (rival and rival.is_same)),
            "another digest",
            f"The challenger's files are the very own ones of v{rival.version}."
            if rival and rival.is_same
            else "Its files are its own.",
        )
    )
    if rival is None:
        return checks
    gap, theirs = evidence.gaps[rival.name], _means(evidence, rival.name)["ndcg"]
    needed = settings.min_effect_share * theirs
    told = _told(settings, evidence, rival.name)
    until, start = rival.trained_until, evidence.holdout_start
    return [
        *checks,
        at_most(
            "RT109",
            "The comparison is fair",
            rival.name,
            (until - start).total_seconds() / 3600 if until else None,
            0.0,
            f"Nobody knows until when v{rival.version} was trained."
            if until is None
            else f"v{rival.version} learnt from reading up to {until:%Y-%m-%d %H:%M} UTC; the hold-out starts at "
            f"{start:%Y-%m-%d %H:%M} UTC{', so it knows part of the answers' if until > start else ''}.",
        ),
        at_least(
            "RT106",
            "The gain is certain",
            SUBJECT,
            gap.low,
            0.0,
            f"The gain lies between {gap.low:+.4f} and {gap.high:+.4f}, with a chance of {gap.chance:.1%} above zero.",
            severity="warn",
        ),
        at_least(
            "RT108",
            "Beats the champion",
            SUBJECT,
            gap.mean if gap.chance >= settings.ask_chance_share else min(gap.mean, gap.low),
            max(needed, 1e-9),
            f"{told}; needed is more than {needed:.4f} and a chance of {settings.ask_chance_share:.0%} that it "
            f"is a gain (it is {gap.chance:.1%}).",
        ),
    ]


def _means(evidence: Evidence, name: str) -> Mapping[str, float]:
    """The means by name; one that was not measured is NaN, which passes nothing."""
    return defaultdict(lambda: float("nan"), evidence.means.get(name, {}))
