"""Audit: check features for values that no feature may have, before training and before scoring."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from include.adapters import duck
from include.core.checks import Check, at_least, at_most
from include.features.days import VIEWS

LEAST_ANSWERED_SHARE = 0.99


def audit_features(build: Path, as_of: datetime, reach: timedelta) -> list[Check]:
    """Return the checks on a build's files; its newest moment may be at most `reach` before the run's."""
    with duck.connect() as connection:
        for name in (*VIEWS, "requests"):
            connection.read_parquet(str(build / name / "*.parquet")).create_view(name)
        (row,) = duck.fetch(connection, duck.query("features/audit"), {"as_of": as_of}).to_pylist()

    def none(code: str, title: str, column: str, what: str) -> Check:
        return at_most(code, title, build.name, row[column], 0, f"{row[column]:,} {what}.")

    share = row["answered"] / row["requests"] if row["requests"] else None
    told = f"{row['answered']:,} of {row['requests']:,} readers and moments have features."
    articles, newest = row["live_articles"], row["newest_at"]
    age_hours = (as_of - newest).total_seconds() / 3600 if newest else None
    return [
        none("FT101", "One row per key and moment", "repeated_rows", "rows repeat a key and moment"),
        none("FT102", "Keys and moments are there", "unkeyed_rows", "rows lack a key or moment"),
        none("FT103", "Nothing from after the moment", "later_rows", "rows are of a later moment than the run"),
        none("FT104", "Numbers are finite and not negative", "odd_numbers", "numbers are infinite or negative"),
        none("FT105", "Shares are shares", "odd_shares", "lists of shares are negative or sum to more than 1"),
        at_least("FT106", "Readers have features", build.name, share, LEAST_ANSWERED_SHARE, told),
        at_least("FT107", "Articles have features", build.name, articles, 1, f"{articles:,} articles are described."),
        at_most(
            "FT108",
            "Features are of the run's moment",
            build.name,
            age_hours,
            reach.total_seconds() / 3600,
            f"The newest features are of {newest:%Y-%m-%d %H:%M} UTC, the run works as of {as_of:%Y-%m-%d %H:%M} UTC."
            if newest
            else "No feature has a moment.",
        ),
    ]
