"""The default model: a few hundred candidates per reader, then a ranker that learns time spent.

Candidates come from co-reading, trends, the reader's topics and categories, and fresh articles (candidates.sql); facts
shared by all readers are worked out once (sharing.py). The ranker is two models of boosted trees
and a line on features of pairs (pair_features.sql): the chance that a shown article is read, and how long a read lasts;
their product is the expected time. An article's position is a feature while learning and set to the first while
ranking, so that being shown on top does not look like being good.

A log without impressions is learnt from in another way (next_reads.py): from the articles that the crowd of the last
hours read beside and after the reader's own reads, comparing those read next with other candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.adapters import skops_files
from include.core.errors import ArtifactDamaged
from include.features.scene_tables import open_tables, split_requests
from include.features.scenes import Scenes
from include.models import RANKED, Range
from include.models.kinds.queries import run
from include.models.kinds.two_stage.examples import ask_again, find_examples, notes_what_was_shown
from include.models.kinds.two_stage.explanation import weigh_features
from include.models.kinds.two_stage.liked import Tastes, find_promising
from include.models.kinds.two_stage.next_reads import fit_next_reads, rank_next_reads
from include.models.kinds.two_stage.ranker import NUMBERS, TREE_RANGES, WORDS, expect_seconds, fit_ranker
from include.models.kinds.two_stage.sharing import Shared
from include.models.kinds.two_stage.tasting import learn_tastes, tastes_of

Tables = dict[str, pa.Table]

FORM = ["3", *WORDS, *NUMBERS]  # form of the saved parts; raise the number if they change other than by features
READABLE = (FORM, ["2", *FORM[1:]])  # form 2 has its line as arrays (saved_line.py)
CANDIDATES = {"favourites": 3, "together": 40}  # in addition to the offers to all readers
PROMISING = {"liked": 30, "most": 100}
LEAST_LANGUAGE_SHARE = 0.25
TOGETHER_HOURS = 24.0
REASONS = {"strong_co_read": 0.2, "strong_share": 0.15, "strong_reads": 5, "fresh_hours": 6, "latest_reads": 20}
REQUESTS_AT_ONCE = 1500


class TwoStage:
    """A model that finds candidates, then ranks them by expected reading time."""

    name: ClassVar[str] = "two_stage"
    TUNABLE: ClassVar[Mapping[str, Range]] = TREE_RANGES

    def __init__(self, parts: dict[str, Any] | None = None, chosen: Mapping[str, float] | None = None) -> None:
        self.parts, self.chosen = parts or {}, chosen or {}
        self._shared = Shared(self.parts.get("tastes", {}))

    @classmethod
    def tuned(cls, parameters: Mapping[str, float]) -> TwoStage:
        """Return a model whose ranker will be grown with these parameters."""
        return cls(chosen=parameters)

    def fit(self, scenes: Scenes, outcomes: pa.Table, *, seed: int) -> dict[str, float]:
        """Learn from impressions, or else from reads, after each moment."""
        examples = find_examples(outcomes)
        if not notes_what_was_shown(outcomes):
            read = examples.filter(pc.field("is_read"))
            self.parts = {"next_reads": fit_next_reads(scenes, read, seed)}
            return {"example_reads": float(read.num_rows), "trust": self.parts["next_reads"]["trust"]}
        self.parts = {"tastes": learn_tastes(scenes, seed)}
        self._shared = Shared(self.parts["tastes"])
        shared = self._shared.tables_of(scenes)
        parts = split_requests(ask_again(scenes, examples), REQUESTS_AT_ONCE)
        described = pa.concat_tables(self._describe(part, shared, examples) for part in parts)
        self.parts |= fit_ranker(described, seed, self.chosen)
        reads = pc.sum(examples.column("is_read")).as_py() or 0
        learnt_from = {"example_rows": float(examples.num_rows), "example_reads": float(reads)}
        return learnt_from | weigh_features(self.parts, described, seed)

    def rank(self, scenes: Scenes, depth: int, candidates: pa.Table | None = None) -> pa.Table:
        """Return the `depth` articles with the longest expected reading time per request."""
        if "next_reads" in self.parts:
            with open_tables(scenes) as connection:
                connection.register("ranked", rank_next_reads(self.parts["next_reads"], scenes, depth, candidates))
                return run(connection, "reasons", **REASONS).cast(RANKED)
        shared = self._shared.tables_of(scenes)
        parts = split_requests(scenes, REQUESTS_AT_ONCE)
        ranked = [self._rank_part(part, shared, depth, candidates) for part in parts]
        return pa.concat_tables([RANKED.empty_table(), *ranked]).sort_by(
            [("list_at", "ascending"), ("reader_id", "ascending"), ("rank", "ascending")]
        )

    def find_candidates(self, scenes: Scenes) -> Iterator[pa.Table]:
        """Yield the candidates of the first stage, some requests at a time."""
        shared = self._shared.tables_of(scenes)
        for part in split_requests(scenes, REQUESTS_AT_ONCE):
            with self._ask(part, shared) as (connection, tastes):
                yield _find_candidates(connection, tastes, shared)

    def _rank_part(self, scenes: Scenes, shared: Tables, depth: int, candidates: pa.Table | None) -> pa.Table:
        with self._ask(scenes, shared) as (connection, tastes):
            if candidates is None:
                found = _find_candidates(connection, tastes, shared)
            else:
                connection.register("given", candidates)
                found = run(connection, "given_pairs")
            connection.register("pairs", found.append_column("position", pa.array(np.ones(found.num_rows))))
            pairs = run(connection, "pair_features")
            connection.register("scored", pairs.append_column("score", pa.array(expect_seconds(self.parts, pairs))))
            connection.register("ranked", run(connection, "best", depth=depth))
            return run(connection, "reasons", **REASONS).cast(RANKED)

    def _describe(self, scenes: Scenes, shared: Tables, examples: pa.Table) -> pa.Table:
        with self._ask(scenes, {**shared, "given": examples}) as (connection, _):
            connection.register("pairs", run(connection, "given_examples"))
            return run(connection, "pair_features")

    @contextmanager
    def _ask(self, scenes: Scenes, tables: Tables) -> Iterator[tuple[duckdb.DuckDBPyConnection, Tastes]]:
        """Open a connection with the scenes, the tables, and the readers' tastes, languages and co-read articles."""
        with open_tables(scenes, **tables) as connection:
            tastes = tastes_of(connection, self.parts["tastes"], scenes)
            for name, table in tastes.tables().items():
                connection.register(name, table)
            connection.register("tongues", run(connection, "tongues", least_share=LEAST_LANGUAGE_SHARE))
            connection.register("together", run(connection, "together", together_hours=TOGETHER_HOURS))
            yield connection, tastes

    def save(self, folder: Path) -> None:
        """Save everything that was learnt in one file."""
        skops_files.dump({"form": FORM, **self.parts}, folder / "two_stage.skops")

    @classmethod
    def load(cls, folder: Path) -> TwoStage:
        """Return the model in a folder; raise `ArtifactDamaged` if another release saved it."""
        parts = skops_files.load(folder / "two_stage.skops")
        if parts.pop("form", None) not in READABLE:
            raise ArtifactDamaged(
                f"{folder} holds a two_stage model of another release, which this code cannot use.",
                hint="train again (`bin/daybreak retrain`); the lists stay as they are until then.",
            )
        return cls(parts)


def _find_candidates(connection: duckdb.DuckDBPyConnection, tastes: Tastes, shared: Tables) -> pa.Table:
    tongues = connection.table("tongues").to_arrow_table()
    connection.register("promising", find_promising(tastes, shared["topical"], tongues, **PROMISING))
    return run(connection, "candidates", **CANDIDATES)
