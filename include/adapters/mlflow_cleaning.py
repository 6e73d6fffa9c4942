"""MLflow for retention: finding the versions with aliases, and removing a version with its run and files."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from include.adapters import mlflow_client
from include.adapters.mlflow_client import EXPERIMENT, NOT_THERE, client, need_server, unreachable
from include.core.settings import Settings

GONE = (NOT_THERE, "NOT_FOUND", "ENDPOINT_NOT_FOUND")


def find_aliases(settings: Settings) -> dict[int, list[str]]:
    """Return the aliases of each version that has any; raise `ServiceError` if the server does not answer."""
    from mlflow.exceptions import MlflowException

    need_server(settings)
    try:
        given = client(settings).get_registered_model(mlflow_client.MODEL).aliases
    except MlflowException as error:
        raise unreachable(settings, error) from error
    found: dict[int, list[str]] = defaultdict(list)
    for alias, version in given.items():
        found[int(version)].append(alias)
    return dict(found)


def purge(settings: Settings, version: int, mlflow_run_id: str) -> None:
    """Remove the files of the version's run, the version and the run; skip those already removed.

    Files are removed first: while a version or run still refers to them, an interrupted purge is found again.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    mlflow = client(settings)
    try:
        run = mlflow.get_run(mlflow_run_id)
        if mlflow.list_artifacts(mlflow_run_id):
            get_artifact_repository(run.info.artifact_uri, tracking_uri=settings.mlflow_url).delete_artifacts()
    except MlflowException as error:
        if error.error_code not in GONE:
            raise unreachable(settings, error) from error
        run = None
    try:
        mlflow.delete_model_version(mlflow_client.MODEL, str(version))
    except MlflowException as error:
        if error.error_code not in GONE:
            raise unreachable(settings, error) from error
    if run is not None and run.info.lifecycle_stage == "active":
        mlflow.delete_run(mlflow_run_id)


def run_folders(settings: Settings) -> list[Path]:
    """Return the file folders of our experiment's runs, named by run, if MLflow's store is on this machine."""
    experiment = client(settings).get_experiment_by_name(EXPERIMENT)
    return sorted((settings.home / "mlflow" / "artifacts" / experiment.experiment_id).glob("*/"))
