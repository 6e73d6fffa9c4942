"""Audit lists before they go live: complete in PostgreSQL, with only live, unread articles that exist."""

from __future__ import annotations

from pathlib import Path

from include.adapters import duck
from include.adapters.warehouse import Connection, connect, query
from include.core.checks import Check, at_least, at_most, blocking
from include.core.numbers import write_number
from include.core.references import Reference
from include.core.settings import Settings
from include.lists import batch as batches

SUBJECT = "lists"  # the same for all batches, so that a check can be followed from run to run
MOST_ALIKE_SHARE = 0.9


def audit_lists(settings: Settings, lists: Path, build: Path) -> list[Check]:
    """Check the file of lists against the feature build that it was made from."""
    with duck.connect() as connection:
        connection.read_parquet(str(lists)).create_view("listed")
        for name in ("articles", "reads"):
            connection.read_parquet(str(build / name / "part.parquet")).create_view(name)
        parameters = {"article_max_age_hours": settings.article_max_age_hours}
        (row,) = duck.fetch(connection, duck.query("lists/against_catalogue"), parameters).to_pylist()
    alike = row["most_alike"] / row["readers"] if row["readers"] else None
    unknown, flagged, not_live, read = (row[f"{name}_rows"] for name in ("unknown", "flagged", "dead", "read"))
    return [
        _allow_none(
            "PB106",
            "Unknown articles",
            unknown,
            "All articles are in the snapshot.",
            "Places with an article that is not in the snapshot",
        ),
        _allow_none(
            "PB107",
            "Flagged articles",
            flagged,
            "No list holds a flagged article.",
            "Places with an article that the publisher flagged",
        ),
        _allow_none(
            "PB108",
            "Articles that are not live",
            not_live,
            "All articles are live.",
            "Places with an article that was not available yet or is too old",
        ),
        _allow_none(
            "PB109",
            "Articles already read",
            read,
            "No list holds an article that its reader has read.",
            "Places with an article that the reader has already read",
        ),
        at_most(
            "PB110",
            "Identical lists",
            SUBJECT,
            alike,
            MOST_ALIKE_SHARE,
            f"{row['most_alike'] or 0:,} of {row['readers']:,} readers have the same list; at most "
            f"{write_number(MOST_ALIKE_SHARE, 'share')} may.",
            severity="warn",
        ),
        at_least(
            "PB111",
            "Different articles",
            SUBJECT,
            row["articles"],
            settings.list_length + 1,
            f"The lists hold {row['articles']:,} different articles; at least {settings.list_length + 1:,} are needed.",
            severity="warn",
        ),
    ]


def audit_rows(warehouse: Connection, batch_id: str, list_length: int, expected_readers: int) -> list[Check]:
    """Check the rows of a batch in the database, before readers see them."""
    row = warehouse.execute(query("lists/audit"), {"batch_id": batch_id, "list_length": list_length}).fetchone()
    readers, full, repeats, gaps, unscored = row or (0, 0, 0, 0, 0)
    return [
        at_least(
            "PB101",
            "Readers with a list",
            SUBJECT,
            readers,
            max(1, expected_readers),
            f"{_few(readers, expected_readers)} of {expected_readers:,} readers have a list.",
        ),
        at_least(
            "PB102",
            "Full lists",
            SUBJECT,
            full,
            max(1, readers),
            f"{_few(full, readers)} of {readers:,} lists have {list_length} articles.",
            severity="warn",
        ),
        _allow_none(
            "PB103", "Repeated articles", repeats, "No list holds an article twice.", "Lists with a repeated article"
        ),
        _allow_none(
            "PB104",
            "Gaps in the ranks",
            gaps,
            "The ranks run from 1 without a gap.",
            "Lists with a gap in their ranks",
        ),
        _allow_none(
            "PB105", "Finite scores", unscored, "All scores are finite numbers.", "Scores that are not finite numbers"
        ),
    ]


def _allow_none(code: str, title: str, count: int | None, passed: str, failed: str) -> Check:
    """Return a check that fails if there is any case; `failed` names the cases."""
    return at_most(code, title, SUBJECT, count, 0, passed if count == 0 else f"{failed}: {count or 0:,}.")


def _few(count: int, wanted: int) -> str:
    return f"{count:,}" if count >= wanted else f"Only {count:,}"


def audit_written(settings: Settings, lists: Reference, features: str, asked: int) -> list[Check]:
    """Check lists that were written, and set their batch to `audited` or `refused`; return every check."""
    checks = audit_lists(settings, Path(lists.uri) / "lists.parquet", Path(features))
    with connect(settings) as warehouse:
        checks += audit_rows(warehouse, lists.id, settings.list_length, asked)
        batches.set_status(warehouse, lists.id, "refused" if blocking(checks) else "audited")
    return checks
