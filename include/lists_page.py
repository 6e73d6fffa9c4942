"""The page on a batch of lists: what stops it, what it is made of, how it differs from what readers have now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from include.adapters import duck
from include.adapters.warehouse import connect, query
from include.checks import Check, blocking
from include.record import Run, find_checks
from include.references import Reference
from include.report import bars, check_table, page, save
from include.trend import recall_checks
from include.trend_page import trend_section

SHOWN = 10  # names of a kind
KINDS = {"category": "By category", "publisher": "By publisher", "age": "By age", "reason": "By reason"}


@dataclass(frozen=True)
class BesideLive:
    """A batch counted against the live one; nought of the live one when there is none."""

    same_places: int
    live_places: int
    articles: int
    live_articles: int
    readers: int
    live_readers: int
    readers_with_fewer: int

    @property
    def kept_share(self) -> float:
        """The share of live places that stay as they are."""
        return self.same_places / max(1, self.live_places)

    @property
    def sentence(self) -> str:
        """The difference in words."""
        if not self.live_places:
            return f"No lists are live yet; these give {self.readers:,} readers {self.articles:,} different articles."
        return (
            f"{self.same_places:,} of {self.live_places:,} live places stay ({self.kept_share:.0%}); these lists hold "
            f"{self.articles:,} different articles, the live ones {self.live_articles:,}; {self.readers:,} readers get "
            f"a list against {self.live_readers:,}, {self.readers_with_fewer:,} of them a shorter one."
        )


def compare_with_live(run: Run, batch_id: str) -> BesideLive:
    """How the batch differs from the live one, counted in PostgreSQL."""
    with connect(run.settings) as warehouse:
        row = warehouse.execute(query("batch/beside_live"), {"batch_id": batch_id}).fetchone()
    return BesideLive(*row) if row else BesideLive(*(0,) * 7)


def report_lists(run: Run, batch: Reference, features: str, checks: Sequence[Check]) -> str:
    """Where the page on a written batch lies, below the report folder; `features` is the build it was scored from."""
    skewed, beside = find_checks(run, "score"), compare_with_live(run, batch.id)
    sections = [
        ("Beside the live lists", f"<p>{beside.sentence}</p>"),
        *((KINDS[kind], bars(shares[:SHOWN])) for kind, shares in _mix(batch, features).items()),
    ]
    if checks:
        sections = [
            ("What stops it", check_table(blocking(checks)) if blocking(checks) else "<p>Nothing.</p>"),
            *sections,
            ("Checks on the lists", check_table(checks)),
        ]
    if skewed:
        odd = [check for check in skewed if check.outcome == "failed"]
        told = check_table(odd) if odd else f"<p>None of {len(skewed)} checks found any.</p>"
        sections.append(("Features unlike those the champion was trained on", told))
    lately = recall_checks(run.settings, run.as_of, ["score", "audit"], [*skewed, *checks])
    sections.append(("The last runs", trend_section([], lately)))
    path = f"lists/{batch.id}.html"
    save(run.settings.home / "reports" / path, page(f"Lists {batch.id}", _lead(checks, beside), sections))
    return path


def _lead(checks: Sequence[Check], beside: BesideLive) -> str:
    stopped = blocking(checks)
    told = f"{beside.readers:,} readers, {beside.articles:,} different articles."
    if not checks:
        return f"A shadow, shown to nobody: {told}"
    return f"Refused: {len(stopped)} of {len(checks)} checks failed. {told}" if stopped else f"Sound: {told}"


def _mix(batch: Reference, features: str) -> dict[str, list[tuple[str, float]]]:
    """The shares of all places by kind and name, largest first."""
    with duck.connect() as connection:
        connection.read_parquet(str(Path(batch.uri) / "lists.parquet")).create_view("listed")
        connection.read_parquet(str(Path(features) / "articles" / "part.parquet")).create_view("articles")
        rows = duck.fetch(connection, query("batch/mix")).to_pylist()
    grouped = groupby(rows, key=lambda row: str(row["kind"]))
    return {kind: [(str(row["name"]), float(row["share"])) for row in rows] for kind, rows in grouped}
