"""The verdict on a challenger: a list of coded checks, and the decision that follows.

Pure: evidence in, verdict out. A blocking check that did not pass keeps the champion; otherwise a failed warning asks a
person; otherwise the challenger is promoted. Keeping is a successful run. `docs/checks.md` explains the codes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include.core.checks import Check, blocking
from include.judging.bootstrap import Gap
from include.judging.checks import AGAINST_CHAMPION, ALWAYS, ASKING, CERTAIN_SHARE, LEAST_GAIN, GateLimits, make_check
from include.judging.fresh_process import Mechanics, check_mechanics
from include.judging.guardrails import NOT_LIVE, Turnover, check_guardrails
from include.judging.slices import Slice, check_slices

SUBJECT = "challenger"

Decision = Literal["promote", "ask", "keep"]


@dataclass(frozen=True)
class Rival:
    """The version to beat: the champion, or an earlier one if the champion cannot be loaded."""

    version: int
    name: str  # of its evaluation: champion or previous
    is_same: bool
    trained_until: datetime | None


@dataclass(frozen=True)
class Evidence:
    """The evidence for a verdict, all measured in this run on one hold-out."""

    version: int  # of the challenger
    means: Mapping[str, Mapping[str, float]]  # by contestant
    gaps: Mapping[str, Gap]  # the challenger minus each other contestant
    slices: tuple[Slice, ...]
    mechanics: Mechanics
    holdout_start: datetime
    trained_until: datetime | None
    rival: Rival | None = None
    champion: int | None = None  # its version, even if another one stands in for it
    champion_trouble: str = ""
    live: Turnover | Check = NOT_LIVE
    is_binding: bool = True  # whether the verdict may change the champion


def sum_up(evidence: Evidence) -> dict[str, float]:
    """The outcome in few numbers: the challenger's, its rivals' and the interval of its gain.

    The gain is over the champion, or whoever stood in for it; before there is one, over the best baseline.
    """
    reached = {name: means["ndcg"] for name, means in evidence.means.items()}
    best = next(iter(_baselines(evidence)), "")
    shown = {"ndcg": SUBJECT, "ndcg_champion": "champion", "ndcg_best_baseline": best}
    gap = evidence.gaps.get(evidence.rival.name if evidence.rival else best)
    gain = {"gain_low": gap.low, "gain_high": gap.high} if gap else {}
    return {name: reached[who] for name, who in shown.items() if who in reached} | gain


@dataclass(frozen=True)
class Verdict:
    """A decision (promote, ask or keep), its reason, and every check behind it."""

    decision: Decision
    sentence: str
    checks: tuple[Check, ...]


def judge_challenger(limits: GateLimits, evidence: Evidence) -> Verdict:
    """Return the verdict that follows from the evidence."""
    works = check_mechanics(limits, evidence.mechanics, SUBJECT, f"v{evidence.version}")
    if blocking(works) and SUBJECT not in evidence.means:  # a version that cannot be loaded was not measured
        return _conclude(works, evidence)
    checks = [
        *works,
        *_check_floors(limits, evidence),
        *_check_baselines(limits, evidence),
        *_check_champion(limits, evidence),
    ]
    if rival := evidence.rival:
        ours, theirs, name = _means(evidence, SUBJECT), _means(evidence, rival.name), f"v{rival.version}"
        checks += _check_rival(limits, evidence, rival)
        checks += check_slices(limits, evidence.slices, name)
        checks += check_guardrails(limits, ours, theirs, f"v{evidence.version}", name, evidence.live)
    return _conclude(checks, evidence)


def _conclude(checks: Iterable[Check], evidence: Evidence) -> Verdict:
    return conclude(
        checks,
        has_rival=evidence.rival is not None,
        challenger=evidence.version,
        champion=evidence.champion,
        is_binding=evidence.is_binding,
    )


def conclude(
    checks: Iterable[Check], *, has_rival: bool, challenger: int, champion: int | None, is_binding: bool = True
) -> Verdict:
    """Return the verdict that follows from the checks. A missing check counts as failed, and a blocking code counts as
    checked only if at least one of its checks could have blocked. One that binds nobody says what it would have done.
    """
    checks = tuple(checks)
    made = {check.code for check in checks if check.severity == "block" or check.code in ASKING}
    missing = sorted((ALWAYS | (AGAINST_CHAMPION if has_rival else set())) - made)
    if is_binding:
        promoted, asked = f"Promoted v{challenger}", "Needs a decision"
        kept = f"Kept v{champion}" if champion is not None else f"Did not promote v{challenger}"
    else:
        promoted, asked = f"Would have promoted v{challenger}", "Would have needed a decision"
        kept = f"Would have kept v{champion}" if champion is not None else f"Would not have promoted v{challenger}"
    if stopped := blocking(checks):
        return Verdict("keep", f"{kept}: {tell_failed(stopped)}", checks)
    if missing:
        many = "1 check was" if len(missing) == 1 else f"{len(missing)} checks were"
        said = f"{many} not made; a missing check does not pass. [{', '.join(missing)}]"
        return Verdict("keep", f"{kept}: {said}", checks)
    if doubts := in_doubt(checks):
        return Verdict("ask", f"{asked}: {tell_failed(doubts)}", checks)
    code = "RT108" if has_rival else "RT105"
    closest = min((check for check in checks if check.code == code), key=lambda check: check.observed or 0)
    said = closest.sentence.replace(" of the baseline ", " of the closest baseline, ", 1)
    return Verdict("promote", f"{promoted}: {said} [{code}]", checks)


def in_doubt(checks: Iterable[Check]) -> list[Check]:
    """Return the failed checks that leave the decision to a person."""
    return [check for check in checks if check.severity == "warn" and check.outcome == "failed"]


def tell_failed(failed: list[Check]) -> str:
    """Return the first failure with its code and the number of others, as text after a colon."""
    first, more = failed[0], len(failed) - 1
    others = f" ({more} more check{'s' if more > 1 else ''} failed)" if more else ""
    return f"{_lower(first.sentence)} [{first.code}]{others}"


def _lower(sentence: str) -> str:
    """Return the sentence as it follows a colon; a name such as MLflow or NDCG keeps its capital."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def _baselines(evidence: Evidence) -> list[str]:
    """Return the names of the baselines, the most accurate first."""
    names = evidence.means.keys() - {SUBJECT, "champion", "previous"}
    return sorted(sorted(names), key=lambda name: -evidence.means[name]["ndcg"])


