"""MLflow's runs, registered versions and aliases. The ledger in PostgreSQL names the champion; aliases follow it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx

from include.adapters import mlflow_client
from include.adapters.mlflow_client import EXPERIMENT, NOT_THERE, as_millis, client, ensure_model, unreachable
from include.adapters.mlflow_flavour import DATA, as_mlflow_type, save_flavour
from include.core.errors import ArtifactDamaged
from include.core.settings import PROJECT, Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

BEFORE_FLAVOURS = "model"  # where in its run the files of an older version lie
READ_SECONDS = 5.0
GROUNDS = "environment/grounds.json"
FINISHED = "FINISHED"  # MLflow's status of a run


@dataclass(frozen=True)
class Version:
    """A registered version, with the fields that the project needs."""

    number: int
    tags: Mapping[str, str]
    mlflow_run_id: str


@dataclass(frozen=True)
class Training:
    """The record of a training in an MLflow run; `grounds` is its provenance, None for runs that lack it."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    grounds: dict[str, Any] | None


@dataclass(frozen=True)
class TrainingData:
    """Training data: the manifest that lists its files, its window, and columns and rows by table."""

    name: str
    uri: str
    window: str
    columns: Mapping[str, Mapping[str, pa.DataType]]
    rows: Mapping[str, int]

    @property
    def digest(self) -> str:
        """Return what its name ends with, which is about its content."""
        return self.name.rpartition("-")[2]


def find_version(settings: Settings, train_key: str) -> Version | None:
    """Return the newest version that the same training registered, if any."""
    found = client(settings).search_model_versions(f"name = '{mlflow_client.MODEL}' and tags.train_key = '{train_key}'")
    return _version(max(found, key=lambda one: int(one.version))) if found else None


def _version(one: Any) -> Version:
    return Version(int(one.version), one.tags, one.run_id)


def register(
    settings: Settings,
    files: Path,
    *,
    run_name: str,
    loader: str,
    example: pd.DataFrame | None,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    begun_at: datetime,
    ended_at: datetime,
    data: TrainingData | None,
    grounds: Mapping[str, Any],
    above: int,
) -> Version:
    """Register the model in `files` and return its version; run, model and version get `tags`, the run its provenance.

    It is a model of MLflow's own kind: the module `loader` loads it, and it answers the input `example`.
    Its number is larger than `above`: after a registry was emptied MLflow counts from one again, and the new version
    would be mistaken for the earlier one with that number.
    """
    from mlflow.entities import LoggedModelOutput, Metric, Param, RunTag

    mlflow = client(settings)
    experiment = mlflow.get_experiment_by_name(EXPERIMENT).experiment_id
    begun, ended = as_millis(begun_at), as_millis(ended_at)
    run_id = cast(str, mlflow.create_run(experiment, begun, dict(tags), run_name).info.run_id)
    told = {name: str(value) for name, value in params.items()}
    model = mlflow.create_logged_model(experiment, str(params["model"]), run_id, dict(tags), told, str(params["model"]))
    try:
        if data:
            mlflow.log_inputs(run_id, [_input_of(data)])
        learnt_from = {"dataset_name": data.name, "dataset_digest": data.digest} if data else {}
        mlflow.log_batch(
            run_id,
            metrics=[Metric(name, value, ended, 0, model.model_id, **learnt_from) for name, value in metrics.items()],
            params=[Param(name, value) for name, value in told.items()],
            tags=[RunTag("daybreak.model", params["model"])],
        )
        mlflow.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
        flavour = files.with_name("flavour")
        save_flavour(files, flavour, loader=loader, example=example, model=model, about=tags)
        mlflow.log_model_artifacts(model.model_id, str(flavour))
        mlflow.finalize_logged_model(model.model_id, "READY")
        mlflow.log_artifact(run_id, str(PROJECT / "requirements.txt"), "environment")
        mlflow.log_dict(run_id, dict(grounds), GROUNDS)
        ensure_model(mlflow)
        while True:
            version = mlflow.create_model_version(
                mlflow_client.MODEL, f"models:/{model.model_id}", run_id, dict(tags), model_id=model.model_id
            )
            if int(version.version) > above:
                break
            mlflow.delete_model_version(mlflow_client.MODEL, version.version)
    except BaseException:
        mlflow.set_terminated(run_id, "FAILED")
        mlflow.finalize_logged_model(model.model_id, "FAILED")
        raise
    set_alias(settings, "challenger", int(version.version))
    mlflow.set_terminated(run_id, FINISHED, ended)  # last: a run that has not finished tells of a kill
    return _version(version)


def finish(settings: Settings, version: Version) -> Mapping[str, float]:
    """Finish the registration of a version if a kill cut it short; return the metrics of its training.

    Raise `ArtifactDamaged` if MLflow answers but no longer has its run.
    """
    run = _need_run(settings, version.mlflow_run_id, hint="train again, or roll back to an earlier version.")
    if run.info.status != FINISHED:
        if version.number > (read_alias(settings, "challenger") or 0):
            set_alias(settings, "challenger", version.number)
        client(settings).set_terminated(version.mlflow_run_id, FINISHED)
    return cast(Mapping[str, float], run.data.metrics)


