"""Quarantined rows for people: counts, content, and what became of them.

Belongs here: reading `quarantine.*` and wording it. Does not belong here: quarantining rows (`judgement.py`) or
bringing them back (`include/pipeline/replaying.py`).
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

Row = dict[str, Any]


class NothingWaits(DaybreakError):
    """No quarantined row that fits the wish still waits."""


@dataclass(frozen=True)
class Wish:
    """The rows a person asks for; None means any."""

    snapshot: str | None = None
    table: str | None = None
    code: str | None = None

    def words(self) -> str:
        """Return the wish as a person reads it."""
        parts = [f"{name} {value}" for name, value in asdict(self).items() if value]
        return f" for {', '.join(parts)}" if parts else ""


def count_rows(settings: Settings, wish: Wish) -> list[Row]:
    """Count the distinct rows that each check quarantined per table, newest first.

    `stopped` is the sentence of the check if it stopped the newest run: then only examples of its rows are kept.
    """
    return _read(settings, "count", asdict(wish))


def find_rows(settings: Settings, wish: Wish, key: str | None, limit: int) -> list[Row]:
    """Return the wanted rows of a table, whole, latest first; raise with what exists if there are none.

    `found` is the number of rows that fit, however many are returned.
    """
    if key is None and wish.code is None:
        raise DaybreakError(
            f"Name the rows of {wish.table} by key or by check.",
            hint="add a key, or a check with --code; `bin/daybreak quarantine list` counts rows per check.",
        )
    found = _read(settings, "show", {**asdict(wish), "key": key, "limit": limit})
    if not found:
        there = _read(settings, "count", {"snapshot": None, "table": wish.table, "code": None})
        codes = sorted({row["code"] for row in there})
        raise DaybreakError(
            f"No row of {wish.table} is quarantined{f' under key {key}' if key else ''}"
            f"{Wish(wish.snapshot, None, wish.code).words()}.",
            hint=f"{wish.table} has rows under {', '.join(codes)}; `bin/daybreak quarantine list` counts them."
            if codes
            else f"{wish.table} has no quarantined rows; `bin/daybreak quarantine list` shows all tables.",
        )
    return found


def newest_snapshot(settings: Settings, wish: Wish) -> str:
    """Return the named snapshot, else the newest training one where such rows wait; else raise `NothingWaits`."""
    if wish.snapshot:
        return wish.snapshot
    found = _read(settings, "newest", asdict(wish))
    if not found:
        raise NothingWaits(
            f"No row waits in quarantine{wish.words()}.",
            hint="`bin/daybreak quarantine list` shows which rows are quarantined and which came back; "
            "name a snapshot to try rows that came back once more.",
        )
    return str(found[0]["snapshot_id"])


def tell_counts(rows: Sequence[Row], wish: Wish) -> str:
    """Return the counts as text, two lines for each check, and what to do next."""
    if not rows:
        return (
            f"No rows are quarantined{wish.words()}. Rows appear here when `validate` finds broken ones "
            "(docs/checks.md lists the rules)."
        )
    lines = []
    for row in rows:
        first, last = f"{row['first_at']:{MINUTE}}", f"{row['last_at']:{MINUTE}}"
        when = last if first == last else f"{first} to {last}"
        where = "1 snapshot" if row["snapshots"] == 1 else f"{row['snapshots']:,} snapshots, the newest"
        lines.append(f"{row['table']:<14}  {row['code']}  {row['rows']:>7,} {_rows(row['rows'])}, {_state(row)}")
        lines.append(f"{'':16}{row['reason']}; {when}, in {where} {row['snapshot_id']}")
        if row["stopped"]:
            lines.append(f"{'':16}The newest run was stopped, so only examples are kept: {row['stopped']}")
        if row["replayed_into"]:
            lines.append(f"{'':16}came back in {', '.join(row['replayed_into'])}")
    lines.append("")
    lines.append("Look at rows:   bin/daybreak quarantine show TABLE --code CODE")
    lines.append("After a fix:    bin/daybreak quarantine replay --dry-run")
    return "\n".join(lines)


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _state(row: Row) -> str:
    waiting = row["rows"] - row["replayed"]
    tried = ", tried again and still broken" if row["tried_at"] and not row["replayed"] else ""
    parts = [f"{waiting:,} waiting{tried}"] if waiting else []
    return " and ".join([*parts, *([f"{row['replayed']:,} back"] if row["replayed"] else [])])


def tell_row(row: Row) -> str:
    """Return one row as text, column by column, with what was wrong and what became of it."""
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
