"""`bin/daybreak backfill`: do past days again, oldest first, and say what each gave."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from include.core.clock import compact, now, parse_moment, refuse_future
from include.core.errors import DaybreakError, SettingsError
from include.core.numbers import write_count
from include.core.settings import Settings, load_settings
from include.operations.backfill_report import conclude, report, tell_mending, tell_state
from include.operations.backfills import FAILED, MISSING, OF_COMMANDS, Backfill, Day, find_backfill, list_days
from include.operations.cli import decisions
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, add_model, whole_number
from include.operations.cli.progress import say, show_stage
from include.operations.cli.runs import new_run
from include.operations.gaps import file_backfill
from include.pipeline.decide import CONFIRMED, OF_BACKFILL, mode_before_last, refuse_unconfirmed

MOST_DAYS = 366
COLUMNS = ("as of (UTC)", "rows read", "quarantined", "trained", "judged against", "would have changed", "outcome")


def add_backfill(add: Add) -> None:
    """Add `backfill` with its options."""
    command = add(
        "backfill",
        help="do past days again, up to a verdict, and report on them",
        about="Do past days again, oldest first, each as of its own moment, and end with a table of what was read, "
        "trained and judged, and what it would have changed. A day meets the champion of that day. Nothing is promoted "
        f"but with --mode enforce --confirm {CONFIRMED}, and only while the champion of that day still is champion: of "
        "several days, the first winner is promoted.",
        example="backfill --from 2026-11-16T03:00 --to 2026-11-20T03:00",
    )
    command.add_argument(
        "action",
        nargs="?",
        choices=["report", "again"],
        metavar="ACTION",
        help="report: show a backfill of Airflow or of this command, also one that goes on; again: file a backfill in "
        "Airflow for the failed and missing runs of one",
    )
    command.add_argument(
        "name", nargs="?", default="last", metavar="ID", help="the backfill: its number in Airflow, or last"
    )
    command.add_argument(
        "--from",
        dest="start",
        metavar="MOMENT",
        help="first moment to work as of, ISO 8601; a night's run works as of T03:00",
    )
    command.add_argument("--to", dest="end", metavar="MOMENT", help="last moment; one day apart each")
    decisions.add_mode(command, OF_BACKFILL)
    command.add_argument(
        "--confirm", metavar="WORD", help=f"with --mode enforce, type {CONFIRMED} to let the backfill promote"
    )
    command.add_argument(
        "--train-once",
        action="store_true",
        help="train and judge on the last day only; the others end with their features",
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
    """Do every day and return a table, or report a backfill, or do its failed days again."""
    if arguments.action == "report":
        return tell_backfill(load_settings(), find_backfill(load_settings(), arguments.name, now()))
    if arguments.action == "again":
        return do_again(load_settings(), arguments.name)
    if not (arguments.start and arguments.end):
        raise SettingsError("A backfill needs its days.", hint="give --from and --to.")
    return do_days(arguments)


def do_days(arguments: argparse.Namespace) -> Answer:
    """Do every day and return a table; it fails at the end if a day failed."""
    from include.pipeline import orders

    refuse_unconfirmed(arguments.mode, arguments.confirm)
    mode = arguments.mode or OF_BACKFILL
    form = {name: getattr(arguments, name) for name in ("model", "window_days", "confirm", "reason")}
    form |= {"mode": mode, "from": arguments.start, "to": arguments.end}
    form |= {name: getattr(arguments, name) or None for name in ("chained", "train_once")}
    settings, name = load_settings(), compact(now())
    moments = find_moments(parse_moment(arguments.start), parse_moment(arguments.end))
    for moment in moments:
        say(f"{moment:%Y-%m-%d %H:%M} UTC")
        run = replace(
            new_run("backfill", moment, settings, **form),
            run_id=f"{OF_COMMANDS}{name}/{compact(moment)}",
            kind="backfill",
            may_go_live=arguments.confirm == CONFIRMED,
        )
        reach = mode_before_last(mode) if arguments.train_once and moment != moments[-1] else mode
        try:
            orders.retrain(run, arguments.window_days, arguments.model, reach, show_stage, decisions.announce_question)
        except DaybreakError as error:  # the next days can be done all the same
            say(error.fact)
    found = find_backfill(settings, name, now())
    report(settings, found)
    return tell_backfill(settings, found)


def do_again(settings: Settings, name: str) -> Answer:
    """File a backfill in Airflow for the failed and missing runs of one."""
    found = find_backfill(settings, name, now())
    broken = [day.as_of for day in found.of_state(FAILED, MISSING)]
    if not broken or not found.is_of_airflow:
        hint = tell_mending(found) or "nothing is to be done."
        raise DaybreakError(f"Backfill {found.backfill_id} has no run in Airflow to do again.", hint=hint)
    number = file_backfill(settings, found.dag_id, broken, found.mending_form)
    told = f"Filed backfill {number} of {found.dag_id} for {write_count(len(broken), 'run')}, one at a time."
    return Answer({"backfill": number, "runs": len(broken)}, told)


def find_moments(start: datetime, end: datetime) -> list[datetime]:
    """Return the moments from start to end, a day apart; refuse none, too many, and the future."""
    refuse_future(end, now())
    if end < start or (end - start).days >= MOST_DAYS:
        raise DaybreakError(
            f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC is not a range of 1 to {MOST_DAYS} days.",
            hint="give --from and --to, the earlier one first.",
        )
    return list_days(start, end)


def tell_backfill(settings: Settings, found: Backfill) -> Answer:
    """Return the days as a table, the result, and the way to the page; the answer fails if a day failed."""
    broken, page = found.of_state(FAILED, MISSING), f"backfills/{found.backfill_id}.html"
    mending = tell_mending(found)
    lines = [*render(found.days), "", conclude(found)]
    if (settings.home / "reports" / page).exists():
        lines.append(f"report  {settings.report_link(page)}")
    failure = (
        DaybreakError(
            f"{tell_state(found)}; what was done is kept.",
            hint=f"remove the cause, then run `{mending}`." if mending else "start it again with another form.",
        )
        if broken
        else None
    )
    return Answer(asdict(found), "\n".join(lines), failure=failure, marks={"Failed": "red"})


def render(days: Sequence[Day]) -> Iterator[str]:
    """Yield the lines of the table."""
    rows = [COLUMNS, *map(_cells, days)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    is_number = (False, True, True, False, False, False, False)
    for row in rows:
        cells = zip(row, widths, is_number, strict=True)
        yield "  ".join(_align(cell, width, right) for cell, width, right in cells).rstrip()


def _cells(day: Day) -> tuple[str, ...]:
    counts = ["" if count is None else f"{count:,}" for count in (day.read, day.quarantined)]
    return (f"{day.as_of:%Y-%m-%d %H:%M}", *counts, day.version, day.rival, day.change, day.outcome)


def _align(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)
