"""The stage `train`: from features to a registered challenger."""

from __future__ import annotations

from pathlib import Path

from include.adapters import mlflow_registry
from include.adapters.mlflow_registry import TrainingData
from include.core.contract import TABLES
from include.core.errors import ArtifactDamaged
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data import snapshot
from include.data.store import digest_of, manifest_uri
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
    data = describe_data(settings, snapshot_id)
    tags = {"who": run.actor, "reason": run.reason, "mode": run.mode, "window": data.window if data else ""}
    train_key = digest_of(features.fingerprint, parameters)
    version = registry.fit_and_register(settings, train_key, fit, parameters, about, tags, data)
    said = {"training_data": used.sentence, "tuned": found.sentence if found else "Not tuned."}
    facts = {"model": model, **said, **mlflow_registry.where(settings, version.mlflow_run_id)}
    facts["card"] = keep_card(settings, version)
    number = str(version.version)
    return Reference("model", number, f"models:/{number}", run.as_of, version.digest, (features.id, snapshot_id), facts)


def describe_data(settings: Settings, snapshot_id: str) -> TrainingData | None:
    """The snapshot that a version learns from, as MLflow shows data; None where only its features are at hand."""
    try:
        clean = snapshot.find_snapshot(settings, snapshot_id)
    except ArtifactDamaged:
        return None
    return TrainingData(
        name=clean.id,
        uri=manifest_uri(settings, clean.id),
        window=f"{clean.window_start:%Y-%m-%d %H:%M} to {clean.as_of:%Y-%m-%d %H:%M} UTC",
        columns={table.name: {column.name: column.type for column in table.columns} for table in TABLES},
        rows={table.name: clean.rows(table.name) for table in TABLES},
    )
