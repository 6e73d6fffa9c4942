"""What articles are about and how each request's reader likes topics and publishers, as tables that the queries join.

Belongs here: counting a history by topic and publisher, and asking the taste models. Does not belong here: how topics
or tastes are found (`topics.py`, `taste.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.contract import ARTICLES
from include.features import Scenes
from include.models.scene_tables import open_tables, run
from include.models.two_stage.liked import PUBLISHER_TASTES, TASTES, Tastes
from include.models.two_stage.taste import MOST_READERS, Counts, find_tastes, fit_taste
from include.models.two_stage.topics import ABOUT, count_topics, find_topics, fit_topics

Parts = dict[str, Any]
Array = NDArray[Any]

HALF_LIFE_DAYS = 14.0
LAST_POSITION = 30
AGES_HOURS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0)
LEFT_AT_ONCE = 0.3  # what a read counts that took no time worth noting, in a log that notes times
MOST_PUBLISHERS = 96
TOPIC_SHAPE = {"most_factors": 12, "most_kinds": 12}
PUBLISHER_SHAPE = {"most_factors": 4, "most_kinds": 1}
# what the queries find of a log whose articles say nothing
NOTHING = {
    "topics": pa.schema([*(ARTICLES.columns.field(name) for name in ABOUT), ("topic", pa.int32())]).empty_table(),
    "age_rates": pa.schema([("from_hours", pa.float64()), ("lift", pa.float64())]).empty_table(),
    "usual_languages": pa.schema([("region", pa.string()), ("language", pa.string())]).empty_table(),
    "tastes": TASTES.empty_table(),
    "publisher_tastes": PUBLISHER_TASTES.empty_table(),
}


@dataclass(frozen=True)
class Tally:
    """What was read (`gain`) and what the crowd would have read (`chance`) by request, topic and publisher (-1 is any
    other); and per request, how much was read unseen."""

    row: Array
    topic: Array
    publisher: Array
    gain: Array
    chance: Array
    unseen: Array


def learn_tastes(scenes: Scenes, seed: int) -> Parts:
    """Topics and tastes, from each reader's history up to the last moment; empty when articles say nothing."""
    with threadpool_limits(1), open_tables(scenes) as connection:  # sums on several threads differ a little each time
        topics = fit_topics(_met(scenes), seed)
        if not topics:
            return {}
        until = pc.max(scenes.requests.column("list_at")).as_py()
        limits = {"until": until, "last_position": LAST_POSITION}
        about = find_topics(topics, _met(scenes))
        connection.register("topics", about)
        connection.register("ages", pa.table({"from_hours": AGES_HOURS, "to_hours": (*AGES_HOURS[1:], np.inf)}))
        connection.register("position_rates", positions := run(connection, "position_rates", **limits))
        readers = run(connection, "last_requests", most_readers=MOST_READERS, seed=seed)
        named = pc.value_counts(about.column("publisher").drop_null()).to_pylist()
        named.sort(key=lambda count: (-count["counts"], count["values"]))
        parts: Parts = {
            "topics": topics,
            "stay": run(connection, "usual_stay", until=until).to_pylist()[0],
            "position_rates": _arrays(positions),
            "age_rates": _arrays(run(connection, "age_rates", **limits)),
            "usual_languages": run(connection, "usual_languages").to_pydict(),
            "interests": sorted(set(pc.list_flatten(readers.column("interests")).drop_null().to_pylist())),
            "publishers": sorted(count["values"] for count in named[:MOST_PUBLISHERS]),
        }
        tally = _tally(connection, parts, readers)
        ticked = _ticked(parts, readers)
        if not tally.gain.any():
            return {}
        topical = _count_topics(parts, tally, ticked)
        parts["taste"] = fit_taste(topical, seed, **TOPIC_SHAPE)
        if len(parts["publishers"]) > 1:
            taste, _ = find_tastes(parts["taste"], topical)
            parts["publisher_taste"] = fit_taste(
                _count_publishers(parts, tally, taste, ticked), seed, **PUBLISHER_SHAPE
            )
        return parts


