"""Where MLflow's server keeps the files of versions, for tests that take them away or change them."""

from __future__ import annotations

from pathlib import Path

from include.adapters import mlflow_client
from include.core.settings import Settings


def model_folder(settings: Settings, mlflow_run_id: str) -> Path:
    """The folder of what can be loaded of a run's version."""
    client = mlflow_client.client(settings)
    run = client.get_run(mlflow_run_id)
    (model,) = run.outputs.model_outputs
    return settings.home / "mlflow" / "artifacts" / run.info.experiment_id / "models" / model.model_id


def version_files(settings: Settings, mlflow_run_id: str) -> Path:
    """The folder of the version's own files, which its digest is about."""
    return model_folder(settings, mlflow_run_id) / "artifacts" / "data" / "model"
