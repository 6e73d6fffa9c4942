"""`bin/daybreak quarantine list|show|replay`: count quarantined rows, show them in full, bring them back."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from include.core.errors import DaybreakError
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, commands_of, suggest, whole_number
from include.operations.cli.progress import ticking
from include.operations.cli.runs import new_run

if TYPE_CHECKING:
    from include.validation.quarantine.rows import Wish

MOST_SHOWN = 10


def add_quarantine(add: Add) -> None:
    """Add `quarantine` and its actions."""
    group = add(
        "quarantine",
        help="list, show or replay quarantined rows",
        about="Rows of the publisher that break a rule (docs/checks.md) are quarantined: they are left out and kept "
        "whole, with the reason, until a person brings them back.",
        example="quarantine list",
        facts=False,
    )
    add = commands_of(group)
    command = add(
        "list",
        help="count quarantined rows by table and check, newest first",
        about="Count the rows that each check quarantined. A row counts once, however many snapshots (the publisher's "
        "rows as of a moment) hold it.",
        example="quarantine list --table articles",
    )
    _add_filters(command)
    command.set_defaults(run=list_counts)
    command = add(
        "show",
        help="show quarantined rows in full",
        about="Show rows whole, with the rules they break and what became of them. Name them by key or by check.",
        example="quarantine show reading_events --code EVT107",
    )
    command.add_argument("table", metavar="TABLE", help="subscribers, articles or reading_events")
    command.add_argument("key", nargs="?", metavar="KEY", help="the row's primary key")
    _add_filters(command, table=False)
    command.add_argument(
        "--limit",
        type=whole_number,
        default=MOST_SHOWN,
        metavar="ROWS",
        help=f"maximum number of rows to show (default: {MOST_SHOWN})",
    )
    command.set_defaults(run=show)
    command = add(
        "replay",
        help="bring rows back after a fix",
        about="Try the quarantined rows of one snapshot again, with the publisher's current content. If the snapshot "
        "then passes every check, the rows come back in a new clean version of it.",
        example="quarantine replay --dry-run",
    )
    _add_filters(command)
    command.add_argument("--dry-run", action="store_true", help="list what would come back, change nothing")
    command.set_defaults(run=bring_back)
    group.list_commands({"actions": group.summaries})


def _add_filters(command: argparse.ArgumentParser, *, table: bool = True) -> None:
    command.add_argument("--snapshot", metavar="ID", help="only rows of this raw snapshot")
    if table:
        command.add_argument("--table", metavar="TABLE", help="only rows of this table")
    command.add_argument("--code", metavar="CODE", help="only rows quarantined by this check (docs/checks.md)")


def _wish(arguments: argparse.Namespace) -> Wish:
    from include.core.contract import TABLES
    from include.validation.quarantine.rows import Wish

    tables = [table.name for table in TABLES]
    if arguments.table not in (None, *tables):
        raise DaybreakError(
            f"There is no table {arguments.table}.",
            hint=f"{suggest(arguments.table, tables)}name one of {', '.join(tables)}.",
        )
    return Wish(arguments.snapshot, arguments.table, arguments.code.upper() if arguments.code else None)


def list_counts(arguments: argparse.Namespace) -> Answer:
    """Return the counts."""
    from include.validation.quarantine import rows as quarantine

    wish = _wish(arguments)
    rows = quarantine.count_rows(load_settings(), wish)
    return Answer(rows, quarantine.tell_counts(rows, wish))


def show(arguments: argparse.Namespace) -> Answer:
    """Return rows in full."""
    from include.validation.quarantine import rows as quarantine

    rows = quarantine.find_rows(load_settings(), _wish(arguments), arguments.key, arguments.limit)
    facts = [{**row, "original": json.loads(row["original"])} for row in rows]
    told = [quarantine.tell_row(row) for row in rows]
    if (found := rows[0]["found"]) > len(rows):
        told.append(f"… and {found - len(rows):,} more; --limit {found} shows all.")
    return Answer(facts, "\n\n".join(told))


def bring_back(arguments: argparse.Namespace) -> Answer:
    """Bring rows back, or list them in a dry run; return the result with the next step."""
    from include.pipeline import replaying
    from include.validation.quarantine import rows as quarantine

    settings, wish = load_settings(), _wish(arguments)
    snapshot_id = quarantine.newest_snapshot(settings, wish)
    raw = replaying.find_raw(settings, snapshot_id)
    run = new_run("replay", raw.as_of, settings)
    with ticking(f"replay of {snapshot_id}"):
        if arguments.dry_run:
            facts, clean_id = replaying.try_again(run, raw, wish, dry_run=True).facts(), None
        else:
            made = replaying.replay(run, snapshot_id, wish)
            facts, clean_id = dict(made.facts or {}), made.id
    return Answer({**facts, "clean_snapshot_id": clean_id}, replaying.describe_replay(facts, clean_id))
