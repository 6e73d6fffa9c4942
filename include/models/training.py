"""Train a model on outcomes before the hold-out and write a folder of files with a digest.

Training is reproducible: everything it depends on (features, model, parameters, seed, code, lock) is its key, and the
same key gives the same digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from include.core.settings import Settings
from include.data.store import digest_folder
from include.features.crowd import FOLDER as CROWD
from include.features.scenes import Scenes, rows_between
from include.models import Recommender, make_model
from include.models.artifact import complete
from include.models.budget import Budget
from include.models.provenance import code_digest, lock_digest
from include.models.pyfunc import make_example

EVER = timedelta(days=36_500)


@dataclass(frozen=True)
class Trained:
    """A trained model, its files' digest and the facts worth logging."""

    model: Recommender
    digest: str
    facts: dict[str, float]
    trained_until: datetime
    example: pd.DataFrame | None = None  # histories that it can answer


def parameters(
    settings: Settings, model: str, budget: Budget, tuned: Mapping[str, float], tuning_id: str = ""
) -> dict[str, str | int]:
    """Return all parameters of a training run."""
    found = {"tuned": json.dumps(tuned, sort_keys=True), "tuning_id": tuning_id} if tuned else {}
    return {
        **found,
        "model": model,
        "seed": settings.seed,
        "window_days": settings.window_days,
        "lookback_days": settings.lookback_days,
        "train_days": settings.train_days,
        "holdout_hours": settings.holdout_hours,
        "list_step_hours": settings.list_step_hours,
        "article_max_age_hours": settings.article_max_age_hours,
        "max_train_rows": settings.max_train_rows,
        "max_train_mb": settings.max_train_mb,
        "training_data": budget.sentence,
        "code_digest": code_digest()[:16],
        "lock_digest": lock_digest()[:16],
    }


def holdout_start(settings: Settings, as_of: datetime) -> datetime:
    """Return the start of the hold-out: training sees moments and outcomes before it, judging those from it on."""
    return as_of - timedelta(hours=settings.holdout_hours)


def training_end(settings: Settings, as_of: datetime) -> datetime:
    """Return the end of training moments: an outcome is known when the step after its moment is over."""
    return holdout_start(settings, as_of) - timedelta(hours=settings.list_step_hours) + timedelta(microseconds=1)


def fit_model(
    settings: Settings,
    name: str,
    scenes: Scenes,
    outcomes: pa.Table,
    budget: Budget,
    as_of: datetime,
    folder: Path,
    build: Path,
    tuned: Mapping[str, float],
) -> Trained:
    """Fit a model on the readers in the budget, save its artifact in `folder`, and return it.

    The artifact also holds the build's crowd; nothing is learnt from the crowd.
    """
    end = training_end(settings, as_of)
    learnt = rows_between(outcomes, as_of - EVER, end).filter(pc.field("reader_id").isin(budget.readers))
    model = make_model(name, tuned)
    facts = model.fit(_of_readers(scenes.between(as_of - EVER, end), budget.readers), learnt, seed=settings.seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder)
    crowd = complete(folder, name, build)
    until = _last_moment(learnt, end) + timedelta(hours=settings.list_step_hours)
    facts = {**facts, **budget.facts, **crowd}
    return Trained(model, digest_folder(folder), facts, until, make_example(folder / CROWD))


def _of_readers(scenes: Scenes, readers: pa.Array) -> Scenes:
    """Return the scenes with the requests of these readers only; the reads of all readers stay whole."""
    is_in = pc.field("reader_id").isin(readers)
    return replace(scenes, requests=scenes.requests.filter(is_in), readers=scenes.readers.filter(is_in))


def _last_moment(outcomes: pa.Table, end: datetime) -> datetime:
    """Return the latest moment that a model learnt from; without any, the latest that it could have, before `end`."""
    last = pc.max(outcomes.column("list_at")).as_py()
    return cast(datetime, last) if last else end - timedelta(microseconds=1)
