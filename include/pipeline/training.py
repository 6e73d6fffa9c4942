"""The stage `train`: from features to a registered challenger."""

from __future__ import annotations

from pathlib import Path

from include.adapters import mlflow_registry
from include.core.references import Reference
from include.core.run import Run
from include.data.store import digest_of
from include.features.scenes import open_outcomes, open_scenes
from include.judging.card import keep_card
from include.models import budget, ranges_of, registry, training
from include.models.tuned import find_tuned
from include.pipeline.run import recorded


@recorded
def train(run: Run, features: Reference, model: str) -> Reference:
    """Train a challenger on the time before the hold-out and register it in MLflow as a version."""
    settings, build, snapshot_id = run.settings, Path(features.uri), features.parents[0]
    used = budget.find_budget(settings, build, training.training_end(settings, run.as_of))
    found = find_tuned(settings, model, run.as_of)
    if found and not found.parameters.keys() <= ranges_of(model).keys():
        found = None  # the tunable parameters have changed since, so a new search is needed
    tuned = found.parameters if found else {}
    parameters = training.parameters(settings, model, used, tuned, found.tuning_id if found else "")

    def fit(folder: Path) -> training.Trained:
        scenes, outcomes = open_scenes(build), open_outcomes(build)
        return training.fit_model(settings, model, scenes, outcomes, used, run.as_of, folder, build, tuned)

    about = {
        "model": model,
        "features_id": features.id,
        "snapshot_id": snapshot_id,
        "as_of": run.as_of,
        "run_id": run.run_id,
    }
    version = registry.fit_and_register(settings, digest_of(features.fingerprint, parameters), fit, parameters, about)
    said = {"training_data": used.sentence, "tuned": found.sentence if found else "Not tuned."}
    facts = {"model": model, **said, **mlflow_registry.where(settings, version.mlflow_run_id)}
    facts["card"] = keep_card(settings, version)
    number = str(version.version)
    return Reference("model", number, f"models:/{number}", run.as_of, version.digest, (features.id, snapshot_id), facts)
