"""Feast: a sealed registry for each build, and the shared store for online serving.

Training and scoring read a build through the registry sealed with it, so a retrieval always sees exactly that build
(docs/decisions/0003). The shared registry in PostgreSQL is written at set-up only; runs materialise intervals into its
online store and never apply declarations.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import pyarrow as pa
import yaml

from include.adapters.quiet_feast import import_feast
from include.core.settings import PROJECT, Settings

REPOSITORY = PROJECT / "feature_repo"
OVERLAP = timedelta(hours=1)
MOMENT_LENGTH = len("20261120T030000Z")  # a build's name begins with its moment


def seal(folder: Path, home: Path) -> None:
    """Write the declarations into the registry in `folder`, pointing to the build's later place `home`."""
    import_feast()
    from feature_repo.definitions import declare

    _sealed_store(folder).apply(declare(home))


def retrieve(folder: Path, service: str, entities: pa.Table) -> pa.Table:
    """Return the service's features for each entity row at its event_timestamp, in the order of the entity rows."""
    store = _sealed_store(folder)
    keyed = entities.append_column("row_no", pa.array(range(entities.num_rows), pa.int64()))
    job = store.get_historical_features(entity_df=keyed.to_pandas(), features=store.get_feature_service(service))
    table = job.to_arrow()
    if table.num_rows != entities.num_rows:
        raise RuntimeError(f"Feast returned {table.num_rows} rows of {service} for {entities.num_rows} entities.")
    return table.sort_by("row_no").drop_columns(["row_no"])


def apply_shared(settings: Settings) -> None:
    """Register the declarations in the shared registry and create the online tables, at set-up and never in a run."""
    import_feast()
    from feature_repo.definitions import declare

    _shared_store(settings).apply(declare(settings.home / "features" / "latest"))


def serve_build(settings: Settings, build: Path, as_of: datetime) -> None:
    """Serve this build from the online store, unless the store already serves a newer one.

    `features/latest`, the target of the shared registry's sources, is switched to the build, then the build's interval
    is materialised. The call is idempotent.
    """
    latest = settings.home / "features" / "latest"
    if latest.is_symlink() and latest.resolve().name[:MOMENT_LENGTH] > build.name[:MOMENT_LENGTH]:
        return
    draft = latest.with_name(f".latest-{uuid.uuid4().hex}")
    draft.symlink_to(build)
    draft.replace(latest)
    _shared_store(settings).materialize(start_date=as_of - OVERLAP, end_date=as_of)


def read_online(settings: Settings, service: str, entities: list[dict[str, Any]]) -> pa.Table:
    """Return the features that the online store serves for these entities now."""
    store = _shared_store(settings)
    answer = store.get_online_features(features=store.get_feature_service(service), entity_rows=entities)
    return pa.table(answer.to_dict())


@cache
def _sealed_store(folder: Path) -> Any:
    feast = import_feast()
    return feast.FeatureStore(
        config=feast.RepoConfig(
            project="daybreak",
            provider="local",
            registry=str(folder / "registry.db"),
            offline_store={"type": "duckdb"},
            online_store=None,
            entity_key_serialization_version=3,
        )
    )


def _shared_store(settings: Settings) -> Any:
    feast = import_feast()
    values = {
        "DAYBREAK_FEAST_DB_PASSWORD": settings.feast_db_password.get_secret_value(),
        "DAYBREAK_POSTGRES_HOST": settings.postgres_host,
        "DAYBREAK_POSTGRES_PORT": str(settings.postgres_port),
    }
    config = yaml.safe_load(Template((REPOSITORY / "feature_store.yaml").read_text()).substitute(values))
    return feast.FeatureStore(config=feast.RepoConfig(**config, repo_path=REPOSITORY))