def _need_run(settings: Settings, mlflow_run_id: str, hint: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client(settings).get_run(mlflow_run_id)
    except MlflowException as error:
        if error.error_code != NOT_THERE:
            raise unreachable(settings, error) from error
        raise ArtifactDamaged(f"MLflow has no run {mlflow_run_id}.", hint=hint) from error


def _input_of(data: TrainingData) -> Any:
    """Return the data as MLflow shows it, from a source that `mlflow.data.get_source` can load again."""
    from mlflow.data.dataset_source_registry import get_dataset_source_from_json
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.exceptions import MlflowException
    from mlflow.types import ColSpec, Schema

    kind, source = urlsplit(data.uri).scheme.removeprefix("file") or "local", json.dumps({"uri": data.uri})
    try:
        get_dataset_source_from_json(source, kind)
    except MlflowException:  # a store that MLflow knows nothing of
        kind, source = "code", json.dumps({"tags": {"uri": data.uri}})
    columns = [
        ColSpec(as_mlflow_type(column), f"{table}.{name}")
        for table, names in data.columns.items()
        for name, column in names.items()
    ]
    dataset = Dataset(
        name=data.name,
        digest=data.digest,
        source_type=kind,
        source=source,
        schema=json.dumps({"mlflow_colspec": Schema(columns).to_dict()}),
        profile=json.dumps({"num_rows": sum(data.rows.values()), **data.rows}),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def download(settings: Settings, mlflow_run_id: str, target: Path) -> None:
    """Download the version's files to `target`; raise `ArtifactDamaged` if MLflow answers but has none."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    mlflow = client(settings)
    target.mkdir(parents=True, exist_ok=True)
    try:
        run = mlflow.get_run(mlflow_run_id)
        models = [mlflow.get_logged_model(one.model_id) for one in run.outputs.model_outputs]
        place, path = (models[0].artifact_location, DATA) if models else (run.info.artifact_uri, BEFORE_FLAVOURS)
        with tempfile.TemporaryDirectory(dir=target) as fetched:
            got = Path(get_artifact_repository(place, settings.mlflow_url).download_artifacts(path, fetched))
            for file in got.iterdir():
                shutil.move(file, target / file.name)
    except (MlflowException, FileNotFoundError) as error:  # they say the same whether the files or the server are gone
        try:
            mlflow.get_experiment_by_name(EXPERIMENT)
        except MlflowException as silence:
            raise unreachable(settings, silence) from error
        raise ArtifactDamaged(
            f"MLflow has no files of run {mlflow_run_id}.", hint="train again, or roll back to an earlier version."
        ) from error


def read_training(settings: Settings, mlflow_run_id: str) -> Training:
    """Return the training record of the run; raise `ArtifactDamaged` if MLflow answers but has no such run."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    found = _need_run(settings, mlflow_run_id, hint="the version can no longer be explained; train again.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = download_artifacts(
                run_id=mlflow_run_id, artifact_path=GROUNDS, dst_path=folder, tracking_uri=settings.mlflow_url
            )
        except MlflowException:
            return Training(found.data.params, found.data.metrics, None)
        return Training(found.data.params, found.data.metrics, json.loads(Path(path).read_text()))


def read_parameters(settings: Settings, mlflow_run_id: str) -> dict[str, str]:
    """Return the parameters of a training, asked without MLflow's client, which takes seconds to load."""
    try:
        answer = httpx.get(
            f"{settings.mlflow_url}/api/2.0/mlflow/runs/get",
            params={"run_id": mlflow_run_id},
            timeout=READ_SECONDS,
            trust_env=False,
        )
        answer.raise_for_status()
        return {one["key"]: one["value"] for one in answer.json()["run"]["data"].get("params", ())}
    except (httpx.HTTPError, ValueError, KeyError) as error:  # a proxy's sign-in page is no JSON of MLflow's
        raise unreachable(settings, error) from error


def need_version(settings: Settings, version: int) -> None:
    """Raise `ArtifactDamaged` unless the registry has the version."""
    from mlflow.exceptions import MlflowException

    try:
        client(settings).get_model_version(mlflow_client.MODEL, str(version))
    except MlflowException as error:
        if error.error_code != NOT_THERE:
            raise unreachable(settings, error) from error
        raise ArtifactDamaged(
            f"Version {version} is no longer in MLflow's registry.", hint="train again, or roll back."
        ) from error


def set_alias(settings: Settings, alias: str, version: int) -> bool:
    """Point the alias to this version; return False if the registry does not have the version."""
    from mlflow.exceptions import MlflowException

    for is_last in (False, True):
        try:
            client(settings).set_registered_model_alias(mlflow_client.MODEL, alias, str(version))
        except MlflowException as error:
            if error.error_code == NOT_THERE:
                return False
            if is_last:  # of two processes that set a new alias at once, the server refuses one; a retry succeeds
                raise unreachable(settings, error) from error
        else:
            break
    return True


def drop_alias(settings: Settings, alias: str) -> None:
    """Remove the alias if it exists."""
    from mlflow.exceptions import MlflowException

    with suppress(MlflowException):
        client(settings).delete_registered_model_alias(mlflow_client.MODEL, alias)


def read_alias(settings: Settings, alias: str) -> int | None:
    """Return the version that an alias names, or None."""
    from mlflow.exceptions import MlflowException

    try:
        return int(client(settings).get_model_version_by_alias(mlflow_client.MODEL, alias).version)
    except MlflowException:
        return None


def where(settings: Settings, mlflow_run_id: str) -> dict[str, str]:
    """Return the ids of the run and its experiment for a link to MLflow's UI."""
    experiment_id = client(settings).get_run(mlflow_run_id).info.experiment_id
    return {"mlflow_run_id": mlflow_run_id, "mlflow_experiment_id": experiment_id}
