"""The crowd: recent events of all readers and the live articles, small enough to travel with a model.

Belongs here: taking it from a log, saving it as files, and deriving the world at a moment. It holds no reader's id, and
equal logs give equal bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters import duck
from include.core.clock import parse_moment
from include.core.contract import MOMENT
from include.core.errors import ArtifactDamaged, BadInput
from include.data.read_kind import find_read_kind
from include.data.store import read_json, write_json
from include.features.build import counting, describe_part, describe_readers, describe_world
from include.features.scenes import VERSION, Scenes, make_scenes

if TYPE_CHECKING:
    from include.core.settings import Settings
    from include.data.snapshot import Snapshot

FOLDER = "crowd"
MOST_EVENTS = 5_000_000
EVERY = timedelta(minutes=15)  # how often the world is described again, counted from the crowd's own moment
WORLDS_HELD = 4
UNKNOWN_IN_CROWD = {"event_id": pa.int64(), "position": pa.int16()}


@dataclass(frozen=True)
class World:
    """The part of scenes that all requests at a moment share: scenes without requests."""

    moment: datetime
    scenes: Scenes
    _moved: dict[datetime, Scenes] = field(default_factory=dict, repr=False, compare=False)

    def at(self, moment: datetime) -> Scenes:
        """Return these scenes at `moment`, cached per moment."""
        if moment == self.moment:
            return self.scenes
        if (known := self._moved.get(moment)) is not None:
            return known
        at = pa.scalar(moment, MOMENT)
        moved = {name: getattr(self.scenes, name) for name in ("articles", "co_reads")}
        for name, table in moved.items():
            moved[name] = table.set_column(
                table.column_names.index("list_at"), "list_at", pa.repeat(at, table.num_rows)
            )
        self._moved.clear()  # keep the last moment only
        return self._moved.setdefault(moment, replace(self.scenes, **moved))


@dataclass(frozen=True)
class Crowd:
    """Articles and events as of a moment, and how they were counted."""

    about: Mapping[str, Any]
    articles: pa.Table
    events: pa.Table
    _worlds: dict[datetime, World] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def as_of(self) -> datetime:
        """Return the moment it was taken at; it holds nothing later."""
        return parse_moment(self.about["as_of"])

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the feature queries."""
        return dict(self.about["counting"])

    @classmethod
    def take(cls, connection: duckdb.DuckDBPyConnection, as_of: datetime, parameters: Mapping[str, Any]) -> Crowd:
        """Return the crowd of a log (`articles` and `reading_events` of the connection) as of a moment."""
        counted = {"read_kind": find_read_kind(connection), **parameters}
        asked = {**counted, "as_of": as_of, "most_events": MOST_EVENTS}
        articles, events = (describe_part(connection, name, asked) for name in ("crowd_articles", "crowd_events"))
        came = describe_part(connection, "crowd_readers", asked).column("readers")[0].as_py()
        lately = pc.field("occurred_at") >= pa.scalar(as_of - timedelta(days=1), MOMENT)
        kept = len(pc.unique(events.filter(lately).column("reader_id")))
        about = {
            "as_of": as_of.isoformat(),
            "feature_version": VERSION,
            "counting": counted,
            "rows": {"articles": articles.num_rows, "events": events.num_rows, "left_out_readers": came - kept},
        }
        return cls(about, articles, events)

    def save(self, folder: Path) -> None:
        """Save two Parquet files and the facts as JSON."""
        for name in ("articles", "events"):
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(getattr(self, name), folder / f"{name}.parquet", compression="zstd", compression_level=9)
        write_json(folder / "crowd.json", self.about)

    @classmethod
    def open(cls, folder: Path) -> Crowd:
        """Return the crowd in a folder."""
        about = read_json(folder / "crowd.json")
        if about["feature_version"] != VERSION:
            raise ArtifactDamaged(
                f"{folder} was made for features {about['feature_version']}; this code uses {VERSION}.",
                hint="make it again with this code, or use the code that made it.",
            )
        try:
            articles, events = (pq.read_table(folder / f"{name}.parquet") for name in ("articles", "events"))
        except (OSError, pa.ArrowInvalid) as error:
            raise ArtifactDamaged(f"{folder} cannot be read: {error}.", hint="fetch the version again.") from error
        return cls(about, articles, events)

    def world_at(self, moment: datetime) -> World:
        """Return the world at the moment, as known at the last quarter of an hour counted from the crowd's moment."""
        described = self.as_of + (moment - self.as_of) // EVERY * EVERY
        if described < self.as_of:
            raise BadInput(
                f"The crowd knows the day before {self.as_of:%Y-%m-%d %H:%M} UTC; {moment:%Y-%m-%d %H:%M} is earlier.",
                hint="pass the crowd of that moment to `with_crowd`, or ask as of the crowd's moment or later.",
            )
        with self._lock:
            if described not in self._worlds:
                self._worlds[described] = self._describe(described)
                for oldest in sorted(self._worlds)[:-WORLDS_HELD]:
                    del self._worlds[oldest]
            return self._worlds[described]

    def _describe(self, moment: datetime) -> World:
        events = self.events
        for name, kind in UNKNOWN_IN_CROWD.items():
            events = events.append_column(name, pa.nulls(events.num_rows, kind))
        with duck.connect() as connection:
            connection.register("articles", self.articles)
            connection.register("reading_events", events)
            connection.register("subscribers", NO_SUBSCRIBERS)
            tables = describe_world(connection, [moment], self.parameters)
            no_requests = pa.schema([("reader_id", pa.int64()), ("list_at", MOMENT)]).empty_table()
            described = describe_readers(connection, no_requests, self.parameters)
        tables = {**tables, "requests": no_requests, **described, "all_reads": tables["reads"]}
        if not tables["article_stats"].num_rows:
            raise BadInput(
                f"None of the {self.articles.num_rows:,} articles that the crowd of {self.as_of:%Y-%m-%d %H:%M} UTC "
                f"knows is live at {moment:%Y-%m-%d %H:%M} UTC.",
                hint="pass a newer crowd to `with_crowd`.",
            )
        return World(moment, make_scenes(tables))


NO_SUBSCRIBERS = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("region", pa.string()),
        ("plan", pa.string()),
        ("signed_up_at", MOMENT),
        ("interests", pa.list_(pa.string())),
    ]
).empty_table()


def keep_crowd(settings: Settings, snapshot: Snapshot, build: Path) -> None:
    """Save the crowd of a snapshot beside the features of a build."""
    from include.data.snapshot import open_snapshot_tables

    with open_snapshot_tables(settings, snapshot) as connection:
        Crowd.take(connection, snapshot.as_of, counting(settings)).save(build / FOLDER)
