"""The stages in their order, without Airflow: a retrain, a past day, a refresh of the lists, a search for parameters.

The command line calls these, and a test compares the DAGs' order with them. `call` runs one stage on its inputs, so
that a caller can show progress.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from include import pipeline
from include.core.contract import TABLES
from include.core.errors import DaybreakError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.lists.scoring import newest_features
from include.pipeline.decide import Mode, decide

Purpose = Literal["training", "scoring"]
Depth = Literal["data", "features", "train"]
Stage = Callable[..., Reference]
Call = Callable[..., Reference]  # (run, stage, *inputs)
Say = Callable[[str], None]


def call_plainly(run: Run, stage: Stage, *inputs: Any) -> Reference:
    """Run the stage and nothing else."""
    return stage(run, *inputs)


def days_to_read(settings: Settings, purpose: Purpose) -> int:
    """Return the days of reading that a run of this purpose looks at by default."""
    return settings.window_days if purpose == "training" else settings.lookback_days


def prepare(run: Run, purpose: Purpose, days: int | None = None, call: Call = call_plainly) -> Reference:
    """Extract, validate and build features; `days` overrides the setting."""
    snapshot = call(run, pipeline.extract, days or days_to_read(run.settings, purpose))
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
    """Train and judge a challenger and take the next step if the mode allows; return sentences on the outcome.

    `announce` is called with a verdict that a person was asked about, and says how to answer.
    """
    mode = mode or run.settings.gate_mode
    run = replace(run, mode=mode)
    features = prepare(run, "training", days, call)
    version = call(run, pipeline.train, features, model or run.settings.model)
    if mode == "off":
        return [f"v{version.id}: {decide(mode, 'keep', is_backfill=False).reason}"]
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


@dataclass(frozen=True)
class PastDay:
    """A row of a backfill's report; what was not reached or not asked for is empty."""

    as_of: datetime
    read: int | None = None
    quarantined: int | None = None
    version: str = ""
    rival: str = ""
    outcome: str = ""


def repeat_day(
    run: Run, depth: Depth, days: int | None = None, model: str | None = None, call: Call = call_plainly
) -> PastDay:
    """Do a past day again as far as `depth`, and promote nothing; an error ends the day and is its outcome."""
    day = PastDay(run.as_of)
    try:
        raw = call(run, pipeline.extract, days or days_to_read(run.settings, "training"))
        day = replace(day, read=_count_rows(raw))
        clean = call(run, pipeline.validate, raw)
        day = replace(day, quarantined=_count_rows(raw) - _count_rows(clean), outcome="data kept")
        if depth == "data":
            return day
        features = call(run, pipeline.build_features, clean, "training")
        day = replace(day, outcome="features kept")
        if depth == "features":
            return day
        version = call(run, pipeline.train, features, model or run.settings.model)
        day = replace(day, version=f"v{version.id}")
        facts = call(run, pipeline.judge, version, features).facts or {}
        against = facts["champion_version"]
        rival = "baselines alone" if against is None else f"v{against}"
        return replace(day, rival=rival, outcome=facts["sentence"])
    except DaybreakError as error:
        return replace(day, outcome=f"failed: {error.fact}")


def _count_rows(snapshot: Reference) -> int:
    facts = snapshot.facts or {}
    return sum(int(facts[table.name]) for table in TABLES)


def recommend(run: Run, call: Call = call_plainly) -> Reference:
    """Make, audit and publish lists; `facts` say whether they are live (`changed`) and by which model (`sentence`)."""
    lists = call(run, pipeline.score, prepare(run, "scoring", call=call))
    return call(run, pipeline.publish, call(run, pipeline.audit, call(run, pipeline.write_batch, lists)))


def tune_model(
    run: Run, trials: int, minutes: float, say: Say, model: str | None = None, call: Call = call_plainly
) -> Reference:
    """Search for better parameters under a budget of trials and minutes."""
    features = prepare(run, "training", call=call)
    return call(run, pipeline.tune, features, model or run.settings.model, trials, minutes, say)
