"""The stages in their order, without Airflow: a retrain, a refresh of the lists, a search for parameters.

The command line calls these, and a test compares the DAGs' order with them. `call` runs one stage on its inputs, so
that a caller can show progress.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from include import pipeline
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.lists.scoring import newest_features
from include.pipeline.decide import Mode, decide, why_end_after

Purpose = Literal["training", "scoring"]
Stage = Callable[..., Reference]
Call = Callable[..., Reference]  # (run, stage, *inputs)
Say = Callable[[str], None]


def call_plainly(run: Run, stage: Stage, *inputs: Any) -> Reference:
    """Run the stage and nothing else."""
    return stage(run, *inputs)


def days_to_read(settings: Settings, purpose: Purpose) -> int:
    """Return the days of reading that a run of this purpose looks at by default."""
    return settings.window_days if purpose == "training" else settings.lookback_days


def prepare(run: Run, purpose: Purpose, call: Call) -> Reference:
    """Extract, validate and build features."""
    snapshot = call(run, pipeline.extract, days_to_read(run.settings, purpose))
    return call(run, pipeline.build_features, call(run, pipeline.validate, snapshot), purpose)


def tell_how_to_answer(run: Run, verdict: Reference) -> str:
    """Return how a person answers the question about this verdict."""
    return f"Answer with `bin/daybreak approve {verdict.id}`, or add --keep to keep the champion."


def retrain(
    run: Run,
    days: int | None = None,
    model: str | None = None,
    mode: Mode | None = None,
    call: Call = call_plainly,
    announce: Callable[[Run, Reference], str] = tell_how_to_answer,
) -> list[str]:
    """Go as far as the mode allows, to a step after the verdict at most; return sentences on the outcome.

    `announce` is called with a verdict that a person was asked about, and says how to answer.
    """
    mode = mode or run.settings.gate_mode
    run = replace(run, mode=mode)
    raw = call(run, pipeline.extract, days or days_to_read(run.settings, "training"))
    clean = call(run, pipeline.validate, raw)
    if why := why_end_after("validate", mode):
        return [why]
    features = call(run, pipeline.build_features, clean, "training")
    if why := why_end_after("build_features", mode):
        return [why]
    version = call(run, pipeline.train, features, model or run.settings.model)
    if why := why_end_after("train", mode):
        return [f"v{version.id}: {why}"]
    verdict = call(run, pipeline.judge, version, features)
    facts = verdict.facts or {}
    following = decide(mode, facts["decision"], is_backfill=not run.may_go_live)
    told = [facts["sentence"], facts["rival"]]
    if following.step == "promote":
        champion = call(run, pipeline.promote, verdict).facts or {}
        if not champion["changed"]:
            told = [champion["sentence"]]
    if following.step == "ask":
        asked = call(run, pipeline.ask, verdict)
        told.append((asked.facts or {}).get("not_asked") or announce(run, asked))
    if following.step == "shadow" and newest_features(run.settings):
        told.append((call(run, pipeline.shadow, int(version.id)).facts or {})["sentence"])
    return told


def recommend(run: Run, call: Call = call_plainly) -> Reference:
    """Make, audit and publish lists; `facts` say whether they are live (`changed`) and by which model (`sentence`)."""
    lists = call(run, pipeline.score, prepare(run, "scoring", call))
    return call(run, pipeline.publish, call(run, pipeline.audit, call(run, pipeline.write_batch, lists)))


def tune_model(
    run: Run, trials: int, minutes: float, say: Say, model: str | None = None, call: Call = call_plainly
) -> Reference:
    """Search for better parameters under a budget of trials and minutes."""
    features = prepare(run, "training", call)
    return call(run, pipeline.tune, features, model or run.settings.model, trials, minutes, say)
