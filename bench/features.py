"""`features`: what was known about readers at each of their moments, joined from two views by the time of the moment.

Everybody is Feast, over the same declarations and the same rows, with another offline store: DuckDB over Parquet as
Daybreak has it, the file store that Feast begins with, and PostgreSQL. Every row must be the same; the file store may
leave out readers of whom nothing was known.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from bench.figures import OURS, Figure
from bench.ground import AS_OF, Ground, Say
from bench.measure import Work, in_child, in_turns
from include.adapters import feast_store, warehouse
from include.core.errors import DaybreakError

VIEWS = ("reader_activity", "reader_taste")
OTHERS = ("file", "postgres")
ROLE = "newsroom"


def measure(ground: Ground, repeat: int, say: Say) -> list[Figure]:
    """The stores in turns on a build that is made once; a `DaybreakError` when a row is another one than ours."""
    in_child("features", "build", ground)
    figures = in_turns("features", (*OTHERS, OURS), ground, repeat, say)
    ours = _answer(ground, OURS)
    for other in OTHERS:
        theirs = _answer(ground, other)
        if wrong := sum(ours.get(moment) != row for moment, row in theirs.items()):
            raise DaybreakError(
                f"The {other} store answers {wrong:,} of {len(ours):,} moments differently from ours.",
                hint="the figures compare different work; run with --keep and compare the answers.",
            )
        left_out = len(ours) - len(theirs)
        say(f"features: {other} gave the same rows" + (f", but none for {left_out:,} moments" if left_out else ""))
    return figures


def build(ground: Ground) -> Work:
    """Not a variant: leaves the features for training, in files and in PostgreSQL, and the moments to ask for."""
    from include.data.snapshot import take_snapshot
    from include.features.build import compute_features
    from include.features.scenes import OURS_TO_FEAST

    folder = _folder(ground)

    def work() -> int:
        shutil.rmtree(folder, ignore_errors=True)
        snapshot = take_snapshot(ground.settings, AS_OF, timedelta(days=ground.settings.window_days))
        compute_features(ground.settings, snapshot, "training", folder, folder)
        asked = pq.read_table(folder / "requests").rename_columns(OURS_TO_FEAST).slice(0, ground.sizes.moments)
        pq.write_table(asked, folder / "asked.parquet")
        for view in VIEWS:
            _into_postgres(ground, view, pq.read_table(folder / view))
        return asked.num_rows

    return work


def daybreak(ground: Ground) -> Work:
    """Daybreak's own way; leaves what it found."""
    from include.features.scenes import VERSION

    folder = _folder(ground)
    asked = pq.read_table(folder / "asked.parquet")

    def work() -> int:
        found = feast_store.retrieve(folder, f"readers_{VERSION}", asked)
        pq.write_table(found, folder / f"{OURS}.parquet")
        return found.num_rows

    return work


def other(variant: str, open_store: Callable[[Ground], Any]) -> Callable[[Ground], Work]:
    """The variant that asks this store the same; leaves what it found."""

    def ready(ground: Ground) -> Work:
        from include.features.scenes import VERSION

        store, folder = open_store(ground), _folder(ground)
        asked = pq.read_table(folder / "asked.parquet")

        def work() -> int:
            service = store.get_feature_service(f"readers_{VERSION}")
            found = store.get_historical_features(entity_df=asked.to_pandas(), features=service).to_arrow()
            pq.write_table(found, folder / f"{variant}.parquet")
            return found.num_rows

        return work

    return ready


def file_store(ground: Ground) -> Any:
    """Feast over the very same registry with its default store."""
    from feast import FeatureStore, RepoConfig

    return FeatureStore(
        config=RepoConfig(
            project="daybreak",
            provider="local",
            registry=str(_folder(ground) / "registry.db"),
            offline_store={"type": "file"},
            online_store=None,
            entity_key_serialization_version=3,
        )
    )


def postgres_store(ground: Ground) -> Any:
    """Feast over the same declarations, whose rows lie in PostgreSQL."""
    from feast import FeatureStore, FeatureView, RepoConfig
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource

    from feature_repo.definitions import declare

    folder = _folder(ground)
    where = urlsplit(warehouse.uri(ground.settings, ROLE))
    offline = {
        "type": "postgres",
        "host": where.hostname,
        "port": where.port,
        "database": where.path.lstrip("/"),
        "db_schema": ROLE,
        "user": where.username,
        "password": unquote(where.password or ""),
        "sslmode": "disable",
    }
    store = FeatureStore(
        config=RepoConfig(
            project="daybreak",
            provider="local",
            registry=str(folder / "postgres-registry.db"),
            offline_store=offline,
            online_store=None,
            entity_key_serialization_version=3,
        )
    )
    declared = declare(folder)
    for one in declared:
        if isinstance(one, FeatureView) and one.name in VIEWS:
            one.batch_source = PostgreSQLSource(
                name=f"{one.name}_rows",
                table=f"bench_{one.name}",
                timestamp_field="event_timestamp",
                created_timestamp_column="created",
            )
    store.apply(declared)
    return store


def _into_postgres(ground: Ground, view: str, rows: pa.Table) -> None:
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(warehouse.uri(ground.settings, ROLE)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(f"bench_{view}", rows, mode="replace")
        cursor.execute(f"create index on bench_{view} (reader_id, event_timestamp)")
        cursor.execute(f"analyze bench_{view}")
        connection.commit()


def _folder(ground: Ground) -> Path:
    return ground.scratch / "features"


def _answer(ground: Ground, variant: str) -> dict[tuple[int, Any], tuple[Any, ...]]:
    """What a store answered, by reader and moment, in Python's own values."""
    table = pq.read_table(_folder(ground) / f"{variant}.parquet")
    times = (
        table["event_timestamp"].cast(pa.timestamp("us")).cast(pa.int64())
    )  # in UTC, whether the store says so or not
    moments = zip(table["reader_id"].to_pylist(), times.to_pylist(), strict=True)
    names = sorted(set(table.column_names) - {"reader_id", "event_timestamp"})
    rows = zip(*([_plain(value) for value in table.column(name).to_pylist()] for name in names), strict=True)
    return dict(zip(moments, rows, strict=True))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


VARIANTS = {
    OURS: daybreak,
    "file": other("file", file_store),
    "postgres": other("postgres", postgres_store),
    "build": build,
}
