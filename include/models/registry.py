"""Register a version of a model, find it, and load it safely.

MLflow holds run, files and version; `ops.models` holds the digest that the files must have at every load. A training is
registered only once.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.rows import class_row

from include.adapters import mlflow_registry
from include.adapters.mlflow_flavour import FILES
from include.adapters.mlflow_registry import TrainingData
from include.adapters.warehouse import Connection, connect, query
from include.core.clock import now, parse_moment
from include.core.errors import ArtifactDamaged
from include.core.measure import peak_mb
from include.core.settings import Settings
from include.data.store import digest_folder, scratch, whole_folder
from include.features.scenes import VERSION
from include.models import Recommender, model_class, pyfunc
from include.models.provenance import find_grounds
from include.models.training import Trained

Fit = Callable[[Path], Trained]
MOST_TOLD = 500  # characters of a reason
WEIGHT = "weight_"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RegisteredModel:
    """A registered version, with the digest its files must have."""

    version: int
    digest: str
    model: str
    feature_version: str
    features_id: str
    snapshot_id: str
    as_of: datetime
    run_id: str
    mlflow_run_id: str
    trained_until: datetime | None = None  # end of its training data; None for versions older than this field


def fit_and_register(
    settings: Settings,
    train_key: str,
    fit: Fit,
    parameters: Mapping[str, Any],
    about: Mapping[str, Any],
    told: Mapping[str, str] | None = None,
    data: TrainingData | None = None,
) -> RegisteredModel:
    """Return the version of a training: an earlier one with the same key that still loads, else a newly fitted one.

    `told` is kept as tags for people: who wanted it and why.
    """
    found = mlflow_registry.find_version(settings, train_key)
    if found is not None:
        try:
            registered = _remember(settings, found, about, mlflow_registry.finish(settings, found))
            load_version(settings, registered)
            return registered
        except ArtifactDamaged:
            pass  # removed, or its files are gone or changed: train again as a new version
    with whole_folder(settings, scratch(settings)) as folder:
        files = folder / FILES
        files.mkdir()
        begun_at, begin = now(), time.perf_counter()
        trained = fit(files)
        used = {"fit_seconds": time.perf_counter() - begin, "peak_mb": peak_mb()}
        tags = {name: str(value)[:MOST_TOLD] for name, value in {**(told or {}), **about}.items() if value} | {
            "train_key": train_key,
            "digest": trained.digest,
            "feature_version": VERSION,
            "trained_until": trained.trained_until.isoformat(),
            "verdict": "pending",
        }
        with connect(settings) as warehouse:
            (above,) = warehouse.execute(query("models/newest_model")).fetchone() or (0,)
        version = mlflow_registry.register(
            settings,
            files,
            loader=pyfunc.__name__,
            example=trained.example,
            run_name=f"{about['model']} {about['as_of']:%Y-%m-%d %H:%M}",
            params=parameters,
            metrics={**trained.facts, **used},
            tags=tags,
            begun_at=begun_at,
            ended_at=now(),
            data=data,
            grounds=find_grounds(),
            above=above,
        )
    return _remember(settings, version, about, trained.facts)


def _remember(
    settings: Settings,
    version: mlflow_registry.Version,
    about: Mapping[str, Any],
    facts: Mapping[str, float],
) -> RegisteredModel:
    registered = RegisteredModel(
        version=version.number,
        digest=version.tags["digest"],
        feature_version=version.tags["feature_version"],
        mlflow_run_id=version.mlflow_run_id,
        trained_until=parse_moment(version.tags["trained_until"]) if "trained_until" in version.tags else None,
        **about,
    )
    with connect(settings) as warehouse:
        weights = {name.removeprefix(WEIGHT): value for name, value in facts.items() if name.startswith(WEIGHT)}
        warehouse.execute(query("models/keep_model"), {**vars(registered), "weights": json.dumps(weights)})
        find_model(warehouse, registered.version)  # raises for a version that is being removed
    return registered


def find_model(warehouse: Connection, version: int) -> RegisteredModel:
    """Return the model of `version`; raise `ArtifactDamaged` if it is unknown or was removed."""
    with warehouse.cursor(row_factory=class_row(RegisteredModel)) as cursor:
        model = cursor.execute(query("models/model"), [version]).fetchone()
    if removed := warehouse.execute(query("models/removed_why"), [version]).fetchone():
        raise ArtifactDamaged(
            f"Version {version} was removed: {removed[0]}", hint="name another, or train again.", about=f"v{version}"
        )
    if model is None:
        raise ArtifactDamaged(
            f"There is no version v{version}.",
            hint="`bin/daybreak versions` lists those there are.",
            about=f"v{version}",
        )
    return model


def load_version(settings: Settings, registered: RegisteredModel) -> Recommender:
    """Return the model of a version, fetched once, its digest checked before loading."""
    if registered.feature_version != VERSION:
        raise ArtifactDamaged(
            f"Version {registered.version} was trained on features {registered.feature_version}; "
            f"this code uses {VERSION}.",
            hint="train again with the current features.",
            about=f"v{registered.version}",
        )
    with _naming(registered):
        return model_class(registered.model).load(fetch_files(settings, registered))


def fetch_files(settings: Settings, registered: RegisteredModel) -> Path:
    """Return this machine's copy of a version's files; fetch it if there is none or it has changed.

    Raise `ArtifactDamaged` if the registry's files have the wrong digest.
    """
    folder = settings.home / "models" / registered.digest
    if folder.exists():
        if digest_folder(folder) == registered.digest:
            return folder
        log.warning("The copy of v%d on this machine has changed: fetching it again.", registered.version)
    with _naming(registered), whole_folder(settings, folder) as draft:
        mlflow_registry.download(settings, registered.mlflow_run_id, draft)
        found = digest_folder(draft)
        if found != registered.digest:
            raise ArtifactDamaged(
                f"The files of version {registered.version} have digest {found[:12]}, not {registered.digest[:12]}.",
                hint="do not use it; roll back to a verified version or train again.",
            )
    return folder


@contextmanager
def _naming(registered: RegisteredModel) -> Iterator[None]:
    """Say of damage to files that it is about this version, so that all runs that need it share an incident."""
    try:
        yield
    except ArtifactDamaged as error:
        error.about = f"v{registered.version}"
        raise
