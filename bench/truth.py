"""Measure lists by the demo newsroom's planted truth: their share of the time that readers could have spent.

It measures no time and is not in the catalogue: `make bench ONLY=truth` prints a table of its own. See `docs/bench.md`.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bench.installation import Say
from bench.played import play_tables
from bench.reachable import expect_dwell, find_observations
from bench.sizes import Sizes
from include.adapters import duck
from include.core.settings import Settings
from include.features.build import Purpose, counting, describe, list_times
from include.features.scenes import Scenes, make_scenes, rows_between
from include.lists.arrange import ListLimits, arrange, make_lists
from include.models import MODELS, RANKED, model_class
from include.operations.demo.newsroom import expected_dwell, live_articles
from include.operations.demo.newsroom.readers import DAY, HOUR
from include.operations.demo.newsroom.world import Parameters, World, to_us

AS_OF = datetime(2026, 11, 20, 3, tzinfo=UTC)
ALL_READERS = 10**9
DAYS = 14


@dataclass(frozen=True)
class Demo:
    """A played world: the publisher's tables, the data that a model learns from, and the readers as they are now."""

    world: World
    tables: dict[str, pa.Table]
    lessons: Scenes
    outcomes: pa.Table
    now: Scenes


def make_demo(settings: Settings, *, seed: int, readers: int, articles_per_day: int, days: int) -> Demo:
    """Return a world of this size after this many days, as the loop would see it at the end."""
    world = World(Parameters(seed, readers, articles_per_day, to_us(AS_OF) - days * DAY))
    tables = play_tables(world, AS_OF)
    lessons, now = _describe(settings, tables, "training"), _describe(settings, tables, "scoring")
    start = AS_OF - timedelta(hours=settings.holdout_hours)
    return Demo(
        world,
        tables,
        make_scenes(lessons).between(datetime.min.replace(tzinfo=UTC), start),
        rows_between(lessons["outcomes"], datetime.min.replace(tzinfo=UTC), start),
        make_scenes(now),
    )


def _describe(settings: Settings, tables: dict[str, pa.Table], purpose: Purpose) -> dict[str, pa.Table]:
    with duck.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return describe(connection, list_times(settings, AS_OF, purpose), purpose, counting(settings))


def seconds_of(demo: Demo, lists: pa.Table) -> NDArray[Any]:
    """Return the true expected time of each listed article."""
    pairs = [lists.column(name).to_numpy() for name in ("reader_id", "article_id")]
    found: NDArray[Any] = expected_dwell(demo.world, pairs[0], pairs[1][:, None], AS_OF)[:, 0]
    return found


def best_lists(settings: Settings, demo: Demo, seconds: NDArray[Any], readers: Any, articles: Any) -> pa.Table:
    """Return the best lists for these expected seconds (readers x articles), within the caps of all lists."""
    depth = min(len(articles), 40 * settings.list_length)
    best = np.argsort(-seconds, axis=1, kind="stable")[:, :depth]
    ranked = pa.table(
        {
            "reader_id": np.repeat(readers, depth),
            "list_at": pa.array([AS_OF] * best.size, RANKED.field("list_at").type),
            "rank": np.tile(np.arange(1, depth + 1), len(readers)),
            "article_id": articles[best].reshape(-1),
            "score": np.take_along_axis(seconds, best, axis=1).reshape(-1),
            "reason": pa.repeat("best", best.size),
        }
    ).cast(RANKED)
    asked = pc.field("reader_id").isin(pa.array(readers))
    some = {name: getattr(demo.now, name).filter(asked) for name in ("requests", "readers")}
    return arrange(ListLimits.of(settings), ranked, Scenes(**{**vars(demo.now), **some}), demo.tables["articles"])


def open_articles(demo: Demo) -> NDArray[Any]:
    """Return the articles that a list may hold now."""
    known = demo.tables["articles"].filter(pc.invert(demo.tables["articles"].column("is_flagged")))
    return np.intersect1d(live_articles(demo.world, AS_OF), known.column("article_id").to_numpy())


def oracle(settings: Settings, demo: Demo, readers: NDArray[Any]) -> pa.Table:
    """Return the lists of an oracle that knows every reader's opinion of every article."""
    articles = open_articles(demo)
    parts = [
        best_lists(settings, demo, expected_dwell(demo.world, part, articles, AS_OF), part, articles)
        for part in np.array_split(readers, max(1, len(readers) // 500))
    ]
    return pa.concat_tables(parts)


def reachable(settings: Settings, demo: Demo, readers: NDArray[Any]) -> pa.Table:
    """Return the lists of an oracle that knows the world and its stories, but readers only by their log and form."""
    articles, world = open_articles(demo), demo.world
    stories = world.stories(world.first_hour, to_us(AS_OF) // HOUR + 1)
    events = demo.tables["reading_events"].filter(pc.field("reader_id").isin(pa.array(readers)))
    met = find_observations(events.to_pandas())
    everyone = world.readers(int(readers.max()))
    seconds = [
        expect_dwell(
            world, stories, everyone.pick(np.array([reader - 1])), met[met["reader_id"] == reader], articles, AS_OF, 7
        )
        for reader in readers.tolist()
    ]
    return best_lists(settings, demo, np.array(seconds), readers, articles)


def share(demo: Demo, lists: pa.Table, best: pa.Table) -> float:
    """Return the true time of the lists as a share of the best lists' time, over the readers of the best."""
    own = lists.filter(pc.field("reader_id").isin(best.column("reader_id").unique()))
    return float(seconds_of(demo, own).sum() / seconds_of(demo, best).sum())


def compare(settings: Settings, say: Say, sizes: Sizes) -> str:
    """Return the table: shares of the oracle and of the reachable per model and seed, processor time and memory."""
    lines = [
        f"{sizes.truth_readers:,} readers, {DAYS} days, {sizes.truth_seeds} seed(s), {sizes.truth_sample} sampled",
        f"{'seed':>4} {'model':<24} {'of oracle':>9} {'of reachable':>12} {'fit s':>7} {'rank s':>7} {'peak MB':>8}",
    ]
    for seed in range(7, 7 + sizes.truth_seeds):
        say(f"truth: world {seed}")
        demo = make_demo(settings, seed=seed, readers=sizes.truth_readers, articles_per_day=1430, days=DAYS)
        ids = demo.now.requests.column("reader_id").to_numpy()
        lists, costs = {}, {}
        for name in MODELS:
            say(f"truth: {name}")
            lists[name], costs[name] = _rank(settings, demo, name)
        say(f"truth: the reachable share of {sizes.truth_sample} readers")
        some = np.sort(np.random.default_rng(seed).choice(ids, min(sizes.truth_sample, len(ids)), replace=False))
        best, told = oracle(settings, demo, ids), reachable(settings, demo, some)
        lines.append(f"{seed:>4} {'reachable':<24} {share(demo, told, oracle(settings, demo, some)):9.3f}")
        for name in MODELS:
            shares = f"{share(demo, lists[name], best):9.3f} {share(demo, lists[name], told):12.3f}"
            lines.append(f"{seed:>4} {name:<24} {shares} {costs[name]}")
    return "\n".join(lines)


def _rank(settings: Settings, demo: Demo, name: str) -> tuple[pa.Table, str]:
    model, begun = model_class(name)(), time.process_time()
    model.fit(demo.lessons, demo.outcomes, seed=settings.seed)
    fitted = time.process_time()
    lists = make_lists(ListLimits.of(settings), model, demo.now, demo.tables["articles"])
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return lists, f"{fitted - begun:7.1f} {time.process_time() - fitted:7.1f} {peak_mb:8,}"
