"""Who is champion: the append-only ledger, and loading a version safely.

The ledger in PostgreSQL is the truth and a compare-and-set: a promotion names the row it was decided against, so of two
runs that race, one is refused. MLflow's aliases are set after the ledger and repaired from it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from include.adapters import mlflow_registry
from include.adapters.warehouse import Connection, connect, query
from include.errors import ArtifactDamaged, NoChampion
from include.features import VERSION
from include.models import Recommender, model_class
from include.settings import Settings
from include.store import digest_folder, scratch


@dataclass(frozen=True)
class Champion:
    """One row of the ledger."""

    seq: int
    version: int
    from_version: int | None
    action: str
    why: str
    actor: str
    verdict_id: str | None
    run_id: str
    snapshot_id: str
    at: datetime


@dataclass(frozen=True)
class RegisteredModel:
    """What was registered as a version, with the digest its files must have."""

    version: int
    digest: str
    model: str
    feature_version: str
    features_id: str
    snapshot_id: str
    as_of: datetime
    mlflow_run_id: str


def find_champion(warehouse: Connection) -> Champion | None:
    """The newest row of the ledger, or None before the first promotion."""
    with warehouse.cursor(row_factory=class_row(Champion)) as cursor:
        return cursor.execute(query("ledger/newest")).fetchone()


def need_champion(warehouse: Connection) -> Champion:
    """The champion; `NoChampion` before the first promotion."""
    champion = find_champion(warehouse)
    if champion is None:
        raise NoChampion("No model has been promoted yet.", hint="run `retrain` and look at its verdict.")
    return champion


def append(
    warehouse: Connection,
    *,
    after_seq: int,
    version: int,
    from_version: int | None,
    why: str,
    actor: str,
    run_id: str,
    snapshot_id: str,
    action: str = "promote",
    verdict_id: str | None = None,
) -> bool:
    """True when the row follows `after_seq`; False when somebody else's row came first, and nothing was written."""
    values: dict[str, Any] = dict(locals())
    del values["warehouse"]
    return warehouse.execute(query("ledger/append"), values).fetchone() is not None


def repair_aliases(settings: Settings) -> None:
    """MLflow's aliases say what the ledger says."""
    with connect(settings) as warehouse:
        champion = find_champion(warehouse)
    if champion is None:
        return
    if mlflow_registry.read_alias(settings, "champion") != champion.version:
        mlflow_registry.set_alias(settings, "champion", champion.version)
    if champion.from_version is not None and mlflow_registry.read_alias(settings, "previous") != champion.from_version:
        mlflow_registry.set_alias(settings, "previous", champion.from_version)


def keep_model(warehouse: Connection, model: RegisteredModel, run_id: str) -> None:
    """Remember a registered version and its digest."""
    warehouse.execute(query("ledger/keep_model"), {**vars(model), "run_id": run_id})


def find_model(warehouse: Connection, version: int) -> RegisteredModel:
    """What was registered as `version`."""
    with warehouse.cursor(row_factory=class_row(RegisteredModel)) as cursor:
        model = cursor.execute(query("ledger/model"), [version]).fetchone()
    if model is None:
        raise ArtifactDamaged(f"Version {version} is not in ops.models.", hint="train again, or roll back.")
    return model


def load_version(settings: Settings, registered: RegisteredModel) -> Recommender:
    """The model of a version, fetched once, its digest checked before anything is loaded."""
    if registered.feature_version != VERSION:
        raise ArtifactDamaged(
            f"Version {registered.version} was trained on features {registered.feature_version}; these are {VERSION}.",
            hint="train again with the present features.",
        )
    folder = settings.home / "models" / registered.digest
    if not folder.exists():
        draft = scratch(settings)
        draft.mkdir()
        mlflow_registry.download(settings, registered.mlflow_run_id, draft)
        _check_digest(draft, registered)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(folder)
    _check_digest(folder, registered)
    return model_class(registered.model).load(folder)


def _check_digest(folder: Any, registered: RegisteredModel) -> None:
    found = digest_folder(folder)
    if found != registered.digest:
        raise ArtifactDamaged(
            f"The files of version {registered.version} have digest {found[:12]}, not {registered.digest[:12]}.",
            hint="do not use it; roll back to a verified version or train again.",
        )