def tastes_of(connection: duckdb.DuckDBPyConnection, parts: Parts, scenes: Scenes) -> Tastes:
    """The tastes of the reader of each request; `connection` knows the scenes and the topics."""
    order = [("list_at", "ascending"), ("reader_id", "ascending")]
    asked = scenes.readers.select(["reader_id", "list_at", "interests"]).sort_by(order)
    nobody = np.zeros((asked.num_rows, 0), np.float32)
    publishers, of_publishers = pa.array([], pa.string()), (nobody, nobody)
    if not parts or not asked.num_rows:
        return Tastes(asked, nobody, nobody, publishers, *of_publishers)
    with threadpool_limits(1):
        connection.register("position_rates", pa.table(parts["position_rates"]))
        tally, ticked = _tally(connection, parts, asked), _ticked(parts, asked)
        taste, spread = find_tastes(parts["taste"], _count_topics(parts, tally, ticked))
        if "publisher_taste" in parts:
            counts = _count_publishers(parts, tally, taste, ticked)
            publishers = pa.array(parts["publishers"], pa.string())
            of_publishers = _narrow(*find_tastes(parts["publisher_taste"], counts))
    return Tastes(asked, *_narrow(taste, spread), publishers, *of_publishers)


def _narrow(taste: Array, spread: Array) -> tuple[Array, Array]:
    return taste.astype(np.float32), spread.astype(np.float32)


def list_met(scenes: Scenes) -> pa.Array:
    """The ids of the articles that are live, were read or were shown."""
    ids = [table.column("article_id") for table in (scenes.articles, scenes.reads, scenes.shown)]
    return pc.unique(pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.int64()))


def _met(scenes: Scenes) -> pa.Table:
    """The articles that are live, were read or were shown, in order of their ids."""
    is_met = pc.is_in(scenes.catalogue.column("article_id"), list_met(scenes))
    return scenes.catalogue.filter(is_met).sort_by("article_id")


def _tally(connection: duckdb.DuckDBPyConnection, parts: Parts, asked: pa.Table) -> Tally:
    rows = pa.array(np.arange(asked.num_rows))
    connection.register("asked", asked.select(["reader_id", "list_at"]).append_column("row_no", rows))
    connection.register("age_rates", pa.table(parts["age_rates"]))
    found = run(
        connection,
        "taste_counts",
        half_life_days=HALF_LIFE_DAYS,
        last_position=LAST_POSITION,
        usual_stay=parts["stay"]["stay"],
        usual_words=parts["stay"]["words"],
        unknown_gain=LEFT_AT_ONCE if parts["stay"]["is_known"] else 1.0,
    )
    publisher = pc.fill_null(pc.index_in(found.column("publisher"), pa.array(parts["publishers"], pa.string())), -1)
    row, topic, gain, chance = (found.column(name).to_numpy() for name in ("row_no", "topic", "gain", "chance"))
    is_unseen = topic < 0
    unseen = np.bincount(row[is_unseen], chance[is_unseen], asked.num_rows)
    row, topic, number, gain, chance = (x[~is_unseen] for x in (row, topic, publisher.to_numpy(), gain, chance))
    return Tally(row, topic, number, gain, chance, unseen)


def _count_topics(parts: Parts, tally: Tally, ticked: Array) -> Counts:
    return _count(parts, "topic", count_topics(parts["topics"]), tally, tally.chance, ticked)


def _count_publishers(parts: Parts, tally: Tally, taste: Array, ticked: Array) -> Counts:
    """As much as the reader's taste for topics explains is expected of each publisher."""
    expected = tally.chance * np.exp(taste[tally.row, tally.topic])
    return _count(parts, "publisher", len(parts["publishers"]), tally, expected, ticked)


def _count(parts: Parts, name: str, subjects: int, tally: Tally, expected: Array, ticked: Array) -> Counts:
    """Gains and chances by request and subject; what was read unseen may have been any, as the crowd reads them."""
    gains, chances = np.zeros((len(ticked), subjects)), np.zeros((len(ticked), subjects))
    subject = getattr(tally, name)
    known = subject >= 0
    np.add.at(gains, (tally.row[known], subject[known]), tally.gain[known])
    np.add.at(chances, (tally.row[known], subject[known]), expected[known])
    shares = parts.setdefault(f"{name}_shares", gains.sum(axis=0) / max(gains.sum(), 1e-9))
    return Counts(gains, chances + tally.unseen[:, None] * shares, ticked)


def _ticked(parts: Parts, asked: pa.Table) -> Array:
    """A column for each interest: one where it was ticked."""
    known = np.zeros((asked.num_rows, len(parts["interests"])))
    ticked = asked.column("interests").combine_chunks()
    names = pc.index_in(pc.list_flatten(ticked), pa.array(parts["interests"], pa.string()))
    rows = pc.list_parent_indices(ticked)
    is_known = names.is_valid()
    known[rows.filter(is_known).to_numpy(), names.filter(is_known).to_numpy()] = 1
    return known


def _arrays(table: pa.Table) -> dict[str, Array]:
    return {name: table.column(name).to_numpy() for name in table.column_names}
