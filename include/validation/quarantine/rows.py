"""Rows that were set aside, for people: how many, which, whole, and what became of them.

Belongs here: reading `quarantine.*` and wording it. Does not belong here: setting rows aside (`validation.py`) or
bringing them back (`replay.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from textwrap import shorten
from typing import Any

from psycopg.rows import dict_row

from include.adapters.warehouse import connect, query
from include.core.contract import TABLES
from include.core.errors import DaybreakError
from include.core.settings import Settings

MINUTE = "%Y-%m-%d %H:%M"
LONGEST_VALUE = 400
SHOWN_SNAPSHOTS = 10

Row = dict[str, Any]


class NothingWaits(DaybreakError):
    """No row that is set aside fits the wish and has not come back yet."""


@dataclass(frozen=True)
class Wish:
    """Which rows are meant; what is None leaves the choice open."""

    snapshot: str | None = None
    table: str | None = None
    code: str | None = None

    def words(self) -> str:
        """The wish as a person reads it."""
        parts = [f"{name} {value}" for name, value in asdict(self).items() if value]
        return f" for {', '.join(parts)}" if parts else ""


def count_rows(settings: Settings, wish: Wish) -> list[Row]:
    """How many rows each check set aside per snapshot and table, newest snapshots first."""
    return _read(settings, "count", asdict(wish))


def find_rows(settings: Settings, wish: Wish, key: str | None, limit: int) -> list[Row]:
    """The rows of a table that are meant, whole, the latest first; none is an error that says what there is."""
    if key is None and wish.code is None:
        raise DaybreakError(
            f"Which rows of {wish.table} are meant is open.",
            hint="name a key, or a check with --code; `bin/daybreak quarantine list` counts rows per check.",
        )
    found = _read(settings, "show", {**asdict(wish), "key": key, "limit": limit})
    if not found:
        there = _read(settings, "count", {"snapshot": None, "table": wish.table, "code": None})
        codes = sorted({row["code"] for row in there})
        raise DaybreakError(
            f"No row of {wish.table} is set aside{f' under key {key}' if key else ''}"
            f"{Wish(wish.snapshot, None, wish.code).words()}.",
            hint=f"{wish.table} has rows under {', '.join(codes)}; `bin/daybreak quarantine list` counts them."
            if codes
            else f"nothing of {wish.table} is set aside at all.",
        )
    return found


def newest_snapshot(settings: Settings, wish: Wish) -> str:
    """The snapshot that is named, else the newest training one with such rows that wait; else `NothingWaits`."""
    if wish.snapshot:
        return wish.snapshot
    found = _read(settings, "newest", asdict(wish))
    if not found:
        raise NothingWaits(
            f"No row waits in quarantine{wish.words()}.",
            hint="`bin/daybreak quarantine list` shows what is set aside and what came back; "
            "with its snapshot named, one that came back is tried again all the same.",
        )
    return str(found[0]["snapshot_id"])


def tell_counts(rows: Sequence[Row], wish: Wish, *, whole: bool = False) -> str:
    """The counts as a table a person can read, and what to do next."""
    if not rows:
        return (
            f"Nothing is set aside{wish.words()}. Rows appear here when `validate` finds broken ones "
            "(docs/checks.md says which)."
        )
    snapshots = list(dict.fromkeys(row["snapshot_id"] for row in rows))
    shown = snapshots if whole else snapshots[:SHOWN_SNAPSHOTS]
    lines = []
    for snapshot in shown:
        of_snapshot = [row for row in rows if row["snapshot_id"] == snapshot]
        lines.append(f"snapshot {snapshot}")
        for row in of_snapshot:
            back = f"{row['replayed']:,} back" if row["replayed"] else "tried again" if row["tried_at"] else "waiting"
            first, last = f"{row['first_at']:{MINUTE}}", f"{row['last_at']:{MINUTE}}"
            when = first if first == last else f"{first} to {last}"
            lines.append(
                f"  {row['table']:<14} {row['code']}  {row['rows']:>7,} rows  {back:<12} {when}  {row['reason']}"
            )
        into = sorted({row["replayed_into"] for row in of_snapshot if row["replayed_into"]})
        lines += [f"  came back in {', '.join(into)}"] if into else []
    if len(shown) < len(snapshots):
        lines.append(f"... and {len(snapshots) - len(shown)} older snapshots; --snapshot ID or --json shows them.")
    lines.append("")
    lines.append("Look at rows:   bin/daybreak quarantine show TABLE --code CODE")
    lines.append("After a fix:    bin/daybreak quarantine replay --dry-run")
    return "\n".join(lines)


def tell_row(row: Row) -> str:
    """One row whole, column by column, with what was wrong and what became of it."""
    found = f"in {row['snapshots']} snapshots, the latest" if row["snapshots"] > 1 else "in"
    state = (
        f"came back in {row['replayed_into']} ({row['replayed_at']:{MINUTE}})"
        if row["replayed_into"]
        else f"tried again at {row['tried_at']:{MINUTE}}, still broken"
        if row["tried_at"]
        else "waiting"
    )
    lines = [f"{row['table']} {row['key'] or '(without key)'}: {state}"]
    lines += [f"  breaks  {sentence}" for sentence in row["breaks"]]
    lines.append(f"  found   {found} {row['snapshot_id']}, {row['last_at']:{MINUTE}}")
    original: Mapping[str, Any] = json.loads(row["original"])
    columns = [name for table in TABLES if table.name == row["table"] for name in table.columns.names]
    names = [name for name in columns if name in original] + sorted(original.keys() - set(columns))
    width = max(map(len, names))
    lines += [f"    {name:<{width}}  {_value(original[name])}" for name in names]
    return "\n".join(lines)


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    safe = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return safe if len(safe) <= LONGEST_VALUE else shorten(safe[: LONGEST_VALUE + 1], LONGEST_VALUE, placeholder=" ...")


def _read(settings: Settings, name: str, parameters: Mapping[str, Any]) -> list[Row]:
    with connect(settings) as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(f"validation/quarantine/{name}"), parameters).fetchall()
