"""The verdict on a challenger: a list of coded checks, and what follows from them.

Pure: evaluations in, verdict out. A challenger is promoted only when every blocking check was made and passed; in every
other case the champion stays, and that is a successful run. The codes are explained in `docs/checks.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from include.checks import Check, at_least, at_most, blocking
from include.evaluation import Evaluation, compare
from include.settings import Settings

SUBJECT = "challenger"


@dataclass(frozen=True)
class Verdict:
    """Promote or keep, why, and every check behind it."""

    decision: Literal["promote", "keep"]
    sentence: str
    checks: tuple[Check, ...]


def judge_challenger(
    settings: Settings,
    challenger: Evaluation,
    champion: Evaluation | None,
    baselines: Mapping[str, Evaluation],
    *,
    is_champion: bool,
    champion_leads_hours: float = 0.0,
) -> Verdict:
    """The verdict on a challenger that was evaluated beside champion and baselines on the same hold-out."""
    means = _means(challenger)
    checks = [
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
        *(
            _beats(settings, code, f"Beats {name}", challenger, evaluation, name, 0.0)
            for code, (name, evaluation) in zip(("RT105", "RT106"), sorted(baselines.items()), strict=True)
        ),
    ]
    if champion is not None:
        checks.append(
            Check(
                "RT107",
                "Is another model than the champion",
                SUBJECT,
                "block",
                "failed" if is_champion else "passed",
                float(not is_champion),
                "another digest",
                "The challenger's files are the champion's very own." if is_champion else "Its files are its own.",
            )
        )
        checks.append(
            at_most(
                "RT109",
                "The comparison is fair",
                SUBJECT,
                champion_leads_hours,
                0.0,
                f"The champion was trained as of {champion_leads_hours:,.0f} h after this run: it knows the hold-out."
                if champion_leads_hours > 0
                else "The champion has learnt nothing of the hold-out.",
            )
        )
        checks.append(
            _beats(settings, "RT108", "Beats the champion", challenger, champion, "champion", settings.min_effect_share)
        )
    failed = blocking(checks)
    if failed:
        return Verdict("keep", f"Kept: {failed[0].code} {failed[0].title.lower()}: {failed[0].sentence}", tuple(checks))
    return Verdict("promote", f"Promoted: {checks[-1].sentence}", tuple(checks))


def _means(evaluation: Evaluation) -> Mapping[str, float]:
    """The means by name; one that was not measured is NaN, which passes nothing."""
    return defaultdict(lambda: float("nan"), evaluation.means)


def _beats(
    settings: Settings, code: str, title: str, ours: Evaluation, theirs: Evaluation, name: str, effect_share: float
) -> Check:
    """Passed when the interval of the difference lies above zero and the gain is worth it."""
    gap = compare(ours, theirs, settings.seed)
    our_ndcg, their_ndcg = _means(ours)["ndcg"], _means(theirs)["ndcg"]
    needed = effect_share * their_ndcg
    return at_least(
        code,
        title,
        SUBJECT,
        gap.mean if gap.low > 0 else min(gap.mean, gap.low),
        max(needed, 1e-9),
        f"NDCG@{settings.list_length} {our_ndcg:.4f} against {their_ndcg:.4f} of {name}: "
        f"{gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}) over {gap.readers:,} readers; needed is more than "
        f"{needed:.4f}, and an interval above zero.",
    )
