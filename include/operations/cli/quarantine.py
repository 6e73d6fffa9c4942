"""`bin/daybreak quarantine list|show|replay`: count quarantined rows, show them in full, bring them back."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from include.core.errors import DaybreakError
from include.core.settings import load_settings
from include.operations.cli.commands import commands_of
from include.operations.cli.runs import new_run

if TYPE_CHECKING:
    from include.validation.quarantine.rows import Wish

MOST_SHOWN = 10


def add_quarantine(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `quarantine`."""
    add = commands_of(parser)
    command = add("list", help="count quarantined rows by snapshot, table and check")
    _add_filters(command)
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=list_counts)
    command = add("show", help="show quarantined rows in full")
    command.add_argument("table", metavar="TABLE", help="subscribers, articles or reading_events")
    command.add_argument("key", nargs="?", help="the row's primary key")
    _add_filters(command, table=False)
    command.add_argument(
        "--limit", type=int, default=MOST_SHOWN, help=f"maximum number of rows to show (default: {MOST_SHOWN})"
    )
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=show)
    command = add("replay", help="after a fix, bring rows back as a new version of the clean snapshot")
    _add_filters(command)
    command.add_argument("--dry-run", action="store_true", help="list what would come back, change nothing")
    command.set_defaults(run=bring_back)


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
        raise DaybreakError(f"There is no table {arguments.table}.", hint=f"name one of {', '.join(tables)}.")
    return Wish(arguments.snapshot, arguments.table, arguments.code.upper() if arguments.code else None)


def list_counts(arguments: argparse.Namespace) -> None:
    """Print the counts."""
    from include.validation.quarantine import rows as quarantine

    wish = _wish(arguments)
    rows = quarantine.count_rows(load_settings(), wish)
    whole = bool(wish.snapshot)
    print(
        json.dumps(rows, indent=1, default=str) if arguments.json else quarantine.tell_counts(rows, wish, whole=whole)
    )


def show(arguments: argparse.Namespace) -> None:
    """Print rows in full."""
    from include.validation.quarantine import rows as quarantine

    if arguments.limit < 1:
        raise DaybreakError(f"--limit {arguments.limit} shows nothing.", hint="give a number of 1 or more.")
    rows = quarantine.find_rows(load_settings(), _wish(arguments), arguments.key, arguments.limit + 1)
    shown = rows[: arguments.limit]
    if arguments.json:
        wanted = [{**row, "original": json.loads(row["original"])} for row in shown]
        print(json.dumps(wanted, indent=1, default=str))
        return
    print("\n\n".join(quarantine.tell_row(row) for row in shown))
    if len(rows) > len(shown):
        print(f"\n... and more; --limit {10 * arguments.limit} shows up to that many.")


def bring_back(arguments: argparse.Namespace) -> None:
    """Bring rows back, or list them in a dry run, and print the result with the next step."""
    from include.pipeline import replaying
    from include.validation.quarantine import rows as quarantine

    settings, wish = load_settings(), _wish(arguments)
    snapshot_id = quarantine.newest_snapshot(settings, wish)
    raw = replaying.find_raw(settings, snapshot_id)
    print(f"        replay of {snapshot_id} …", file=sys.stderr, flush=True)
    run = new_run("replay", raw.as_of, settings)
    if arguments.dry_run:
        print(replaying.describe_replay(replaying.try_again(run, raw, wish, dry_run=True).facts(), None))
        return
    made = replaying.replay(run, snapshot_id, wish)
    print(replaying.describe_replay(dict(made.facts or {}), made.id))
