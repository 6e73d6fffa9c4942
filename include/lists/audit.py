"""The audit of lists before they go live: complete in PostgreSQL, and only articles that exist, are live and unread."""

from __future__ import annotations

from pathlib import Path

from include.adapters import duck
from include.adapters.warehouse import Connection, connect, query
from include.core.checks import Check, at_least, at_most, blocking
from include.core.references import Reference
from include.core.settings import Settings
from include.lists import batch as batches

SUBJECT = "lists"  # one name for all batches, so that a check can be followed from run to run
MOST_ALIKE_SHARE = 0.9


def audit_lists(settings: Settings, lists: Path, build: Path) -> list[Check]:
    """The checks on the file of lists, with the feature build that it was made from."""
    with duck.connect() as connection:
        connection.read_parquet(str(lists)).create_view("listed")
        for name in ("articles", "reads"):
            connection.read_parquet(str(build / name / "part.parquet")).create_view(name)
        parameters = {"article_max_age_hours": settings.article_max_age_hours}
        (row,) = duck.fetch(connection, duck.query("lists/against_catalogue"), parameters).to_pylist()

    def none(code: str, title: str, column: str, what: str) -> Check:
        return at_most(code, title, SUBJECT, row[column], 0, f"{row[column] or 0:,} places hold {what}.")

    alike = row["most_alike"] / row["readers"] if row["readers"] else None
    told = f"{row['most_alike'] or 0:,} of {row['readers']:,} readers have the very same list."
    return [
        none("PB106", "Articles exist", "unknown_rows", "an article that the snapshot does not have"),
        none("PB107", "No flagged article", "flagged_rows", "an article that the publisher has flagged"),
        none("PB108", "Articles are live", "dead_rows", "an article that was not out yet, or is too old"),
        none("PB109", "Nothing read already", "read_rows", "an article that its reader has read"),
        at_most("PB110", "Lists differ", SUBJECT, alike, MOST_ALIKE_SHARE, told, severity="warn"),
        at_least(
            "PB111",
            "More articles than one list",
            SUBJECT,
            row["articles"],
            settings.list_length + 1,
            f"{row['articles']:,} articles are listed in all.",
            severity="warn",
        ),
    ]


def audit_rows(warehouse: Connection, batch_id: str, list_length: int, expected_readers: int) -> list[Check]:
    """The checks a batch must pass before readers see it, made on the rows in the database."""
    row = warehouse.execute(query("lists/audit"), {"batch_id": batch_id, "list_length": list_length}).fetchone()
    readers, full, repeats, gaps, unscored = row or (0, 0, 0, 0, 0)
    return [
        at_least(
            "PB101",
            "Every reader has a list",
            SUBJECT,
            readers,
            max(1, expected_readers),
            f"{readers:,} readers have a list; {expected_readers:,} were asked for.",
        ),
        at_least(
            "PB102",
            "Lists are full",
            SUBJECT,
            full,
            max(1, readers),
            f"{full:,} of {readers:,} readers have {list_length} articles.",
            severity="warn",
        ),
        at_most("PB103", "No article twice", SUBJECT, repeats, 0, f"{repeats:,} readers have an article twice."),
        at_most("PB104", "Ranks run from 1", SUBJECT, gaps, 0, f"{gaps:,} readers have a gap in their ranks."),
        at_most("PB105", "Scores are numbers", SUBJECT, unscored, 0, f"{unscored:,} rows have no finite score."),
    ]


def audit_written(settings: Settings, lists: Reference, features: str, asked: int) -> list[Check]:
    """Every check on lists that were written, after which their batch is `audited` or `refused`."""
    checks = audit_lists(settings, Path(lists.uri) / "lists.parquet", Path(features))
    with connect(settings) as warehouse:
        checks += audit_rows(warehouse, lists.id, settings.list_length, asked)
        batches.set_status(warehouse, lists.id, "refused" if blocking(checks) else "audited")
    return checks
