"""`bin/daybreak backfill`: do past days again, oldest first, and say what each gave."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from include.core.clock import now, parse_moment, refuse_future
from include.core.errors import DaybreakError
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, add_model, whole_number
from include.operations.cli.progress import say, show_stage
from include.operations.cli.runs import new_run

if TYPE_CHECKING:
    from include.pipeline.orders import PastDay

MOST_DAYS = 366
COLUMNS = ("as of (UTC)", "rows read", "quarantined", "trained", "judged against", "outcome")


def add_backfill(add: Add) -> None:
    """Add `backfill` with its options."""
    command = add(
        "backfill",
        help="do past days again, up to training and judging; promote nothing",
        about="Do past days again, oldest first, each as of its own moment, and end with a table of what was read, "
        "trained and judged. A day meets the champion of that day, and nothing is promoted.",
        example="backfill --from 2026-11-16 --to 2026-11-20 --mode train",
    )
    command.add_argument(
        "--from",
        dest="start",
        required=True,
        metavar="MOMENT",
        help="first moment to work as of, ISO 8601; a night's run works as of T03:00",
    )
    command.add_argument("--to", dest="end", required=True, metavar="MOMENT", help="last moment; one day apart each")
    command.add_argument(
        "--mode",
        choices=["data", "features", "train"],
        default="data",
        help="data extracts and validates; features also builds features; train also trains and judges, and promotes "
        "nothing (default: data)",
    )
    command.add_argument(
        "--chained", action="store_true", help="judge each day against the version that won the day before"
    )
    add_model(command, "train")
    command.add_argument(
        "--window-days", type=whole_number, metavar="DAYS", help="days of reading to read (default: the setting)"
    )
    command.add_argument("--reason", help="reason, for the record")
    command.set_defaults(run=backfill)


def backfill(arguments: argparse.Namespace) -> Answer:
    """Do every day and return a table; it fails at the end if a day failed."""
    from include.pipeline.orders import repeat_day

    form = {name: getattr(arguments, name) for name in ("mode", "model", "window_days", "reason")}
    form |= {"from": arguments.start, "to": arguments.end, "chained": arguments.chained or None}
    done: list[PastDay] = []
    for moment in find_moments(parse_moment(arguments.start), parse_moment(arguments.end)):
        say(f"{moment:%Y-%m-%d %H:%M} UTC")
        run = replace(new_run("backfill", moment, **form), kind="backfill", mode="dry_run", may_go_live=False)
        done.append(repeat_day(run, arguments.mode, arguments.window_days, arguments.model, show_stage))
    failed = [day for day in done if day.outcome.startswith("failed")]
    failure = (
        DaybreakError(
            f"{len(failed)} of {len(done)} days failed; the others are kept.",
            hint=f"remove the cause, then repeat with --from {failed[0].as_of:%Y-%m-%dT%H:%M}.",
        )
        if failed
        else None
    )
    return Answer([asdict(day) for day in done], "\n".join(render(done)), failure=failure, marks={"failed": "red"})


def find_moments(start: datetime, end: datetime) -> list[datetime]:
    """Return the moments from start to end, a day apart; refuse none, too many, and the future."""
    refuse_future(end, now())
    count = (end - start).days + 1
    if end < start or count > MOST_DAYS:
        raise DaybreakError(
            f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC is not a range of 1 to {MOST_DAYS} days.",
            hint="give --from and --to, the earlier one first.",
        )
    return [start + timedelta(days=number) for number in range(count)]


def render(days: Sequence[PastDay]) -> Iterator[str]:
    """Yield the lines of the table."""
    rows = [COLUMNS, *map(_cells, days)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    is_number = (False, True, True, False, False, False)
    for row in rows:
        cells = zip(row, widths, is_number, strict=True)
        yield "  ".join(_align(cell, width, right) for cell, width, right in cells).rstrip()


def _cells(day: PastDay) -> tuple[str, ...]:
    counts = ["" if count is None else f"{count:,}" for count in (day.read, day.quarantined)]
    return (f"{day.as_of:%Y-%m-%d %H:%M}", *counts, day.version, day.rival, day.outcome)


def _align(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
