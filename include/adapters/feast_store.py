"""Feast: a sealed registry for each build, and the registry of the installation, over all builds.

Training and scoring read a build through the registry sealed with it, so a retrieval always sees exactly that build
(docs/decisions/0003). The registry of the installation is for people, who read it with Feast's own commands in
`feature_repo/`; it is written at set-up, and no run reads or writes it.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from include.adapters.quiet_feast import import_feast
from include.core.settings import PROJECT, Settings

REPOSITORY = PROJECT / "feature_repo"


def seal(folder: Path, home: Path, step: timedelta) -> None:
    """Write the declarations into the registry in `folder`, pointing to the build's later place `home`."""
    import_feast()
    from feature_repo.definitions import declare

    _sealed_store(folder).apply(declare(home, step))


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
    """Register the declarations in the installation's registry, at set-up and never in a run."""
    feast = import_feast()
    from feature_repo.definitions import declare_all

    config = yaml.safe_load((REPOSITORY / "feature_store.yaml").read_text())
    config["registry"] = str(settings.feast_registry)
    settings.feast_registry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    (settings.home / "features" / "latest").unlink(missing_ok=True)  # release 0.1 served this build online
    feast.FeatureStore(config=feast.RepoConfig(**config, repo_path=REPOSITORY)).apply(declare_all(settings))


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
