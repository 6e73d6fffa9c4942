"""Lists held against the catalogue they were made from: what is listed is there, live, sound and unread.

Belongs here: checks that need articles and reads of the lists' moment. What the rows in PostgreSQL must be is
`batch.py`'s.
"""

from __future__ import annotations

from pathlib import Path

from include.adapters import duck
from include.adapters.warehouse import query
from include.checks import Check, at_least, at_most
from include.settings import Settings

SUBJECT = "lists"
MOST_ALIKE_SHARE = 0.9


def audit_lists(settings: Settings, lists: Path, build: Path) -> list[Check]:
    """The checks on the file of lists, with the feature build that it was made from."""
    with duck.connect() as connection:
        connection.read_parquet(str(lists)).create_view("listed")
        for name in ("articles", "reads"):
            connection.read_parquet(str(build / name / "part.parquet")).create_view(name)
        parameters = {"article_max_age_hours": settings.article_max_age_hours}
        (row,) = duck.fetch(connection, query("batch/against_catalogue"), parameters).to_pylist()

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
