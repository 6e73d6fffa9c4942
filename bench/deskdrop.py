"""Check our models outside the demo world, by the published protocol of an open data set, beside SVD-15.

It measures no time and is not in the catalogue, because we may not ship the data set. Run `make bench ONLY=deskdrop
DATA=…` with `users_interactions.csv` (or its .zip) in that folder. The split is random and 100 sampled articles flatter
every model, so compare models with each other and ignore the level. See `docs/bench.md`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds
from sklearn.model_selection import train_test_split

from bench.installation import Say
from include.adapters import duck
from include.core.contract import MOMENT, TABLES
from include.core.errors import SettingsError
from include.core.settings import Settings
from include.features.build import counting, describe
from include.features.scenes import make_scenes
from include.models import MODELS, model_class

STRENGTH = {"VIEW": 1.0, "LIKE": 2.0, "BOOKMARK": 2.5, "FOLLOW": 3.0, "COMMENT CREATED": 4.0}
PUBLISHED = {"popularity (published)": (0.242, 0.373), "SVD-15 (published)": (0.334, 0.468)}
PUBLISHED |= {"hybrid (published)": (0.3405, 0.4790)}
NEGATIVES = 100
LEARN_SHARE = 0.25  # share of the training pairs that a model learns to find
SEEN_BESIDE = 10  # articles shown but not opened for each of them
ASKED_AT = datetime(2025, 1, 1, 12, tzinfo=UTC)
SPREAD = timedelta(hours=2)  # the set's year becomes the last hours, in order, because the protocol ignores time


@dataclass(frozen=True)
class Protocol:
    """Pairs of (person, article) by number with their strength; test articles with those they are ranked against."""

    train: pd.DataFrame
    test: pd.DataFrame
    against: list[np.ndarray[Any, Any]]
    people: int
    articles: int


def read_protocol(folder: Path) -> Protocol:
    """Return the published split of the data set in a folder."""
    found = sorted(folder.glob("users_interactions.csv*"))
    if not found:
        raise SettingsError(f"{folder} holds no users_interactions.csv.", hint="give DATA=folder of the data set.")
    events = pd.read_csv(found[0])
    events["strength"] = events["eventType"].map(STRENGTH)
    pairs = events.groupby(["personId", "contentId"], as_index=False).agg(
        strength=("strength", "sum"), at=("timestamp", "max")
    )
    pairs = pairs[pairs.groupby("personId")["contentId"].transform("size") >= 5].sort_values(["personId", "contentId"])
    pairs["strength"] = np.log2(1 + pairs["strength"])
    pairs["person"], _ = pd.factorize(pairs["personId"])
    pairs["article"], contents = pd.factorize(pairs["contentId"], sort=True)
    train, test = train_test_split(pairs, stratify=pairs["personId"], test_size=0.2, random_state=42)
    touched = pairs.groupby("person")["article"].agg(set)
    everything = set(range(len(contents)))
    untouched = {person: sorted(everything - own) for person, own in touched.items()}
    against = []
    for person, article in zip(test["person"], test["article"], strict=True):
        draw = random.Random(int(contents[article]) % 2**32)  # noqa: S311 the protocol's own draw
        against.append(np.array(draw.sample(untouched[person], NEGATIVES)))
    return Protocol(train, test, against, int(pairs["person"].max()) + 1, len(contents))


def recall(protocol: Protocol, scores: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return Recall@5 and @10 of scores, people by articles. Among equal scores the test article counts as last."""
    people, articles = protocol.test["person"].to_numpy(), protocol.test["article"].to_numpy()
    place = np.array(
        [
            1 + int((scores[person, others] >= scores[person, article]).sum())
            for person, article, others in zip(people, articles, protocol.against, strict=True)
        ]
    )
    return float((place <= 5).mean()), float((place <= 10).mean())


def score_svd(protocol: Protocol, factors: int = 15) -> np.ndarray[Any, Any]:
    """Return the scores of a plain matrix factorisation, the protocol's strongest simple model."""
    train = protocol.train
    matrix = csr_matrix(
        (train["strength"], (train["person"], train["article"])), shape=(protocol.people, protocol.articles)
    )
    left, middle, right = svds(matrix, k=factors, v0=np.ones(min(matrix.shape)))
    return np.asarray(left * middle @ right)


