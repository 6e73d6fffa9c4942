"""A stand-alone version: its model and the crowd it was trained with. It takes histories and returns rankings.

    model = Artifact.load(folder)
    model.recommend(histories, as_of, k=10)

It needs only its folder and the histories: no database, network or setting. So the same object scores a batch, ranks
with the reads of the current session, and can be tested anywhere. At its crowd's moment it ranks exactly as the batch.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from include.adapters import duck
from include.core.contract import MOMENT
from include.core.errors import ArtifactDamaged
from include.data.store import read_json, write_json
from include.features.build import describe_part, describe_readers
from include.features.crowd import FOLDER, Crowd, World
from include.features.scenes import Scenes
from include.models import RANKED, Recommender, model_class
from include.models.inputs import before, read_candidates, read_depth, read_histories, read_moment, read_readers
from include.models.threads import one_thread

ABOUT = "artifact.json"
IN_MLFLOW = "data/model"  # where a model that MLflow can load has these files
FEW_READERS = 50


@dataclass(frozen=True)
class Artifact:
    """A fitted model with a crowd."""

    model: Recommender
    crowd: Crowd

    @classmethod
    def load(cls, folder: Path | str) -> Artifact:
        """Return the artifact in a folder, or in a folder of MLflow's, ready to answer; no code from there is run."""
        folder = Path(folder)
        if (folder / IN_MLFLOW).exists():
            folder /= IN_MLFLOW
        if not (folder / ABOUT).exists() or not (folder / FOLDER).exists():
            raise ArtifactDamaged(
                f"{folder} lacks {ABOUT} or {FOLDER}/.",
                hint="use the folder of a version that was trained by this code.",
            )
        model = model_class(read_json(folder / ABOUT)["model"]).load(folder)
        return cls(model, Crowd.open(folder / FOLDER)).warm()

    def warm(self) -> Artifact:
        """Compute the world at the crowd's moment, which all readers share, and return this artifact."""
        self.crowd.world_at(self.crowd.as_of)
        return self

    def with_crowd(self, crowd: Crowd | Path | str) -> Artifact:
        """Return the same model with a newer crowd, such as `crowd/` of the newest features for scoring."""
        return replace(self, crowd=crowd if isinstance(crowd, Crowd) else Crowd.open(Path(crowd))).warm()

    def recommend(
        self,
        histories: Any,
        as_of: datetime | None = None,
        k: int = 10,
        candidates: Any = None,
        readers: Any = None,
    ) -> pa.Table:
        """Return up to `k` articles per reader, best first, without those they have read (schema `RANKED`).

        `histories` (Arrow or pandas) has reader_id, article_id, occurred_at and, where known, kind, dwell_seconds,
        position and ingested_at, as in `source.reading_events`. `as_of` defaults to the crowd's moment. `readers` holds
        the ids to rank for, or rows with columns of `source.subscribers`; it defaults to all readers with a history.
        With `candidates` only these are ranked.
        """
        moment, depth = read_moment(as_of, self.crowd.as_of), read_depth(k)
        world = self.crowd.world_at(moment)
        told = read_histories(histories, moment, self.crowd.parameters["read_kind"])
        asking = read_readers(pc.unique(told.column("reader_id")) if readers is None else readers)
        events = before(told, moment)
        given = None if candidates is None else read_candidates(candidates, asking, moment, events)
        if not asking.num_rows:
            return RANKED.empty_table()
        scenes = self._see(world, events, asking, moment)
        if asking.num_rows > FEW_READERS:
            return self.model.rank(scenes, depth, given)
        with one_thread():
            return self.model.rank(scenes, depth, given)

    def _see(self, world: World, events: pa.Table, asking: pa.Table, moment: datetime) -> Scenes:
        """Return the scenes of the asking readers, by the same queries that describe the readers of a batch."""
        list_at = pa.repeat(pa.scalar(moment, MOMENT), asking.num_rows)
        requests = pa.table({"reader_id": asking.column("reader_id"), "list_at": list_at})
        with duck.borrow() as connection:
            for name, table in (
                ("reading_events", events),
                ("subscribers", asking),
                ("articles", self.crowd.articles),
                ("requests", requests),
            ):
                connection.register(name, table)
            reads, shown = (describe_part(connection, name, self.crowd.parameters) for name in ("reads", "shown"))
            describe_readers(connection, requests, self.crowd.parameters)
            readers = describe_part(connection, "readers", {})
        return replace(world.at(moment), requests=requests, readers=readers, reads=reads, shown=shown)


def complete(folder: Path, model: str, build: Path) -> dict[str, float]:
    """Add the model's name and its build's crowd to a saved model's folder; return facts worth logging."""
    write_json(folder / ABOUT, {"model": model})
    shutil.copytree(build / FOLDER, folder / FOLDER)
    size = sum(path.stat().st_size for path in (folder / FOLDER).iterdir())
    rows = read_json(folder / FOLDER / "crowd.json")["rows"]
    return {"crowd_mb": size / 1e6, **{f"crowd_{name}": float(count) for name, count in rows.items()}}
