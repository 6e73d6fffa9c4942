"""`size`: lists for many readers out of many live articles, with the time and memory of each part.

It has no alternatives, so it runs only on request. The log repeats that of a played newsroom, each time with other
readers and, by circle, with other articles of the same hour, topic and language from a catalogue a hundred times as
large. So tastes and rhythms are those of the demo at any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.figures import OURS, Figure
from bench.installation import AS_OF, Installation, Say
from bench.measure import Work, in_child
from bench.played import play_tables
from bench.publish import LIST_LENGTH, describe_batch
from include.adapters import duck
from include.adapters.warehouse import connect
from include.core.checks import blocking
from include.core.contract import TABLES
from include.core.errors import DaybreakError
from include.data import snapshot
from include.data.day_files import store_by_day
from include.features.build import COUNTING, compute_features, counting, describe, list_times
from include.features.crowd import keep_crowd
from include.features.scenes import make_scenes, open_scenes_in_parts
from include.lists import audit
from include.lists import batch as batches
from include.lists.audit import audit_lists
from include.lists.scoring import READERS_AT_ONCE, list_all
from include.models.kinds.two_stage import TwoStage
from include.operations.demo.newsroom.headlines import compose, desk_names, outlet_name
from include.operations.demo.newsroom.readers import DAY, HOUR
from include.operations.demo.newsroom.stories import Stories
from include.operations.demo.newsroom.words import LANGUAGES
from include.operations.demo.newsroom.world import Parameters, World, to_us

DAYS = 14
LIVE_HOURS = 52  # all articles up to this age are live, seen or not: some 300,000
TOLD_READERS, TOLD_ARTICLES_PER_DAY = 10_000, 1_430
CIRCLES = 600  # articles that replace a played one, or all of its hour, topic and language if there are fewer
SEED = 7
PARTS = ("features", "candidates", "lists", "publish")

Array = NDArray[Any]


def measure(installation: Installation, _repeat: int, say: Say) -> list[Figure]:
    """Return the figure of each part, run once in its own process."""
    say(f"size: making the log of {installation.sizes.listed_readers:,} readers")
    log = in_child("size", "make_log", installation)
    say(f"size: {log.rows:,} reading events")
    figures = []
    for part in PARTS:
        found = in_child("size", part, installation)
        figures.append(replace(found, bench=f"size.{part}", variant=OURS))
        say(f"size: {part}: {found.cpu_seconds:,.0f} s of processor, {found.peak_mb:,.0f} MB, {found.rows:,} rows")
    return figures


def make_log(installation: Installation) -> Work:
    """Make a snapshot of the log, and a model trained on the newsroom that it repeats; not a part."""

    def work() -> int:
        folder = installation.scratch / "size"
        folder.mkdir(exist_ok=True)
        start = to_us(AS_OF) - DAYS * DAY
        readers = min(TOLD_READERS, installation.sizes.listed_readers)
        played = World(Parameters(SEED, readers, TOLD_ARTICLES_PER_DAY, start))
        tables = play_tables(played, AS_OF)
        with duck.connect() as connection:
            for name, table in tables.items():
                connection.register(name, table)
            moments = list_times(installation.settings, AS_OF, "training")[-8:]
            lessons = describe(connection, moments, "training", counting(installation.settings))
        model = TwoStage()
        model.fit(make_scenes(lessons), lessons["outcomes"], seed=SEED)
        model.save(folder)
        large = World(Parameters(SEED, readers, installation.sizes.listed_articles_per_day, start))
        log = RepeatedLog(played, large, tables, installation.sizes.listed_readers)
        batches = (log.subscribers(), log.articles(), log.events())
        files = [
            file
            for table, rows in zip(TABLES, batches, strict=True)
            for file in store_by_day(installation.settings, table, rows)
        ]
        taken = snapshot.Snapshot(AS_OF, AS_OF - timedelta(days=DAYS), tuple(files))
        snapshot.save_manifest(installation.settings, taken)
        (folder / "snapshot").write_text(taken.id)
        return taken.rows("reading_events")

    return work


class RepeatedLog:
    """A played log, repeated until it has this many readers."""

    def __init__(self, played: World, large: World, tables: dict[str, pa.Table], readers: int) -> None:
        self.tables, self.readers = tables, readers
        self.each = tables["subscribers"].num_rows
        self.times = -(-readers // self.each)
        self.stories, self.large = _stories(played), large
        self.many = _stories(large)
        self.order, self.starts, self.sizes = self._shelve()

    def _shelve(self) -> tuple[Array, Array, Array]:
        """Return where the large catalogue has articles of each played one's topic and language, an hour earlier."""
        key, wanted = _key(self.many), _key(self.stories, hours_later=-1)
        order = np.argsort(key, kind="stable")
        starts = np.searchsorted(key[order], wanted)
        return order, starts, np.searchsorted(key[order], wanted, side="right") - starts

    def subscribers(self) -> Iterator[pa.RecordBatch]:
        """Yield the subscribers."""
        rows = self.tables["subscribers"]
        for time in range(self.times):
            part = rows.slice(0, self.readers - time * self.each)
            yield from _with(part, reader_id=part.column("reader_id").to_numpy() + time * self.each).to_batches()

    def articles(self) -> Iterator[pa.RecordBatch]:
        """Yield the large catalogue; its texts are those of played articles of the same topic."""
        some = np.unique(np.linspace(0, len(self.many) - 1, 60_000).astype(np.int64))
        titles, teasers = (pa.array(texts) for texts in compose(self.large, self.many, some))
        by_topic = np.argsort(self.many.topic[some], kind="stable")
        first, end = (
            np.searchsorted(self.many.topic[some][by_topic], self.many.topic, side=s) for s in ("left", "right")
        )
        text = by_topic[first + np.arange(len(self.many)) % np.maximum(end - first, 1)]
        known = self.many.received_us < to_us(AS_OF)
        by_time = np.flatnonzero(known)[np.argsort(self.many.published_us[known], kind="stable")]
        for rows in np.array_split(by_time, max(1, len(by_time) // 200_000)):
            part = self.many.pick(rows)
            columns = {
                "article_id": self.many.first_no + rows,
                "title": titles.take(pa.array(text[rows])),
                "summary": teasers.take(pa.array(text[rows])),
                "category": desk_names(part.topic),
                "publisher": [outlet_name(int(code)) for code in part.outlet],
                "language": pa.array(LANGUAGES).take(pa.array(part.language)),
                "word_count": part.words,
                **dict.fromkeys(("published_at",), pa.array(part.published_us)),
                **dict.fromkeys(("ingested_at", "updated_at"), pa.array(part.received_us)),
                "is_flagged": np.zeros(len(rows), bool),
            }
            schema = TABLES[1].columns
            yield from pa.table(
                [_column(columns[field.name], field.type) for field in schema], schema=schema
            ).to_batches()

    def events(self) -> Iterator[pa.RecordBatch]:
        """Yield the events day by day; readers of a circle meet the same article in place of a played one."""
        events = self.tables["reading_events"].sort_by("occurred_at")
        days = pc.floor_temporal(events.column("occurred_at"), unit="day").to_numpy()
        for day in np.unique(days):
            some = events.filter(pa.array(days == day))
            story = some.column("article_id").to_numpy() - self.stories.first_no
            reader, number = (some.column(name).to_numpy() for name in ("reader_id", "event_id"))
            for time in range(self.times):
                circle = (reader * self.times + time) % CIRCLES
                place = (story * 7919 + circle * 104_729) % np.maximum(self.sizes[story], 1)
                article = self.many.first_no + self.order[np.minimum(self.starts[story] + place, len(self.order) - 1)]
                moved = _with(
                    some,
                    event_id=number + time * events.num_rows,
                    reader_id=reader + time * self.each,
                    article_id=article,
                )
                kept = (self.sizes[story] > 0) & (reader + time * self.each <= self.readers)
                yield from moved.filter(pa.array(kept)).combine_chunks().to_batches()


def features(installation: Installation) -> Work:
    """Build the features for scoring, with the crowd."""
    folder = installation.scratch / "size"
    settings = installation.settings.model_copy(update={"article_max_age_hours": LIVE_HOURS})
    COUNTING["fresh_hours"] = LIVE_HOURS  # only in this process, which ends with the part
    taken = snapshot.find_snapshot(settings, (folder / "snapshot").read_text())

    def work() -> int:
        compute_features(settings, taken, "scoring", folder / "build", folder / "build")
        keep_crowd(settings, taken, folder / "build")
        return pq.read_table(folder / "build" / "article_stats", columns=[]).num_rows

    return work


def candidates(installation: Installation) -> Work:
    """Find the candidates of every reader."""
    folder = installation.scratch / "size"

    def work() -> int:
        model, parts = TwoStage.load(folder), open_scenes_in_parts(folder / "build", READERS_AT_ONCE)
        return sum(found.num_rows for scenes in parts for found in model.find_candidates(scenes))

    return work


def lists(installation: Installation) -> Work:
    """Run both stages and write the lists to a file."""
    folder = installation.scratch / "size"
    return lambda: list_all(installation.settings, folder / "build", TwoStage.load(folder), folder / "lists.parquet")


def publish(installation: Installation) -> Work:
    """Stream the file of lists into PostgreSQL and audit it there and against its catalogue."""
    folder, about = installation.scratch / "size", describe_batch()
    path = folder / "lists.parquet"

    def work() -> int:
        with connect(installation.settings) as warehouse:
            readers, rows = batches.write(warehouse, pq.ParquetFile(path).iter_batches(batches.ROWS_AT_ONCE), about)
            failed = blocking(audit.audit(warehouse, about["batch_id"], LIST_LENGTH, readers))
        failed += blocking(audit_lists(installation.settings, path, folder / "build"))
        if failed:
            raise DaybreakError(" ".join(check.sentence for check in failed), hint="look at the lists' Parquet file.")
        return rows

    return work


def _stories(world: World) -> Stories:
    return world.stories(world.first_hour, to_us(AS_OF) // HOUR + 1)


def _key(stories: Stories, hours_later: int = 0) -> Array:
    hour = stories.published_us // HOUR + hours_later
    found: Array = (hour * 1000 + stories.topic) * 10 + stories.language
    return found


def _with(table: pa.Table, **columns: Array) -> pa.Table:
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))
    return table


def _column(values: Any, kind: pa.DataType) -> pa.Array:
    return (values if isinstance(values, pa.Array) else pa.array(values)).cast(kind)


VARIANTS = {"make_log": make_log, "features": features, "candidates": candidates, "lists": lists, "publish": publish}
