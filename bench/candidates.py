"""`candidates`: find the few hundred of all live articles, for each of many readers, that a ranker then orders.

The world is a newsroom of that size, played without a database. The other variants solve a smaller problem: the hundred
best by a product of 64 made-up numbers per reader and article, including read and old ones and any language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench import libraries
from bench.figures import OURS, Figure
from bench.installation import AS_OF, Installation, Say
from bench.measure import Work, in_turns
from bench.played import play_tables
from include.adapters import duck
from include.core.errors import DaybreakError
from include.features.build import counting, describe, list_times
from include.features.scenes import Scenes, make_scenes
from include.models.kinds.two_stage import TwoStage
from include.models.kinds.two_stage.tasting import learn_tastes
from include.operations.demo.newsroom.readers import DAY
from include.operations.demo.newsroom.world import Parameters, World, to_us

DAYS = 3
PLAYED_MORE = (16 / 15, 50 / 48)  # because some readers sign up later and some articles are flagged or late
FACTORS, FOUND, AT_ONCE = 64, 100, 500
SEED = 7


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of the variants in turns, after playing the world and learning tastes."""
    libraries.install(installation.settings.home.parent, say)
    folder = installation.scratch / "candidates"
    if not folder.exists():
        sizes = installation.sizes
        say(f"playing {sizes.readers:,} readers and {sizes.articles:,} live articles, learning tastes")
        scenes = _play(installation)
        folder.mkdir()
        for field in fields(scenes):
            pq.write_table(getattr(scenes, field.name), folder / f"{field.name}.parquet")
        TwoStage({"tastes": learn_tastes(scenes, SEED)}).save(folder)
    return in_turns("candidates", tuple(VARIANTS), installation, repeat, say)


def _play(installation: Installation) -> Scenes:
    """Return the scenes of all readers at one moment, in which all young articles are live, seen or not."""
    readers, articles = installation.sizes.readers, installation.sizes.articles
    played, per_day = round(readers * PLAYED_MORE[0]), round(articles * PLAYED_MORE[1] / DAYS)
    world = World(Parameters(SEED, played, per_day, to_us(AS_OF) - DAYS * DAY))
    parameters = counting(installation.settings) | {"fresh_hours": DAYS * 24}
    with duck.connect() as connection:
        for name, table in play_tables(world, AS_OF).items():
            connection.register(name, table)
        scenes = make_scenes(
            describe(connection, list_times(installation.settings, AS_OF, "scoring"), "scoring", parameters)
        )
    newest = scenes.articles.sort_by([("published_at", "descending"), ("article_id", "ascending")])
    asking = {name: getattr(scenes, name).slice(0, readers) for name in ("requests", "readers")}
    asking["articles"] = newest.slice(0, articles).combine_chunks()
    if (found := (asking["requests"].num_rows, asking["articles"].num_rows)) != (readers, articles):
        raise DaybreakError(f"The world has {found[0]:,} readers and {found[1]:,} live articles.", hint="play more.")
    return replace(scenes, **asking)


def daybreak(installation: Installation) -> Work:
    """Run the default model's first stage."""
    folder = installation.scratch / "candidates"
    scenes = Scenes(**{field.name: pq.read_table(folder / f"{field.name}.parquet") for field in fields(Scenes)})
    model = TwoStage.load(folder)

    def work() -> int:
        return sum(found.num_rows for found in model.find_candidates(scenes))

    return work


def implicit(installation: Installation) -> Work:
    """Run the top-k search of the library implicit."""
    libraries.make_importable(installation.settings.home.parent)
    from implicit.cpu.topk import topk

    return _of_factors(installation, lambda readers, articles: topk(articles, readers, FOUND)[0])


def product(installation: Installation) -> Work:
    """Run a plain matrix product and a partial sort."""
    return _of_factors(
        installation, lambda readers, articles: np.argpartition(-(readers @ articles.T), FOUND, axis=1)[:, :FOUND]
    )


def _of_factors(installation: Installation, find: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> Work:
    chance = np.random.default_rng(SEED)
    counts = (installation.sizes.readers, installation.sizes.articles)
    readers, articles = (chance.standard_normal((count, FACTORS)).astype(np.float32) for count in counts)

    def work() -> int:
        return sum(find(readers[start : start + AT_ONCE], articles).size for start in range(0, len(readers), AT_ONCE))

    return work


VARIANTS = {OURS: daybreak, "implicit": implicit, "product": product}
