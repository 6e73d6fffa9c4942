"""What topics articles are about and how each request's reader likes these, as tables that the queries join.

Belongs here: counting a history by topic and asking the taste model. Does not belong here: how topics or tastes are
found (`topics.py`, `taste.py`).
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.features import Scenes
from include.models.scene_tables import open_tables, run
from include.models.two_stage.taste import MOST_READERS, Counts, find_tastes, fit_taste
from include.models.two_stage.topics import count_topics, find_topics, fit_topics

Parts = dict[str, Any]
Numbers = NDArray[np.float64]

HALF_LIFE_DAYS = 14.0
LAST_POSITION = 30
LEFT_AT_ONCE = 0.3  # what a read counts that took no time worth noting, in a log that notes times
NO_TOPICS = pa.schema([("article_id", pa.int64()), ("word_count", pa.int32()), ("topic", pa.int32())]).empty_table()
TASTES = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("list_at", pa.timestamp("us", tz="UTC")),
        ("topic", pa.int32()),
        ("taste", pa.float32()),
        ("taste_spread", pa.float32()),
    ]
)
NO_TASTES = TASTES.empty_table()


def learn_tastes(scenes: Scenes, seed: int) -> Parts:
    """Topics and tastes, from each reader's history up to the last moment; empty when articles say nothing."""
    with threadpool_limits(1), open_tables(scenes) as connection:  # sums on several threads differ a little each time
        topics = fit_topics(_met(scenes), seed)
        if not topics:
            return {}
        until = pc.max(scenes.requests.column("list_at")).as_py()
        rates = run(connection, "position_rates", until=until, last_position=LAST_POSITION)
        readers = run(connection, "last_requests", most_readers=MOST_READERS, seed=seed)
        parts: Parts = {
            "topics": topics,
            "stay": run(connection, "usual_stay", until=until).to_pylist()[0],
            "rates": {name: rates.column(name).to_numpy() for name in ("position", "rate")},
            "interests": sorted(set(pc.list_flatten(readers.column("interests")).drop_null().to_pylist())),
        }
        connection.register("topics", find_topics(topics, _met(scenes)))
        gains, chances, unseen = _tally(connection, parts, readers)
        if not gains.any():
            return {}
        parts["shares"] = gains.sum(axis=0) / gains.sum()
        parts["taste"] = fit_taste(Counts(gains, chances + unseen * parts["shares"], _beforehand(parts, readers)))
        return parts


def topics_of(parts: Parts, scenes: Scenes) -> pa.Table:
    """article_id, topic and word_count of everything that is live or was met."""
    return find_topics(parts["topics"], _met(scenes)) if parts else NO_TOPICS


def tastes_of(connection: duckdb.DuckDBPyConnection, parts: Parts, scenes: Scenes) -> pa.Table:
    """A row per request and topic; `connection` knows the scenes and the topics."""
    if not parts or not scenes.requests.num_rows:
        return NO_TASTES
    order = [("list_at", "ascending"), ("reader_id", "ascending")]
    asked = scenes.readers.select(["reader_id", "list_at", "interests"]).sort_by(order)
    with threadpool_limits(1):
        gains, chances, unseen = _tally(connection, parts, asked)
        counts = Counts(gains, chances + unseen * parts["shares"], _beforehand(parts, asked))
        taste, spread = find_tastes(parts["taste"], counts)
    topics = taste.shape[1]
    return pa.table(
        [
            asked.column("reader_id").take(pa.array(np.repeat(np.arange(len(taste)), topics))),
            asked.column("list_at").take(pa.array(np.repeat(np.arange(len(taste)), topics))),
            pa.array(np.tile(np.arange(topics, dtype=np.int32), len(taste))),
            pa.array(taste.astype(np.float32).reshape(-1)),
            pa.array(spread.astype(np.float32).reshape(-1)),
        ],
        schema=TASTES,
    )


def _met(scenes: Scenes) -> pa.Table:
    """The articles that are live, were read or were shown, in order of their ids."""
    ids = [table.column("article_id") for table in (scenes.articles, scenes.reads, scenes.shown)]
    met = pc.unique(pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.int64()))
    return scenes.catalogue.filter(pc.is_in(scenes.catalogue.column("article_id"), met)).sort_by("article_id")


def _tally(connection: duckdb.DuckDBPyConnection, parts: Parts, asked: pa.Table) -> tuple[Numbers, Numbers, Numbers]:
    """Per request and topic what was read and what might have been; and per request how much was read unseen."""
    rows = pa.array(np.arange(asked.num_rows))
    connection.register("asked", asked.select(["reader_id", "list_at"]).append_column("row_no", rows))
    connection.register("position_rates", pa.table(parts["rates"]))
    found = run(
        connection,
        "taste_counts",
        half_life_days=HALF_LIFE_DAYS,
        last_position=LAST_POSITION,
        usual_stay=parts["stay"]["stay"],
        usual_words=parts["stay"]["words"],
        unknown_gain=LEFT_AT_ONCE if parts["stay"]["is_known"] else 1.0,
    )
    row, topic, gain, chance = (found.column(name).to_numpy() for name in ("row_no", "topic", "gain", "chance"))
    shape = (asked.num_rows, count_topics(parts["topics"]) + 1)
    gains, chances = np.zeros(shape), np.zeros(shape)
    gains[row, topic], chances[row, topic] = gain, chance  # topic -1 is the last column
    return gains[:, :-1], chances[:, :-1], chances[:, -1:]


def _beforehand(parts: Parts, asked: pa.Table) -> Numbers:
    """A constant, and one for each interest that was ticked."""
    known = np.zeros((asked.num_rows, 1 + len(parts["interests"])))
    known[:, 0] = 1
    ticked = asked.column("interests").combine_chunks()
    names = pc.index_in(pc.list_flatten(ticked), pa.array(parts["interests"], pa.string()))
    rows = pc.list_parent_indices(ticked)
    is_known = names.is_valid()
    known[rows.filter(is_known).to_numpy(), 1 + names.filter(is_known).to_numpy()] = 1
    return known
