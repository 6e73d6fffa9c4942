"""Remove versions that nothing refers to any more, from the registry, MLflow and the disk.

A version is removed in two steps, so that a kill between them does no harm. First its row in `ops.models` is marked as
removed, under a lock against promoting, pinning or publishing it meanwhile: from then on it is never loaded. Then its
files, its version and its run in MLflow are deleted; the next sweep finishes what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from include.adapters import mlflow_cleaning
from include.adapters.warehouse import connect, query
from include.core.settings import Settings
from include.operations.retention.items import Item, changed_at, drop

KIND = "versions"


def plan_versions(
    settings: Settings, as_of: datetime, aliases: Mapping[int, Sequence[str]], going_batches: Sequence[str]
) -> list[Item]:
    """Return every version with the reason it stays or goes; a batch that goes itself keeps no version."""
    before, items = as_of - timedelta(days=settings.keep_model_days), []
    with connect(settings) as warehouse:
        rows = warehouse.execute(query("operations/retention/versions")).fetchall()
    for version, model, registered_at, _, claims in rows:
        claims = [claim for claim in claims if claim.rpartition(" ")[2] not in going_batches]
        claims = [*claims, *(f"has the alias {alias} in MLflow" for alias in sorted(aliases.get(version, [])))]
        if registered_at >= before:
            claims.append(f"younger than {settings.keep_model_days} days")
        age = f"registered {registered_at:%Y-%m-%d}, nothing refers to it"
        items.append(Item(KIND, f"v{version} {model}", bool(claims), "; ".join(claims) or age))
    return items


def number_of(item: Item) -> int:
    """Return the number of the version that an item is about."""
    return int(item.name.split()[0].removeprefix("v"))


def remove_versions(settings: Settings, as_of: datetime, items: Sequence[Item]) -> list[Item]:
    """Remove the versions and return the outcome: a version that gained a reference meanwhile stays."""
    found, before = [], as_of - timedelta(days=settings.keep_model_days)
    with connect(settings) as warehouse:
        warehouse.execute(query("operations/retention/lock_versions"))
        for item in items:
            values = {"version": number_of(item), "moment": as_of, "why": f"{item.why}.", "before": before}
            if item.is_kept or warehouse.execute(query("operations/retention/remove_version"), values).fetchone():
                found.append(item)
            else:
                found.append(Item(KIND, item.name, True, "gained a reference meanwhile"))
    return found


def purge_removed(settings: Settings, as_of: datetime) -> int:
    """Purge removed versions from MLflow and this disk; return how many. The next sweep retries failed ones."""
    with connect(settings) as warehouse:
        waiting = warehouse.execute(query("operations/retention/not_purged")).fetchall()
    for version, _, mlflow_run_id in waiting:
        mlflow_cleaning.purge(settings, version, mlflow_run_id)
        for path in (settings.home / "reports" / "cards").glob(f"v{version}.*"):
            drop(path, False)
        with connect(settings) as warehouse:
            warehouse.execute(query("operations/retention/purged"), {"version": version, "moment": as_of})
    return len(waiting)


def drop_files(settings: Settings, as_of: datetime, going: Sequence[int], dry_run: bool) -> list[Item]:
    """Remove copies of models, samples of features and files of MLflow runs that belong to no kept version."""
    with connect(settings) as warehouse:
        rows = warehouse.execute(query("operations/retention/in_use"), {"going": list(going)}).fetchall()
    digests, runs, builds = ({row[column] for row in rows} for column in (1, 2, 3))
    old, stray = as_of - timedelta(days=settings.keep_days), as_of - timedelta(days=settings.keep_model_days)
    features = settings.home / "features"
    places = [
        ("model copies", [p for p in (settings.home / "models").glob("*") if p.name not in digests], old),
        (
            "feature samples",
            [p for p in (features / "samples").glob("*") if p.name not in builds and not (features / p.name).exists()],
            old,
        ),
        ("feature samples", [*(features / "profiles").glob("*.json")], old),  # figures that earlier releases kept
        ("run folders", mlflow_cleaning.stray_folders(settings, runs), stray),
    ]
    return [
        Item(kind, path.name, False, "belongs to no kept version", drop(path, dry_run))
        for kind, paths, before in places
        for path in paths
        if changed_at(path) < before
    ]
