"""`features`: join the features of readers from three views as known when they came.

All variants are Feast with the same declarations and rows but another offline store: Daybreak's DuckDB over Parquet,
Feast's default file store, and PostgreSQL. Every row must be the same; the file store may leave out readers without
known features.
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
from bench.installation import AS_OF, Installation, Say
from bench.measure import Work, in_child, in_turns
from include.adapters import feast_store, warehouse
from include.core.errors import DaybreakError

VIEWS = ("reader_profile", "reader_activity", "reader_taste")
OTHERS = ("file", "postgres")
ROLE = "newsroom"


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of the stores in turns on one build; raise `DaybreakError` if a row differs from ours."""
    in_child("features", "build", installation)
    figures = in_turns("features", (*OTHERS, OURS), installation, repeat, say)
    ours = _answer(installation, OURS)
    for other in OTHERS:
        theirs = _answer(installation, other)
        if wrong := sum(ours.get(moment) != row for moment, row in theirs.items()):
            raise DaybreakError(
                f"The {other} store answers {wrong:,} of {len(ours):,} moments differently from ours.",
                hint="the figures compare different work; run with --keep and compare the answers.",
            )
        left_out = len(ours) - len(theirs)
        say(f"features: {other} gave the same rows" + (f", but none for {left_out:,} moments" if left_out else ""))
    return figures


def build(installation: Installation) -> Work:
    """Write the features for training, to files and to PostgreSQL, and the moments to ask for; not a variant."""
    from include.data.snapshot import take_snapshot
    from include.features.build import compute_features
    from include.features.scenes import ASKED_AT

    folder = _folder(installation)

    def work() -> int:
        shutil.rmtree(folder, ignore_errors=True)
        snapshot = take_snapshot(installation.settings, AS_OF, timedelta(days=installation.settings.window_days))
        compute_features(installation.settings, snapshot, "training", folder, folder)
        asked = pq.read_table(folder / "requests", columns=["reader_id", ASKED_AT]).slice(0, installation.sizes.moments)
        asked = asked.rename_columns(["reader_id", "event_timestamp"])
        pq.write_table(asked, folder / "asked.parquet")
        for view in VIEWS:
            _into_postgres(installation, view, pq.read_table(folder / view))
        return asked.num_rows

    return work


def daybreak(installation: Installation) -> Work:
    """Retrieve the features as Daybreak does, and save them."""
    from include.features.scenes import VERSION

    folder = _folder(installation)
    asked = pq.read_table(folder / "asked.parquet")

    def work() -> int:
        found = feast_store.retrieve(folder, f"readers_{VERSION}", asked)
        pq.write_table(found, folder / f"{OURS}.parquet")
        return found.num_rows

    return work


def other(variant: str, open_store: Callable[[Installation], Any]) -> Callable[[Installation], Work]:
    """Return the variant that retrieves the same features from this store, and saves them."""

    def ready(installation: Installation) -> Work:
        from include.features.scenes import VERSION

        store, folder = open_store(installation), _folder(installation)
        asked = pq.read_table(folder / "asked.parquet")

        def work() -> int:
            service = store.get_feature_service(f"readers_{VERSION}")
            found = store.get_historical_features(entity_df=asked.to_pandas(), features=service).to_arrow()
            pq.write_table(found, folder / f"{variant}.parquet")
            return found.num_rows

        return work

    return ready


def file_store(installation: Installation) -> Any:
    """Return Feast with the same registry and its default store."""
    from feast import FeatureStore, RepoConfig

    return FeatureStore(
        config=RepoConfig(
            project="daybreak",
            provider="local",
            registry=str(_folder(installation) / "registry.db"),
            offline_store={"type": "file"},
            online_store=None,
            entity_key_serialization_version=3,
        )
    )


def postgres_store(installation: Installation) -> Any:
    """Return Feast with the same declarations and its rows in PostgreSQL."""
    from feast import FeatureStore, FeatureView, RepoConfig
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource

    from feature_repo.definitions import declare

    folder = _folder(installation)
    where = urlsplit(warehouse.uri(installation.settings, ROLE))
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
    declared = declare(folder, timedelta(hours=installation.settings.list_step_hours))
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


def _into_postgres(installation: Installation, view: str, rows: pa.Table) -> None:
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(warehouse.uri(installation.settings, ROLE)) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(f"bench_{view}", rows, mode="replace")
        cursor.execute(f"create index on bench_{view} (reader_id, event_timestamp)")
        cursor.execute(f"analyze bench_{view}")
        connection.commit()


def _folder(installation: Installation) -> Path:
    return installation.scratch / "features"


def _answer(installation: Installation, variant: str) -> dict[tuple[int, Any], tuple[Any, ...]]:
    """Return a store's answer by reader and moment, as plain Python values."""
    table = pq.read_table(_folder(installation) / f"{variant}.parquet")
    times = (
        table["event_timestamp"].cast(pa.timestamp("us")).cast(pa.int64())
    )  # in UTC, whether the store says so or not
    moments = zip(table["reader_id"].to_pylist(), times.to_pylist(), strict=True)
    index = "__index_level_0__"  # the file store's frame hands it over
    names = sorted(set(table.column_names) - {"reader_id", "event_timestamp", index})
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
