"""`extract`: the window of all three source tables, from PostgreSQL to files.

They all ask the same queries of the same view in one transaction. `copy` is the floor: PostgreSQL's own binary COPY,
its bytes thrown away. `extract.large` is ours alone over a longer window: its memory should be that of `extract`.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

from bench.figures import OURS, Figure
from bench.ground import AS_OF, DAYS, Ground, Say
from bench.measure import Work, in_child, in_turns
from include.adapters import warehouse
from include.core.contract import TABLES
from include.data.snapshot import source_window, take_snapshot

WINDOW = timedelta(days=DAYS)


def measure(ground: Ground, repeat: int, say: Say) -> list[Figure]:
    """The variants in turns, then ours over everything that was played."""
    figures = in_turns("extract", (OURS, "pandas", "copy"), ground, repeat, say)
    if ground.sizes.windows > 1:
        told = in_child("extract", "large", ground)
        say(f"extract.large: {told.rows:,} rows, {told.seconds:.2f} s, {told.peak_mb:.0f} MB")
        figures.append(replace(told, bench="extract.large", variant=OURS))
    return figures


def daybreak(ground: Ground, windows: int = 1) -> Work:
    """A snapshot, into a folder that holds none yet."""
    shutil.rmtree(ground.settings.home / "snapshots", ignore_errors=True)

    def work() -> int:
        snapshot = take_snapshot(ground.settings, AS_OF, WINDOW * windows)
        return sum(snapshot.rows(table.name) for table in TABLES)

    return work


def large(ground: Ground) -> Work:
    """A snapshot of all windows that were played."""
    return daybreak(ground, ground.sizes.windows)


def with_pandas(ground: Ground) -> Work:
    """What one writes without thinking: `read_sql` into a frame, `to_parquet`."""
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(warehouse.uri(ground.settings, "daybreak_extract", scheme="postgresql+psycopg2"))

    def work() -> int:
        rows = 0
        with engine.connect() as connection:
            for name, value in source_window(ground.settings, AS_OF, WINDOW).items():
                connection.exec_driver_sql("select set_config(%s, %s, true)", (f"daybreak.{name}", value))
            for table in TABLES:
                frame = pd.read_sql(warehouse.query(f"adapters/{table.name}"), connection)
                frame.to_parquet(ground.scratch / f"{table.name}.parquet")
                rows += len(frame)
        return rows

    return work


def copy(ground: Ground) -> Work:
    """Binary COPY to nowhere."""

    def work() -> int:
        rows = 0
        with warehouse.connect(ground.settings, "daybreak_extract") as connection, connection.cursor() as cursor:
            for name, value in source_window(ground.settings, AS_OF, WINDOW).items():
                cursor.execute("select set_config(%s, %s, true)", [f"daybreak.{name}", value])
            for table in TABLES:
                with cursor.copy(
                    f"copy ({warehouse.query(f'adapters/{table.name}')}) to stdout (format binary)"
                ) as bytes_:
                    for _ in bytes_:
                        pass
                rows += cursor.rowcount
        return rows

    return work


VARIANTS = {OURS: daybreak, "pandas": with_pandas, "copy": copy, "large": large}
