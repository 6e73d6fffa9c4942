"""Mix: compare the champion's newest lists with its first ones, by their scores and by what they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import duckdb
import pandas as pd

from include.adapters import duck
from include.adapters.evidently_report import Drift, Samples, measure_drift
from include.adapters.warehouse import Connection, query
from include.core.references import Reference
from include.core.settings import Settings

SUBJECT = "lists"
NUMERIC = {"score": 0.25, "article_age_hours_log": 0.25}
CATEGORICAL = {"category": 0.15, "publisher": 0.2, "reason": 0.15}


@dataclass(frozen=True)
class PublishedLists:
    """A published batch whose files are still kept, with the build its version was trained on."""

    lists: Path
    scored: Path
    as_of: datetime
    trained_on: str


def find_published(warehouse: Connection, version: int, as_of: datetime) -> list[PublishedLists]:
    """Return the version's published batches up to `as_of` of which the files are kept, oldest first."""
    rows = warehouse.execute(query("lists/published_lists"), {"version": version, "as_of": as_of}).fetchall()
    found = [(Reference.from_dict(reference), trained_on) for reference, trained_on in rows]
    batches = [
        PublishedLists(Path(lists.uri), Path((lists.facts or {})["features"]), lists.as_of, trained_on)
        for lists, trained_on in found
    ]
    return [batch for batch in batches if batch.lists.exists() and batch.scored.exists()]


def compare_mix(settings: Settings, version: int, published: list[PublishedLists]) -> Drift:
    """Compare the places of the newest of these batches with those of the first."""
    if len(published) < 2:
        return Drift(SUBJECT, f"the lists of v{version} are compared from its second batch on.")
    first, newest = published[0], published[-1]
    with duck.connect() as connection:
        current, reference = (_sample(connection, batch, settings.drift_sample_rows) for batch in (newest, first))
    if (fewest := min(len(current), len(reference))) < settings.drift_min_rows:
        return Drift(SUBJECT, f"one batch has {fewest:,} places; {settings.drift_min_rows:,} are needed.")
    about = (
        f"places of v{version}'s lists of {newest.as_of:%Y-%m-%d %H:%M} UTC",
        f"places of its first lists, of {first.as_of:%Y-%m-%d %H:%M} UTC",
    )
    return measure_drift(Samples(SUBJECT, about, current, reference, NUMERIC, CATEGORICAL), settings.drift_min_rows)


def _sample(connection: duckdb.DuckDBPyConnection, batch: PublishedLists, rows: int) -> pd.DataFrame:
    connection.read_parquet(str(batch.lists / "lists.parquet")).create_view("listed")
    connection.read_parquet(str(batch.scored / "articles" / "part.parquet")).create_view("articles")
    return cast(pd.DataFrame, duck.ask(connection, duck.query("lists/places"), {"sample_rows": rows}).df())
