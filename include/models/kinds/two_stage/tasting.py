"""Topics of articles and each request's tastes for topics and publishers, as tables that the queries join.

Belongs here: counting a history by topic and publisher, and applying the taste models. Does not belong here: finding
topics and fitting tastes (`topics.py`, `taste.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.core.contract import ARTICLES
from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.models.kinds.queries import run
from include.models.kinds.two_stage.liked import PUBLISHER_TASTES, TASTES, Tastes
from include.models.kinds.two_stage.regional import Leftover, fit_regional
from include.models.kinds.two_stage.taste import MOST_READERS, Seen, find_tastes, fit_taste
from include.models.kinds.two_stage.topics import ABOUT, count_topics, find_topics, fit_topics
from include.models.threads import one_thread

Parts = dict[str, Any]
Array = NDArray[Any]

HALF_LIFE_DAYS = 30.0
LAST_POSITION = 30
AGES_HOURS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0)
LEFT_AT_ONCE = 0.5  # weight of a read without a time, in a log with times
MOST_PUBLISHERS = 96
TOPIC_SHAPE: Parts = {"most_factors": 12, "most_kinds": 12}
PUBLISHER_SHAPE: Parts = {"most_factors": 4, "most_kinds": 1}
# the queries' results for a log whose articles have no text
NOTHING = {
    "topics": pa.schema([*(ARTICLES.columns.field(name) for name in ABOUT), ("topic", pa.int32())]).empty_table(),
    "age_rates": pa.schema([("from_hours", pa.float64()), ("lift", pa.float64())]).empty_table(),
    "usual_languages": pa.schema([("region", pa.string()), ("language", pa.string())]).empty_table(),
    "tastes": TASTES.empty_table(),
    "publisher_tastes": PUBLISHER_TASTES.empty_table(),
}


@dataclass(frozen=True)
class History:
    """Articles that readers saw or found, a row per request (`row`) and article: the columns of `seen_and_read.sql`,
    with publishers and languages (-1: any other) as numbers."""

    row: Array
    article_id: Array
    topic: Array
    publisher: Array
    tongue: Array
    age_days: Array
    odds: Array
    opened: Array
    stay: Array


def learn_tastes(scenes: Scenes, seed: int) -> Parts:
    """Learn topics and tastes from each reader's history up to the last moment; empty without article texts."""
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
            "languages": sorted(set(about.column("language").drop_null().to_pylist())),
        }
        tongue, publisher = (
            _number(about, "language", parts["languages"]),
            _number(about, "publisher", parts["publishers"]),
        )
        topic = about.column("topic").to_numpy()
        parts["topic_shares"] = _shares(tongue, len(parts["languages"]), topic, count_topics(topics))
        parts["publisher_shares"] = _shares(tongue, len(parts["languages"]), publisher, len(parts["publishers"]))
        history, ticked = _recall(connection, parts, readers), _ticked(parts, readers)
        if not history.opened.any():
            return {}
        # the correlation of tastes is learnt from all rows equally: with lower weights, older rows would look like mere
        # chance
        topical = _by_topic(parts, history, ticked, np.ones(len(history.row)))
        parts["taste"] = fit_taste(topical, seed, **TOPIC_SHAPE)
        taste, _ = find_tastes(parts["taste"], topical)
        own = taste[history.row, history.topic]
        if len(parts["publishers"]) > 1:
            rest = _by_publisher(parts, history, taste, ticked, topical.weight)
            parts["publisher_taste"] = fit_taste(rest, seed, **PUBLISHER_SHAPE, stay=_left_of_stay(parts["taste"]))
            own = own + _of_publishers(find_tastes(parts["publisher_taste"], rest)[0], history)
        parts["regional"] = fit_regional(_met(scenes), _left_over(history, readers, own))
        return parts


def tastes_of(connection: duckdb.DuckDBPyConnection, parts: Parts, scenes: Scenes) -> Tastes:
    """Return the tastes of each request's reader; `connection` has the scenes and the topics."""
    order = [("list_at", "ascending"), ("reader_id", "ascending")]
    asked = scenes.readers.select(["reader_id", "list_at", "interests"]).sort_by(order)
    empty = np.zeros((asked.num_rows, 0), np.float32)
    publishers, of_publishers = pa.array([], pa.string()), (empty, empty)
    if not parts or not asked.num_rows:
        return Tastes(asked, empty, empty, publishers, *of_publishers)
    with one_thread():
        connection.register("position_rates", pa.table(parts["position_rates"]))
        history, ticked = _recall(connection, parts, asked), _ticked(parts, asked)
        weight = 0.5 ** (history.age_days / HALF_LIFE_DAYS)
        taste, spread = find_tastes(parts["taste"], _by_topic(parts, history, ticked, weight))
        if "publisher_taste" in parts:
            publishers = pa.array(parts["publishers"], pa.string())
            rest = _by_publisher(parts, history, taste, ticked, weight)
            of_publishers = _narrow(*find_tastes(parts["publisher_taste"], rest))
    return Tastes(asked, *_narrow(taste, spread), publishers, *of_publishers)


def _narrow(taste: Array, spread: Array) -> tuple[Array, Array]:
    return taste.astype(np.float32), spread.astype(np.float32)