def _check_floors(limits: GateLimits, evidence: Evidence) -> list[Check]:
    means, best = _means(evidence, SUBJECT), next(iter(_baselines(evidence)), "none")
    theirs = _means(evidence, best)["ndcg"]
    floor = limits.floor_baseline_share * theirs
    until, start = evidence.trained_until, evidence.holdout_start
    return [
        make_check("RT101", limits, means["judged_readers"], SUBJECT),
        make_check("RT102", limits, means["ndcg"], SUBJECT, floor, best=best, theirs=theirs),
        make_check("RT103", limits, means["full_list_share"], SUBJECT),
        make_check("RT104", limits, means["finite_score_share"], SUBJECT),
        make_check(
            "RT117",
            limits,
            _late_hours(until, start),
            SUBJECT,
            challenger=f"v{evidence.version}",
            until=until,
            start=start,
        ),
    ]


def _late_hours(until: datetime | None, start: datetime) -> float | None:
    """Return how far training reached into the hold-out; None if the end of training is not recorded."""
    return (until - start).total_seconds() / 3600 if until else None


def _check_baselines(limits: GateLimits, evidence: Evidence) -> list[Check]:
    checks = []
    for name in _baselines(evidence):
        gap = evidence.gaps[name]
        observed = gap.mean if gap.low > 0 else min(gap.mean, gap.low)
        checks.append(make_check("RT105", limits, observed, name, **_compared(evidence, name)))
    return checks


def _compared(evidence: Evidence, name: str) -> dict[str, Any]:
    """Return the facts of a comparison with another contestant."""
    gap = evidence.gaps[name]
    return {
        "challenger": f"v{evidence.version}",
        "ours": _means(evidence, SUBJECT)["ndcg"],
        "theirs": _means(evidence, name)["ndcg"],
        "gain": gap.mean,
        "low": gap.low,
        "high": gap.high,
        "chance": gap.chance,
        "readers": gap.readers,
    }


def _check_champion(limits: GateLimits, evidence: Evidence) -> list[Check]:
    """Check that the challenger differs from its rival; if the champion cannot be loaded, add a failed check."""
    checks, rival = [], evidence.rival
    if evidence.champion_trouble:
        instead = (
            f"The earlier champion v{rival.version} was compared instead"
            if rival
            else "No other version could stand in"
        )
        checks.append(
            make_check(
                "RT118",
                limits,
                0.0,
                "champion",
                champion="The champion" if evidence.champion is None else f"v{evidence.champion}",
                trouble=evidence.champion_trouble.rstrip("."),
                instead=instead,
            )
        )
    is_other = float(not (rival and rival.is_same))
    checks.append(make_check("RT107", limits, is_other, SUBJECT, rival=f"v{rival.version}" if rival else ""))
    return checks


def find_needed(limits: GateLimits, theirs: float) -> float:
    """Return the least gain over a version with this accuracy that promotes a challenger."""
    return max(limits.min_effect_share * theirs, LEAST_GAIN)


def _check_rival(limits: GateLimits, evidence: Evidence, rival: Rival) -> list[Check]:
    gap, name = evidence.gaps[rival.name], f"v{rival.version}"
    compared: dict[str, Any] = {
        **_compared(evidence, rival.name),
        "rival": name,
        "it": "it" if rival.name == "champion" else f"{name}, which stands in for the champion",
        "certain": CERTAIN_SHARE,
    }
    needed = find_needed(limits, _means(evidence, rival.name)["ndcg"])
    gain = gap.mean if gap.chance >= limits.ask_chance_share else min(gap.mean, gap.low)
    until, start = rival.trained_until, evidence.holdout_start
    return [
        make_check("RT109", limits, _late_hours(until, start), rival.name, rival=name, until=until, start=start),
        make_check("RT106", limits, gap.low, SUBJECT, **compared),
        make_check("RT108", limits, gain, SUBJECT, needed, **compared),
    ]


def _means(evidence: Evidence, name: str) -> Mapping[str, float]:
    """Return the means by name; one that was not measured is NaN, which passes no check."""
    return defaultdict(lambda: float("nan"), evidence.means.get(name, {}))
