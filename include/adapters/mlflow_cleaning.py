"""MLflow for retention: finding the versions with aliases, and removing a version with its run and files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
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
    """Remove the files of the version's run and model, the version, the model and the run; skip those already removed.

    Files are removed first: while a version or run still refers to them, an interrupted purge is found again.
    """
    mlflow = client(settings)
    with _unless_gone(settings):
        run = mlflow.get_run(mlflow_run_id)
        models = [one.model_id for one in run.outputs.model_outputs]
        for model_id in models:
            with _unless_gone(settings):
                if mlflow.list_logged_model_artifacts(model_id):
                    _delete_files(settings, mlflow.get_logged_model(model_id).artifact_location)
        if mlflow.list_artifacts(mlflow_run_id):
            _delete_files(settings, run.info.artifact_uri)
        with _unless_gone(settings):
            mlflow.delete_model_version(mlflow_client.MODEL, str(version))
        for model_id in models:
            with _unless_gone(settings):
                mlflow.delete_logged_model(model_id)
        if run.info.lifecycle_stage == "active":
            mlflow.delete_run(mlflow_run_id)
        return
    with _unless_gone(settings):
        mlflow.delete_model_version(mlflow_client.MODEL, str(version))


def _delete_files(settings: Settings, place: str) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(place, tracking_uri=settings.mlflow_url).delete_artifacts()


@contextmanager
def _unless_gone(settings: Settings) -> Iterator[None]:
    """Ignore that something is gone already; raise `ServiceError` if the server does not answer."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code not in GONE:
            raise unreachable(settings, error) from error


def stray_folders(settings: Settings, runs: Collection[str]) -> list[Path]:
    """Return file folders of other runs than these, and of their models, if MLflow's store is on this machine."""
    mlflow = client(settings)
    experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
    store = settings.home / "mlflow" / "artifacts" / experiment
    kept, token = {"models", *runs}, None
    while token != "":
        page = mlflow.search_logged_models([experiment], page_token=token)
        kept |= {model.model_id for model in page if model.source_run_id in runs}
        token = page.token or ""
    return sorted(path for path in [*store.glob("*/"), *store.glob("models/*/")] if path.name not in kept)
