"""The trial: challenger, champion and baselines make lists for the same hold-out, in the same run.

No score is ever taken over from another run: whoever is compared is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from include.evaluation import Evaluation, evaluate
from include.features import Scenes
from include.lists import make_lists
from include.models import BASELINES, Recommender, model_class
from include.registry import RegisteredModel
from include.settings import Settings
from include.verdict import Verdict, judge_challenger


def hold_trial(
    settings: Settings,
    challenger: tuple[RegisteredModel, Recommender],
    champion: tuple[RegisteredModel, Recommender] | None,
    scenes: Scenes,
    outcomes: pa.Table,
    catalogue: pa.Table,
) -> tuple[Verdict, dict[str, Mapping[str, float]]]:
    """The verdict, and every contestant's means."""
    contestants = {"challenger": challenger[1]}
    if champion is not None:
        contestants["champion"] = champion[1]
    contestants |= {name: model_class(name)() for name in BASELINES}

    shown = what_was_shown(outcomes)

    def examine(model: Recommender) -> Evaluation:
        lists = make_lists(settings, model, scenes, catalogue)
        order = None if shown is None else model.rank(scenes, settings.list_length, shown)
        return evaluate(lists, scenes, outcomes, settings.list_length, order)

    evaluations = {name: examine(model) for name, model in contestants.items()}
    verdict = judge_challenger(
        settings,
        evaluations["challenger"],
        evaluations.get("champion"),
        {name: evaluations[name] for name in BASELINES},
        is_champion=champion is not None and champion[0].digest == challenger[0].digest,
        champion_leads_hours=_hours_ahead(champion[0], challenger[0]) if champion is not None else 0.0,
    )
    return verdict, {name: evaluation.means for name, evaluation in evaluations.items()}


def what_was_shown(outcomes: pa.Table) -> pa.Table | None:
    """Everything that readers could choose from, read or not; None when the log has no impressions.

    Whether a reader opens what the front page leads with says more about the front page than about a list, so
    contestants put in order what was really offered. A log of reads alone leaves only the question which of all
    articles came next.
    """
    if not pc.any(outcomes.column("is_shown")).as_py():
        return None
    return outcomes.select(["reader_id", "list_at", "article_id"])


def _hours_ahead(champion: RegisteredModel, challenger: RegisteredModel) -> float:
    return (champion.as_of - challenger.as_of).total_seconds() / 3600
