"""Holds: a freeze stops all promotions until its end, a pin keeps one version as champion. Both have a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from include.adapters.warehouse import Connection, query

Kind = Literal["freeze", "pin"]


@dataclass(frozen=True)
class Hold:
    """A hold that is in force."""

    kind: Kind
    version: int | None
    until: datetime | None
    reason: str
    actor: str
    set_at: datetime

    def tell(self) -> str:
        """Describe the hold in one sentence."""
        end = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else ""
        what = f"v{self.version} is pinned" if self.kind == "pin" else "Promotions are frozen"
        return f"{what}{end}, by {self.actor}: {self.reason.rstrip('.')}."


def lock(warehouse: Connection) -> None:
    """Lock holds until commit, so that a promotion that was allowed commits before any new hold."""
    warehouse.execute(query("judging/lock_holds"))


def find_holds(warehouse: Connection, moment: datetime) -> list[Hold]:
    """Return the holds in force at this moment."""
    with warehouse.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(query("judging/active_holds"), {"moment": moment}).fetchall()


def forbid(holds: Sequence[Hold], version: int) -> str:
    """Return why this version may not become champion now; empty if it may."""
    return " ".join(hold.tell() for hold in holds if hold.kind == "freeze" or hold.version != version)


def set_hold(
    warehouse: Connection,
    kind: Kind,
    *,
    reason: str,
    actor: str,
    moment: datetime,
    version: int | None = None,
    until: datetime | None = None,
) -> Hold:
    """Set a hold in place of an earlier one of its kind, after any promotion under way has ended; return it."""
    lock(warehouse)
    lift(warehouse, kind, actor=actor, moment=moment)
    hold = Hold(kind, version, until, reason, actor, moment)
    warehouse.execute(query("judging/set_hold"), vars(hold))
    return hold


def lift(warehouse: Connection, kind: Kind, *, actor: str, moment: datetime) -> int:
    """Lift the holds of this kind; return how many."""
    values = {"kind": kind, "actor": actor, "moment": moment}
    return len(warehouse.execute(query("judging/lift_hold"), values).fetchall())
