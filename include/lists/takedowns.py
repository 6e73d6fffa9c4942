"""Takedowns: articles that a person keeps from readers, from one moment to the next.

`recs.current` shows none of them, so no batch has to be changed, and none that is published or brought back later can
show one. Lists are made without them, so that they are full again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from include.adapters.warehouse import Connection, query


@dataclass(frozen=True)
class Takedown:
    """A takedown that is in force."""

    article_id: int
    reason: str
    actor: str
    taken_down_at: datetime

    def tell(self) -> str:
        """Describe the takedown in one sentence."""
        return (
            f"Article {self.article_id} was taken down at {self.taken_down_at:%Y-%m-%d %H:%M} UTC by {self.actor}: "
            f"{self.reason.rstrip('.')}."
        )


def find_takedowns(warehouse: Connection) -> list[Takedown]:
    """Return the takedowns in force, newest first."""
    with warehouse.cursor(row_factory=class_row(Takedown)) as cursor:
        return cursor.execute(query("lists/takedowns")).fetchall()


def count_readers(warehouse: Connection, article_id: int) -> int:
    """Return how many readers see the article in their lists."""
    (readers,) = warehouse.execute(query("lists/readers_with"), {"article_id": article_id}).fetchone() or (0,)
    return int(readers)


def take_down(warehouse: Connection, article_id: int, *, reason: str, actor: str, moment: datetime) -> bool:
    """Keep the article from readers; return False if it is kept from them already."""
    row = {"article_id": article_id, "reason": reason, "actor": actor, "moment": moment}
    return warehouse.execute(query("lists/take_down"), row).fetchone() is not None


def lift(warehouse: Connection, article_id: int, *, actor: str, moment: datetime) -> bool:
    """Let lists show the article again; return False if it was not taken down."""
    row = {"article_id": article_id, "actor": actor, "moment": moment}
    return warehouse.execute(query("lists/lift_takedown"), row).fetchone() is not None
