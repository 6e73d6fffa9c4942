"""Lists of a version from features: scored into a file, written and audited. Who publishes them is not decided here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from include import batch as batches
from include.adapters.warehouse import connect, query
from include.checks import Check, blocking
from include.clock import compact
from include.features import open_scenes_in_parts
from include.list_audit import audit_lists
from include.lists import make_lists
from include.models import RANKED, Recommender
from include.record import Run
from include.references import Reference
from include.registry import RegisteredModel
from include.settings import Settings
from include.store import digest_of, read_json, whole_folder, write_json

READERS_AT_ONCE = 25_000
LISTED_BY = ["article_id", "publisher", "category", "published_at", "ingested_at", "is_flagged"]


def newest_features(settings: Settings) -> Reference | None:
    """The newest scoring features that a run built, if they are still there."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("ops/newest_scoring_features")).fetchone()
    features = Reference.from_dict(row[0]) if row else None
    return features if features and Path(features.uri).exists() else None


def score_features(
    settings: Settings,
    features: Reference,
    registered: RegisteredModel,
    load: Callable[[], Recommender],
    prefix: str = "",
) -> Reference:
    """Every subscriber's list by this version, as a file; the model is loaded only if they were not made before."""
    caps = (settings.list_length, settings.max_per_publisher, settings.max_per_category)
    fingerprint = digest_of(features.fingerprint, registered.digest, caps)
    batch_id = f"{prefix}{compact(features.as_of)}_v{registered.version}_{fingerprint[:8]}"
    folder = settings.home / "lists" / batch_id
    if not folder.exists():
        with whole_folder(settings, folder) as draft:
            readers = list_all(settings, Path(features.uri), load(), draft / "lists.parquet")
            about = {
                "batch_id": batch_id,
                "as_of": features.as_of,
                "model_version": registered.version,
                "snapshot_id": features.parents[0],
                "list_length": settings.list_length,
                "readers": readers,
            }
            write_json(draft / "batch.json", about)
    readers = (features.facts or {})["requests"]
    facts = {"model_version": registered.version, "readers": readers, "features": features.uri}
    parents = (features.id, str(registered.version))
    return Reference("lists", batch_id, str(folder), features.as_of, fingerprint, parents, facts)


def list_all(settings: Settings, build: Path, model: Recommender, path: Path) -> int:
    """How many readers' lists were written to the file, so many readers at once."""
    readers, catalogue = 0, pq.read_table(build / "articles", columns=LISTED_BY)
    with pq.ParquetWriter(path, RANKED) as writer:
        for scenes in open_scenes_in_parts(build, READERS_AT_ONCE):
            writer.write_table(make_lists(settings, model, scenes, catalogue))
            readers += scenes.requests.num_rows
    return readers


def write_lists(run: Run, lists: Reference) -> tuple[int, int, int]:
    """Readers and rows now in PostgreSQL, unseen by readers, and how many readers were asked for."""
    about = read_json(Path(lists.uri) / "batch.json")
    with connect(run.settings) as warehouse:
        parts = pq.ParquetFile(Path(lists.uri) / "lists.parquet").iter_batches(batches.ROWS_AT_ONCE)
        readers, rows = batches.write(warehouse, parts, {**about, "run_id": run.run_id})
    return readers, rows, about["readers"]


def score_and_audit(
    run: Run, features: Reference, registered: RegisteredModel, load: Callable[[], Recommender]
) -> str | None:
    """A batch of this version that passed its audit, or None when it did not."""
    lists = score_features(run.settings, features, registered, load)
    _, _, asked = write_lists(run, lists)
    return None if blocking(audit_written(run.settings, lists, features.uri, asked)) else lists.id


def audit_written(settings: Settings, lists: Reference, features: str, asked: int) -> list[Check]:
    """Every check on lists that were written, after which their batch is `audited` or `refused`."""
    checks = audit_lists(settings, Path(lists.uri) / "lists.parquet", Path(features))
    with connect(settings) as warehouse:
        checks += batches.audit(warehouse, lists.id, settings.list_length, asked)
        batches.set_status(warehouse, lists.id, "refused" if blocking(checks) else "audited")
    return checks
