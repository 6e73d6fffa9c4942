"""The trial: challenger, champion and baselines make lists for the same hold-out, in the same run.

No score is reused from another run: every model ranks again. The result is the evidence for the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.adapters import duck
from include.core.checks import Check
from include.core.settings import Settings
from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.judging.bootstrap import Gap, find_gaps
from include.judging.checks import GateLimits
from include.judging.fresh_process import Mechanics
from include.judging.guardrails import NOT_LIVE, Turnover
from include.judging.metrics import Evaluation, evaluate
from include.judging.slices import Slice, compare_slices
from include.judging.verdict import Evidence, Rival, Verdict, judge_challenger
from include.lists.arrange import DEPTH_PER_PLACE, ListLimits, arrange
from include.models import BASELINES, Recommender, model_class
from include.models.registry import RegisteredModel

Contestant = tuple[RegisteredModel, Recommender]


@dataclass(frozen=True)
class Holdout:
    """The scenes that all contestants rank for, and what readers read afterwards."""

    scenes: Scenes
    outcomes: pa.Table
    catalogue: pa.Table
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Performance:
    """A contestant's lists, its order of the articles that were shown, and its numbers."""

    lists: pa.Table
    order: pa.Table
    evaluation: Evaluation
    means: Mapping[str, float]


def hold_trial(
    settings: Settings,
    challenger: RegisteredModel,
    model: Recommender | None,
    mechanics: Mechanics,
    rivals: Mapping[str, Contestant],
    holdout: Holdout,
    champion_trouble: str = "",
    live: Turnover | Check = NOT_LIVE,
    champion: int | None = None,
    *,
    is_binding: bool = True,
) -> tuple[Verdict, Evidence]:
    """Return the verdict and its evidence; a challenger that cannot be used is not ranked with.

    `rivals` holds the champion, or a stand-in under `previous`, or is empty; `champion` is the champion's version,
    needed if there is a stand-in. `is_binding` says whether the verdict may change the champion.
    """
    version, until = challenger.version, challenger.trained_until
    limits = GateLimits.of(settings)
    rival = next(
        (
            Rival(registered.version, name, registered.digest == challenger.digest, registered.trained_until)
            for name, (registered, _) in rivals.items()
        ),
        None,
    )
    if rival and rival.name == "champion":
        champion = rival.version
    evidence = Evidence(
        version,
        {},
        {},
        (),
        mechanics,
        holdout.start,
        until,
        rival,
        champion,
        champion_trouble,
        is_binding=is_binding,
    )
    if model is None or mechanics.trouble:
        return judge_challenger(limits, evidence), evidence
    contestants = {"challenger": model, **{name: one for name, (_, one) in rivals.items()}}
    contestants |= {name: model_class(name)() for name in BASELINES}
    found = {name: _perform(settings, one, holdout) for name, one in contestants.items()}
    ours, means = found["challenger"], {name: one.means for name, one in found.items()}
    slices: tuple[Slice, ...] = ()
    if rival is not None:
        theirs = found[rival.name]
        between = (holdout.start, holdout.end)
        slices = compare_slices(
            limits, ours.order, theirs.order, holdout.scenes, holdout.outcomes, between, settings.seed
        )
        means["challenger"] = {**ours.means, **_turnover(holdout.scenes, ours.lists, theirs.lists)}
    gaps = _gaps(settings, {name: one.evaluation for name, one in found.items()})
    evidence = replace(evidence, means=means, gaps=gaps, slices=slices, live=live)
    return judge_challenger(limits, evidence), evidence


def _perform(settings: Settings, model: Recommender, holdout: Holdout) -> Performance:
    scenes, length = holdout.scenes, settings.list_length
    ranked = model.rank(scenes, length * DEPTH_PER_PLACE)
    lists = arrange(ListLimits.of(settings), ranked, scenes, holdout.catalogue)
    shown = what_was_shown(holdout.outcomes)
    order = lists if shown is None else model.rank(scenes, length, shown)
    evaluation = evaluate(lists, scenes, holdout.outcomes, length, order)
    with open_tables(scenes, lists=lists, ranked=ranked) as connection:
        more = duck.fetch(connection, duck.query("judging/lists")).to_pylist()[0]
    return Performance(lists, order, evaluation, {**evaluation.means, **_numbers(more)})


def _turnover(scenes: Scenes, ours: pa.Table, theirs: pa.Table) -> dict[str, float]:
    with open_tables(scenes, ours=ours, theirs=theirs) as connection:
        return _numbers(duck.fetch(connection, duck.query("judging/turnover")).to_pylist()[0])


def _numbers(row: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float("nan") if value is None else float(value) for name, value in row.items()}


def _gaps(settings: Settings, evaluations: Mapping[str, Evaluation]) -> dict[str, Gap]:
    """Return the differences of the challenger to each other contestant, paired by reader."""
    ours = evaluations["challenger"]
    others = {name: one for name, one in evaluations.items() if one is not ours}
    if any(not np.array_equal(ours.readers, one.readers) for one in others.values()):
        raise ValueError("Two models were judged on different readers.")
    gains = np.column_stack([ours.got - one.got for one in others.values()])
    best = np.column_stack([ours.best] * len(others))
    return dict(zip(others, find_gaps(gains, best, settings.seed, [0.05] * len(others)), strict=True))


def what_was_shown(outcomes: pa.Table) -> pa.Table | None:
    """Return all articles that readers were shown, read or not; None if the log has no impressions.

    Whether a reader opens the lead article says more about the front page than about a list, so contestants rank what
    was really shown. Without impressions, they rank all articles.
    """
    if not pc.any(outcomes.column("is_shown")).as_py():
        return None
    return outcomes.select(["reader_id", "list_at", "article_id"])
