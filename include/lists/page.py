"""The page on a batch of lists: its failed checks, its contents, and how it differs from the live lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from include.adapters import duck
from include.core.checks import Check, blocking
from include.core.html import bars, check_table, page, save
from include.core.references import Reference
from include.core.settings import Settings
from include.core.trend import Series, trend_section
from include.lists.beside_live import BesideLive, compare_with_live

SHOWN = 10  # names per kind
KINDS = {"category": "By category", "publisher": "By publisher", "age": "By age", "reason": "By reason"}


def report_lists(
    settings: Settings,
    batch: Reference,
    features: str,
    checks: Sequence[Check],
    lately: list[Series],
) -> str:
    """Save the page on a written batch and return its path below the report folder.

    `features` is the build the batch was scored from, `lately` earlier runs.
    """
    beside = compare_with_live(settings, batch.id)
    sections = [
        ("Compared with the live lists", f"<p>{beside.sentence}</p>"),
        *((KINDS[kind], bars(shares[:SHOWN])) for kind, shares in _mix(batch, features).items()),
    ]
    if checks:
        sections = [
            ("Blocking checks", check_table(blocking(checks)) if blocking(checks) else "<p>None failed.</p>"),
            *sections,
            ("All checks on the lists", check_table(checks)),
        ]
    sections.append(("The last runs", trend_section([], lately)))
    path = f"lists/{batch.id}.html"
    lead = f"{_lead(checks, beside)} {(batch.facts or {}).get('sentence', '')}".strip()
    save(settings.home / "reports" / path, page(f"Lists {batch.id}", lead, sections))
    return path


def _lead(checks: Sequence[Check], beside: BesideLive) -> str:
    stopped = blocking(checks)
    told = f"{beside.readers:,} readers, {beside.articles:,} different articles."
    if not checks:
        return f"A shadow batch, never shown to readers: {told}"
    if stopped:
        return f"Refused: {len(stopped)} of {len(checks)} checks block the batch. {told}"
    return f"Passed: {told}"


def _mix(batch: Reference, features: str) -> dict[str, list[tuple[str, float]]]:
    """Return the shares of all places by kind and name, largest first."""
    with duck.connect() as connection:
        connection.read_parquet(str(Path(batch.uri) / "lists.parquet")).create_view("listed")
        connection.read_parquet(str(Path(features) / "articles" / "part.parquet")).create_view("articles")
        rows = duck.fetch(connection, duck.query("lists/mix")).to_pylist()
    grouped = groupby(rows, key=lambda row: str(row["kind"]))
    return {kind: [(str(row["name"]), float(row["share"])) for row in rows] for kind, rows in grouped}