def score_model(protocol: Protocol, name: str, settings: Settings) -> np.ndarray[Any, Any]:
    """Return the scores of one of our models, which ranks given candidates.

    It learns to find some of the training pairs given the others, and then ranks given all of them.
    """
    rest, kept = train_test_split(protocol.train, test_size=LEARN_SHARE, random_state=settings.seed)
    lesson = _describe(protocol, settings, rest, kept)
    model = model_class(name)()
    model.fit(make_scenes(lesson), lesson["outcomes"], seed=settings.seed)
    asked = _requests(protocol.test["person"].unique())
    people = np.repeat(protocol.test["person"].to_numpy(), NEGATIVES + 1)
    articles = np.column_stack([protocol.test["article"].to_numpy(), np.array(protocol.against)]).reshape(-1)
    wanted = pd.DataFrame({"reader_id": people, "article_id": articles}).drop_duplicates()
    candidates = pa.Table.from_pandas(wanted + 1, preserve_index=False)
    candidates = candidates.append_column("list_at", pa.array([ASKED_AT] * len(wanted), MOMENT))
    scenes = make_scenes(_describe(protocol, settings, protocol.train, None, asked))
    ranked = model.rank(scenes, protocol.articles, candidates)
    scores = np.full((protocol.people, protocol.articles), -np.inf)
    places = [pc.subtract(ranked.column(column), 1).to_numpy() for column in ("reader_id", "article_id")]
    scores[places[0], places[1]] = -ranked.column("rank").to_numpy().astype(float)
    return scores


def _requests(people: Any) -> pa.Table:
    ids = pa.array(np.sort(np.asarray(people)) + 1, pa.int64())
    return pa.table({"reader_id": ids, "list_at": pa.array([ASKED_AT] * len(ids), MOMENT)})


def _describe(
    protocol: Protocol, settings: Settings, read: pd.DataFrame, kept: pd.DataFrame | None, asked: pa.Table | None = None
) -> dict[str, pa.Table]:
    """Return the tables of a moment: reads before it, and the kept pairs after it among other articles shown."""
    order = read["at"].rank(method="first").to_numpy()
    before = int(ASKED_AT.timestamp() * 1e6) - ((1 - order / (len(read) + 1)) * SPREAD.total_seconds() * 1e6).astype(
        int
    )
    parts = [_events(read, before, "click")]
    if kept is not None:
        after = np.full(len(kept), int(ASKED_AT.timestamp() * 1e6) + 60_000_000)
        parts += [_events(kept, after, "impression"), _events(kept, after, "click")]
        seen = kept.loc[kept.index.repeat(SEEN_BESIDE)].copy()
        seen["article"] = np.random.default_rng(settings.seed).integers(0, protocol.articles, len(seen))
        own = set(zip(protocol.train["person"], protocol.train["article"], strict=True))
        seen = seen[[pair not in own for pair in zip(seen["person"], seen["article"], strict=True)]]
        parts.append(_events(seen, np.full(len(seen), after[0]), "impression"))
    with duck.connect() as connection:
        connection.register("reading_events", pa.concat_tables(parts))
        for table, key, count in (
            (TABLES[0], "reader_id", protocol.people),
            (TABLES[1], "article_id", protocol.articles),
        ):
            connection.register(table.name, _known(table.columns, key, count))
        wide = {**counting(settings), "article_max_age_hours": 24 * 365}
        return describe(connection, [ASKED_AT], "training" if asked is None else asked, wide)


def _events(pairs: pd.DataFrame, at: np.ndarray[Any, Any], kind: str) -> pa.Table:
    moments = pa.array(at).cast(MOMENT)
    known = {
        "event_id": np.arange(len(pairs)),
        "reader_id": pairs["person"].to_numpy() + 1,
        "article_id": pairs["article"].to_numpy() + 1,
        "kind": [kind] * len(pairs),
        "occurred_at": moments,
        "ingested_at": moments,
    }
    return _filled(TABLES[2].columns, known, len(pairs))


def _known(columns: pa.Schema, key: str, count: int) -> pa.Table:
    """Return rows that have only an id and have always existed."""
    long_ago = pa.array([ASKED_AT - timedelta(days=30)] * count, MOMENT)
    times = ("signed_up_at", "published_at", "ingested_at", "updated_at")
    known = {key: np.arange(count) + 1, "is_flagged": np.zeros(count, bool), **dict.fromkeys(times, long_ago)}
    return _filled(columns, known, count)


def _filled(columns: pa.Schema, known: dict[str, Any], rows: int) -> pa.Table:
    return pa.table(
        [pa.array(known[c.name]).cast(c.type) if c.name in known else pa.nulls(rows, c.type) for c in columns],
        schema=columns,
    )


def compare(folder: Path, settings: Settings, say: Say) -> str:
    """Return the table of Recall@5 and Recall@10, with published figures last."""
    protocol = read_protocol(folder)
    rows = {"SVD-15 (here)": recall(protocol, score_svd(protocol))}
    for name in MODELS:
        say(f"deskdrop: {name}")
        rows[name] = recall(protocol, score_model(protocol, name, settings))
    lines = [f"{'model':<24} Recall@5  Recall@10"]
    lines += [f"{name:<24} {five:8.4f}  {ten:9.4f}" for name, (five, ten) in {**rows, **PUBLISHED}.items()]
    return "\n".join([f"{len(protocol.train):,} train pairs, {len(protocol.test):,} test pairs", *lines])
