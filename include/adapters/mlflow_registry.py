"""MLflow: runs, registered versions, aliases. The ledger in PostgreSQL decides who is champion; aliases follow it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from include.errors import ServiceError
from include.settings import Settings

MODEL = "daybreak"
EXPERIMENT = "daybreak"
FOLDER = "model"


@dataclass(frozen=True)
class Version:
    """A registered version, as far as the project needs to know it."""

    number: int
    tags: Mapping[str, str]
    mlflow_run_id: str
    experiment_id: str
    uri: str


@cache
def client(settings: Settings) -> Any:
    """MLflow's client, quiet and without telemetry."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    mlflow = MlflowClient(settings.mlflow_url)
    try:
        if mlflow.get_experiment_by_name(EXPERIMENT) is None:
            mlflow.create_experiment(EXPERIMENT)
        mlflow.create_registered_model(MODEL, description="Daybreak's recommenders; `champion` is the live one.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise ServiceError(
                f"MLflow at {settings.mlflow_url} does not answer: {str(error).splitlines()[0][:200]}.",
                hint="is it running? `bin/daybreak status` tells.",
            ) from error
    return mlflow


def find_version(settings: Settings, train_key: str) -> Version | None:
    """The newest version that the same training registered before, if any."""
    mlflow = client(settings)
    found = mlflow.search_model_versions(f"name = '{MODEL}' and tags.train_key = '{train_key}'")
    return _version(mlflow, max(found, key=lambda one: int(one.version))) if found else None


def _version(mlflow: Any, one: Any) -> Version:
    experiment_id = mlflow.get_run(one.run_id).info.experiment_id
    return Version(int(one.version), one.tags, one.run_id, experiment_id, f"models:/{MODEL}/{one.version}")


def register(
    settings: Settings,
    folder: Path,
    *,
    run_name: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    snapshot: tuple[str, str],
    figures: Iterable[Path] = (),
) -> Version:
    """The new version; its run, artifacts and version carry `tags`."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

    mlflow = client(settings)
    experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
    run_id = cast(str, mlflow.create_run(experiment, run_name=run_name, tags=dict(tags)).info.run_id)
    try:
        mlflow.log_batch(
            run_id,
            metrics=[Metric(name, value, 0, 0) for name, value in metrics.items()],
            params=[Param(name, str(value)) for name, value in params.items()],
            tags=[RunTag("daybreak.model", params["model"])],
        )
        name, digest = snapshot
        dataset = Dataset(name=name, digest=digest[:36], source_type="snapshot", source=name)
        mlflow.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
        mlflow.log_artifacts(run_id, str(folder), FOLDER)
        for figure in figures:
            mlflow.log_artifact(run_id, str(figure), "figures")
        version = mlflow.create_model_version(MODEL, f"runs:/{run_id}/{FOLDER}", run_id=run_id, tags=dict(tags))
    except BaseException:
        mlflow.set_terminated(run_id, "FAILED")
        raise
    mlflow.set_terminated(run_id, "FINISHED")
    set_alias(settings, "challenger", int(version.version))
    return _version(mlflow, version)


def download(settings: Settings, mlflow_run_id: str, target: Path) -> None:
    """The version's files in `target`."""
    from mlflow.artifacts import download_artifacts

    target.parent.mkdir(parents=True, exist_ok=True)
    got = download_artifacts(
        run_id=mlflow_run_id, artifact_path=FOLDER, dst_path=str(target), tracking_uri=settings.mlflow_url
    )
    for file in Path(got).iterdir():
        shutil.move(file, target / file.name)
    Path(got).rmdir()


def set_alias(settings: Settings, alias: str, version: int) -> None:
    """The alias now names this version."""
    client(settings).set_registered_model_alias(MODEL, alias, str(version))


def read_alias(settings: Settings, alias: str) -> int | None:
    """The version an alias names."""
    from mlflow.exceptions import MlflowException

    try:
        return int(client(settings).get_model_version_by_alias(MODEL, alias).version)
    except MlflowException:
        return None


def tag_version(settings: Settings, version: int, tags: Mapping[str, str]) -> None:
    """More tags on a version: its verdict, for example."""
    for name, value in tags.items():
        client(settings).set_model_version_tag(MODEL, str(version), name, value)


def log_metrics(settings: Settings, mlflow_run_id: str, metrics: Mapping[str, float], figures: Iterable[Path]) -> None:
    """Metrics and figures that were found after training, on the same run."""
    from mlflow.entities import Metric

    client(settings).log_batch(mlflow_run_id, metrics=[Metric(name, value, 0, 0) for name, value in metrics.items()])
    for figure in figures:
        client(settings).log_artifact(mlflow_run_id, str(figure), "figures")
