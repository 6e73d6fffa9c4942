"""Score a model on features: save every reader's list to a file. Writing, audit and publishing happen elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters.warehouse import connect, query
from include.core.clock import compact
from include.core.references import Reference
from include.core.settings import Settings
from include.data.store import digest_of, whole_folder, write_json
from include.features.scenes import open_scenes_in_parts
from include.lists.arrange import ListLimits, make_lists
from include.lists.takedowns import find_takedowns
from include.models import RANKED, Recommender

READERS_AT_ONCE = 25_000
LISTED_BY = ["article_id", "publisher", "category", "published_at", "ingested_at", "is_flagged"]


@dataclass(frozen=True)
class ListMaker:
    """The model that makes lists: a version, or while no model has been promoted a baseline, with the sentence on it.

    Equal digests make equal lists from the same features.
    """

    digest: str
    load: Callable[[], Recommender]
    sentence: str
    version: int | None = None
    baseline: str | None = None


def newest_features(settings: Settings) -> Reference | None:
    """Return the newest scoring features that a run built, if their files still exist."""
    with connect(settings) as warehouse:
        row = warehouse.execute(query("lists/newest_scoring_features")).fetchone()
    features = Reference.from_dict(row[0]) if row else None
    return features if features and Path(features.uri).exists() else None


def score_features(
    settings: Settings,
    features: Reference,
    maker: ListMaker,
    prefix: str = "",
) -> Reference:
    """Save every subscriber's list by this model, without articles that were taken down.

    The model is loaded only if the file does not exist yet.
    """
    with connect(settings) as warehouse:
        without = sorted(one.article_id for one in find_takedowns(warehouse))
    caps = (settings.list_length, settings.max_per_publisher, settings.max_per_category)
    fingerprint = digest_of(features.fingerprint, maker.digest, caps, *([without] if without else []))
    name = "baseline" if maker.version is None else f"v{maker.version}"
    batch_id = f"{prefix}{compact(features.as_of)}_{name}_{fingerprint[:8]}"
    folder = settings.home / "lists" / batch_id
    if not folder.exists():
        with whole_folder(settings, folder) as draft:
            readers = list_all(settings, Path(features.uri), maker.load(), draft / "lists.parquet", without)
            about = {
                "batch_id": batch_id,
                "as_of": features.as_of,
                "model_version": maker.version,
                "baseline": maker.baseline,
                "snapshot_id": features.parents[0],
                "list_length": settings.list_length,
                "readers": readers,
            }
            write_json(draft / "batch.json", about)
    readers = (features.facts or {})["requests"]
    facts = {
        "model_version": maker.version,
        "baseline": maker.baseline,
        "readers": readers,
        "features": features.uri,
        "sentence": maker.sentence,
    }
    parents = (features.id, maker.baseline or str(maker.version))
    return Reference("lists", batch_id, str(folder), features.as_of, fingerprint, parents, facts)


def list_all(settings: Settings, build: Path, model: Recommender, path: Path, without: Collection[int] = ()) -> int:
    """Write every reader's list to the file, `READERS_AT_ONCE` readers at a time; return the number of readers.

    Lists are made of the catalogue, so an article that it is without is in none, whatever the model ranks.
    """
    readers, catalogue, limits = 0, pq.read_table(build / "articles", columns=LISTED_BY), ListLimits.of(settings)
    catalogue = catalogue.filter(pc.invert(pc.is_in(catalogue["article_id"], pa.array([*without], pa.int64()))))
    with pq.ParquetWriter(path, RANKED) as writer:
        for scenes in open_scenes_in_parts(build, READERS_AT_ONCE):
            writer.write_table(make_lists(limits, model, scenes, catalogue))
            readers += scenes.requests.num_rows
    return readers
