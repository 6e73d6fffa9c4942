"""Make the questions of a moment: the scenes a model sees, and the answers it is judged by or learns from.

In `lists` mode a question is a reader who came in the step after the moment. In `next-read` mode it is a session: its
earlier reads are given, and the last one is the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from include.adapters import duck
from include.core.contract import MOMENT
from include.core.settings import Settings
from include.features.build import (
    counting,
    describe,
    describe_outcomes,
    describe_part,
    describe_readers,
    describe_world,
)
from include.features.scenes import Scenes, make_scenes
from include.judging.backtest.ground import Ground, first_reads
from include.judging.backtest.plan import EVERYBODY, Plan

FEWEST_MOMENTS = 16  # to learn from in next-read mode, if available


@dataclass(frozen=True)
class Question:
    """The questions and answers of one step; models see only the scenes. `who` gives the reader behind each request.

    `answers` are the reads that follow: reader_id and list_at of the request, article_id, seconds.
    """

    scenes: Scenes
    catalogue: pa.Table
    who: pa.Table
    answers: pa.Table
    live: pa.Table


@dataclass(frozen=True)
class Lesson:
    """The scenes and outcomes that a model is fitted on."""

    scenes: Scenes
    outcomes: pa.Table


def make_question(settings: Settings, plan: Plan, ground: Ground, step: datetime) -> Question:
    """Return the questions of a step and their answers."""
    parameters = {**counting(settings), **_asking(settings, plan, plan.sample), "moment": step}
    happened = ground.happened_around(step, plan.every)
    who = _who_comes(ground, step, plan, parameters)
    with ground.known_before(step, timedelta(days=settings.lookback_days), who) as connection:
        connection.register("moments", _moments([step]))
        connection.register("first_reads", ground.first_reads)
        connection.register("session_source", happened)
        live = _query(connection, "live_articles", parameters)
        if plan.mode == "lists":
            requests = who.select(["reader_id", "list_at"])
            connection.register("requests", requests)
            answers = _query(connection, "list_answers", parameters)
            tables = describe(connection, [step], requests, counting(settings))
            return Question(make_scenes(tables), tables["articles"], who, answers, live)
        asked = _name_sessions(connection, who)
        world = describe_world(connection, [step], counting(settings))
        scenes, _ = _session_scenes(connection, asked, world, parameters, with_answers=False)
        answers = asked.select(["reader_id", "list_at", "article_id"])
        answers = answers.append_column("seconds", pa.nulls(answers.num_rows, pa.float64()))
        return Question(scenes, world["articles"], asked.select(["reader_id", "list_at", "who_id"]), answers, live)


def _who_comes(ground: Ground, step: datetime, plan: Plan, parameters: Mapping[str, Any]) -> pa.Table:
    """Return the readers, or the sessions, of a step; `who_id` is the reader behind each."""
    with duck.borrow() as connection:
        connection.register("moments", _moments([step]))
        connection.register("first_reads", ground.first_reads)
        if plan.mode == "next-read":
            return _query(connection, "asked_sessions", parameters)
        requests = _query(connection, "asked_readers", parameters)
    return requests.append_column("who_id", requests.column("reader_id"))


def teach(settings: Settings, plan: Plan, ground: Ground, moment: datetime) -> Lesson:
    """Return what a model fitted at the moment may learn from: earlier questions with the answers known by then."""
    moments = _lesson_moments(settings, plan, moment)
    with ground.known_before(moment, plan.train_window) as connection:
        if plan.mode == "lists":
            tables = describe(connection, moments, "training", counting(settings))
            return Lesson(make_scenes(tables), tables["outcomes"])
        connection.register("first_reads", first_reads(connection))
        connection.register("session_source", connection.table("reading_events"))
        moments = _enough(connection, {**counting(settings), **_asking(settings, plan, 0)}, moments, plan.train_sample)
        parameters = {**counting(settings), **_asking(settings, plan, -(-plan.train_sample // len(moments)))}
        connection.register("moments", _moments(moments))
        asked = _name_sessions(connection, _query(connection, "asked_sessions", parameters))
        world = describe_world(connection, moments, counting(settings))
        scenes, outcomes = _session_scenes(connection, asked, world, parameters, with_answers=True)
        return Lesson(scenes, outcomes)


def _lesson_moments(settings: Settings, plan: Plan, moment: datetime) -> list[datetime]:
    """Return the list times of the last training days; the first day of the window serves only as history."""
    step = timedelta(hours=settings.list_step_hours)
    length = min(timedelta(days=settings.train_days), max(plan.train_window - timedelta(days=1), plan.train_window / 2))
    return [moment - step * back for back in range(max(1, length // step), 0, -1)]


def _enough(
    connection: duckdb.DuckDBPyConnection, parameters: Mapping[str, Any], moments: list[datetime], wanted: int
) -> list[datetime]:
    """Return as few moments, evenly spread, as hold half the wanted questions, because describing each takes time."""
    connection.register("moments", _moments(moments))
    counts = Counter(_query(connection, "asked_sessions", parameters).column("list_at").to_pylist())
    enough = moments
    for stride in range(2, len(moments) // FEWEST_MOMENTS + 1):
        fewer = moments[::-1][::stride][::-1]
        if wanted and sum(min(counts[moment], wanted // len(fewer)) for moment in fewer) >= wanted / 2:
            enough = fewer
    return enough


def _asking(settings: Settings, plan: Plan, sample: int) -> dict[str, Any]:
    return {"every": plan.every, "seed": settings.seed, "sample": sample or EVERYBODY}


def _name_sessions(connection: duckdb.DuckDBPyConnection, asked: pa.Table) -> pa.Table:
    """Give each asked session its own id, below zero to avoid clashes with reader ids."""
    ids = pa.array(-1 - np.arange(asked.num_rows), pa.int64())
    asked = asked.append_column("reader_id", ids)
    connection.register("asked", asked)
    return asked


def _session_scenes(
    connection: duckdb.DuckDBPyConnection,
    asked: pa.Table,
    world: Mapping[str, pa.Table],
    parameters: Mapping[str, Any],
    *,
    with_answers: bool,
) -> tuple[Scenes, pa.Table]:
    """Return the scenes of sessions in a world and their outcomes, by the same queries that describe readers."""
    keys = [("list_at", "ascending"), ("reader_id", "ascending")]
    requests = asked.select(["reader_id", "list_at"]).sort_by(keys)
    events = _query(connection, "session_events", {**parameters, "with_answers": with_answers})
    subscribers = _query(connection, "session_readers", parameters)
    with duck.connect() as sessions:
        for name, table in (
            ("reading_events", events),
            ("subscribers", subscribers),
            ("articles", world["articles"]),
            ("moments", world["moments"]),
        ):
            sessions.register(name, table)
        reads = describe_part(sessions, "reads", parameters)
        outcomes = describe_outcomes(sessions, world["moments"].column("list_at").to_pylist(), parameters)
        described = describe_readers(sessions, requests, parameters)
    outcomes = outcomes.join(
        asked.select(["reader_id", "list_at", "article_id"]),
        ["reader_id", "list_at", "article_id"],
        join_type="left semi",
    )
    # the question is which article comes next, not how long it is read, so all answers have the same weight
    seconds = outcomes.schema.get_field_index("read_seconds")
    outcomes = outcomes.set_column(seconds, "read_seconds", pa.nulls(outcomes.num_rows, pa.float64()))
    tables = {**world, **described, "requests": requests, "reads": reads, "all_reads": world["reads"]}
    return make_scenes(tables), outcomes.sort_by([*keys, ("article_id", "ascending")])


def _moments(moments: Sequence[datetime]) -> pa.Table:
    return pa.table({"list_at": pa.array(moments, MOMENT)})


def _query(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, Any]) -> pa.Table:
    return duck.fetch(connection, duck.query(f"judging/backtest/{name}"), parameters)