def list_met(scenes: Scenes) -> pa.Array:
    """Return the ids of the articles that are live, were read or were shown."""
    ids = [table.column("article_id") for table in (scenes.articles, scenes.reads, scenes.shown)]
    return pc.unique(pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.int64()))


def _met(scenes: Scenes) -> pa.Table:
    """Return the articles that are live, were read or were shown, in order of their ids."""
    is_met = pc.is_in(scenes.catalogue.column("article_id"), list_met(scenes))
    return scenes.catalogue.filter(is_met).sort_by("article_id")


def _recall(connection: duckdb.DuckDBPyConnection, parts: Parts, asked: pa.Table) -> History:
    rows = pa.array(np.arange(asked.num_rows))
    connection.register("asked", asked.select(["reader_id", "list_at"]).append_column("row_no", rows))
    connection.register("age_rates", pa.table(parts["age_rates"]))
    found = run(
        connection,
        "seen_and_read",
        last_position=LAST_POSITION,
        usual_stay=parts["stay"]["stay"],
        usual_words=parts["stay"]["words"],
        unknown_gain=LEFT_AT_ONCE if parts["stay"]["is_known"] else 1.0,
    )
    row, article_id, topic, *rest = (
        found.column(name).to_numpy()
        for name in ("row_no", "article_id", "topic", "age_days", "odds", "opened", "stay")
    )
    publisher, tongue = (_number(found, name, parts[f"{name}s"]) for name in ("publisher", "language"))
    return History(row, article_id, topic, publisher, tongue, *rest)


def _number(table: pa.Table, name: str, known: list[str]) -> Array:
    """Return the place of each row's word among the known; -1 for any other."""
    return np.asarray(pc.fill_null(pc.index_in(table.column(name), pa.array(known, pa.string())), -1).to_numpy())


def _shares(tongue: Array, tongues: int, subject: Array, subjects: int) -> Array:
    """Return how common each subject is among the articles of each language; in the last row, among all."""
    found = np.full((tongues + 1, subjects), 0.1)
    known = subject >= 0
    np.add.at(found, (tongue[known], subject[known]), 1.0)
    found[-1] = found.sum(axis=0)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _by_topic(parts: Parts, history: History, ticked: Array, weight: Array) -> Seen:
    return _see(history, history.topic, weight, history.odds, history.stay, parts["topic_shares"], ticked)


def _by_publisher(parts: Parts, history: History, taste: Array, ticked: Array, weight: Array) -> Seen:
    """Return the history by publisher, with the reader's taste for topics already in the expected rates."""
    own = taste[history.row, history.topic]
    level, slope, _ = parts["taste"]["stay"]
    stay = history.stay - level - slope * own
    return _see(history, history.publisher, weight, history.odds + own, stay, parts["publisher_shares"], ticked)


def _of_publishers(taste: Array, history: History) -> Array:
    """Return each reader's taste for the row's publisher; 0 for publishers without a number."""
    return np.column_stack([taste, np.zeros(len(taste))])[history.row, history.publisher]


def _left_over(history: History, readers: pa.Table, own: Array) -> Leftover:
    """Return what position, age and the reader's `own` taste leave unexplained."""
    shown = ~np.isnan(history.odds)
    row, chance = history.row[shown], expit(history.odds[shown] + own[shown])
    region = np.array(readers.column("region").to_pylist(), dtype=object)[row]
    return Leftover(history.article_id[shown], region, history.opened[shown] - chance, chance * (1 - chance))


def _left_of_stay(taste: Parts) -> Array:
    """Return how stays follow tastes for publishers: as they follow tastes for topics."""
    return np.array([0.0, *taste["stay"][1:]])


def _see(
    history: History, subject: Array, weight: Array, odds: Array, stay: Array, shares: Array, ticked: Array
) -> Seen:
    known = subject >= 0
    unseen = known & np.isnan(odds)
    found = np.zeros((len(ticked), shares.shape[1]))
    np.add.at(found, (history.row[unseen], subject[unseen]), (weight * history.opened)[unseen])
    # found articles were chosen among those in the reader's most frequent language
    met = np.zeros((len(ticked), len(shares)))
    np.add.at(met, (history.row, history.tongue), 1)
    met[:, -1] = 0.5
    pool = shares[met.argmax(axis=1)]
    row, subject, weight, odds, opened, stay = (
        column[known] for column in (history.row, subject, weight, odds, history.opened, stay)
    )
    return Seen(row, subject, weight, odds, opened, stay, found, pool, ticked)


def _ticked(parts: Parts, asked: pa.Table) -> Array:
    """Return a column for each interest: 1 where it was ticked."""
    known = np.zeros((asked.num_rows, len(parts["interests"])))
    ticked = asked.column("interests").combine_chunks()
    names = pc.index_in(pc.list_flatten(ticked), pa.array(parts["interests"], pa.string()))
    rows = pc.list_parent_indices(ticked)
    is_known = names.is_valid()
    known[rows.filter(is_known).to_numpy(), names.filter(is_known).to_numpy()] = 1
    return known


def _arrays(table: pa.Table) -> dict[str, Array]:
    return {name: table.column(name).to_numpy() for name in table.column_names}
