"""`extract`: write the window of all three source tables from PostgreSQL to files.

All variants run the same queries on the same views in one transaction. `copy` is the floor: PostgreSQL's binary COPY,
whose bytes are discarded. `extract.large` is ours alone over a longer window; its memory should equal that of
`extract`.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

from bench.figures import OURS, Figure
from bench.installation import AS_OF, DAYS, Installation, Say
from bench.measure import Work, in_child, in_turns
from include.adapters import warehouse
from include.core.contract import TABLES
from include.data.snapshot import source_window, take_snapshot

WINDOW = timedelta(days=DAYS)


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of the variants in turns, then of ours over all played windows."""
    figures = in_turns("extract", (OURS, "pandas", "copy"), installation, repeat, say)
    if installation.sizes.windows > 1:
        told = in_child("extract", "large", installation)
        say(f"extract.large: {told.rows:,} rows, {told.seconds:.2f} s, {told.peak_mb:.0f} MB")
        figures.append(replace(told, bench="extract.large", variant=OURS))
    return figures


def daybreak(installation: Installation, windows: int = 1) -> Work:
    """Take a snapshot into an empty folder."""
    shutil.rmtree(installation.settings.home / "snapshots", ignore_errors=True)

    def work() -> int:
        snapshot = take_snapshot(installation.settings, AS_OF, WINDOW * windows)
        return sum(snapshot.rows(table.name) for table in TABLES)

    return work


def large(installation: Installation) -> Work:
    """Take a snapshot of all played windows."""
    return daybreak(installation, installation.sizes.windows)


def with_pandas(installation: Installation) -> Work:
    """Take the simplest way: `read_sql` into a frame, then `to_parquet`."""
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(warehouse.uri(installation.settings, "daybreak_extract", scheme="postgresql+psycopg2"))

    def work() -> int:
        rows = 0
        with engine.connect() as connection:
            for name, value in source_window(installation.settings, AS_OF, WINDOW).items():
                connection.exec_driver_sql("select set_config(%s, %s, true)", (f"daybreak.{name}", value))
            for table in TABLES:
                frame = pd.read_sql(warehouse.query(f"adapters/{table.name}"), connection)
                frame.to_parquet(installation.scratch / f"{table.name}.parquet")
                rows += len(frame)
        return rows

    return work


def copy(installation: Installation) -> Work:
    """Run a binary COPY and discard the bytes."""

    def work() -> int:
        rows = 0
        with warehouse.connect(installation.settings, "daybreak_extract") as connection, connection.cursor() as cursor:
            for name, value in source_window(installation.settings, AS_OF, WINDOW).items():
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
