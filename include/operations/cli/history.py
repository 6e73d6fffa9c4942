"""`bin/daybreak versions|champions|runs|gaps`: what there is, what happened and what did not, as tables."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from include.core.clock import in_words, now, write_seconds
from include.core.errors import DaybreakError
from include.core.numbers import write_count
from include.core.settings import load_settings
from include.operations.cli.answer import Answer, table
from include.operations.cli.commands import Add, whole_number
from include.operations.gaps import DAYS, LOOP, file_backfill, find_gaps, tell_gaps

MINUTE = "%Y-%m-%d %H:%M"
LATEST = 10


def add_commands(add: Add) -> None:
    """Add the commands with their options."""
    command = add(
        "versions",
        help="list the versions with verdict and present state",
        about="List the registered versions, newest first. A version is one trained model; its verdict is promote, ask "
        "or keep (the champion), and one version at a time is champion: the one that makes the lists.",
        example="versions",
    )
    _add_limit(command, "versions")
    command.set_defaults(run=list_versions)
    command = add(
        "champions",
        help="list the reigns of champions with their reasons",
        about="List the reigns of champions, newest first: since when, how long, by whom, why, and how long readers "
        "spent per article that the lists showed them.",
        example="champions",
    )
    _add_limit(command, "reigns")
    command.set_defaults(run=list_reigns)
    command = add(
        "runs",
        help="list the latest runs with their outcome, and the next runs",
        about="List the latest runs of DAGs and commands, newest first, with the moment they worked as of and the "
        "outcome; then when each DAG runs next. The demo's newsroom is listed only when it is named.",
        example="runs retrain --limit 5",
    )
    command.add_argument("name", nargs="?", metavar="NAME", help="only runs of this DAG or command, such as retrain")
    _add_limit(command, "runs")
    command.set_defaults(run=list_runs)

    command = add(
        "gaps",
        help="list scheduled runs that are missing or failed, and close the gaps",
        about="List scheduled runs of retrain, recommend and monitor that did not start or failed, and a model that "
        "late data has outdated, each with the command that closes the gap. --fix files one backfill of a DAG in "
        "Airflow; it promotes and publishes nothing.",
        example="gaps --days 30",
    )
    command.add_argument(
        "--days", type=whole_number, default=DAYS, metavar="N", help=f"number of days to look back (default: {DAYS})"
    )
    command.add_argument("--fix", choices=LOOP, metavar="DAG", help=f"file a backfill: {', '.join(LOOP)}")
    command.set_defaults(run=list_gaps)


def _add_limit(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument(
        "--limit", type=whole_number, default=LATEST, metavar="N", help=f"number of {what} to list (default: {LATEST})"
    )


def list_versions(arguments: argparse.Namespace) -> Answer:
    """Return the newest versions."""
    from include.operations.versions import find_versions

    rows = find_versions(load_settings())
    shown = rows[: arguments.limit]
    cells = [
        (
            f"v{row['version']}",
            f"{row['registered_at']:{MINUTE}}",
            row["model"],
            row["verdict"] or "",
            f"{row['state']}{', pinned' if row['is_pinned'] else ''}",
            "" if row["size_bytes"] is None else f"{row['size_bytes'] / 1e6:,.1f} MB".rjust(9),
        )
        for row in shown
    ]
    text = table(cells, ("version", "trained (UTC)", "model", "verdict", "now", "     size"))
    return Answer(
        shown,
        _with_rest(text, len(rows) - len(shown), len(rows)) if rows else "No version is registered yet.",
        marks={"champion": "green", "needs a decision": "yellow", "rolled back": "red"},
    )


def list_reigns(arguments: argparse.Namespace) -> Answer:
    """Return the latest reigns."""
    from include.operations.versions import find_reigns

    rows, moment = find_reigns(load_settings()), now()
    shown = rows[: arguments.limit]
    text = "\n".join(line for row in shown for line in _tell_reign(row, moment))
    return Answer(
        shown,
        _with_rest(text, len(rows) - len(shown), len(rows)) if rows else "No version has been promoted yet.",
        marks={"champion now": "green"},
    )


def _tell_reign(row: Mapping[str, Any], moment: datetime) -> tuple[str, str]:
    length = in_words((row["until"] or moment) - row["since"])
    end = f"to {row['until']:{MINUTE}} UTC, {length}" if row["until"] else f"UTC, {length}, champion now"
    how = "rolled back to" if row["action"] == "rollback" else "promoted"
    measured = f"; {row['seconds_per_article']:.1f} s per article shown" if row["seconds_per_article"] else ""
    version = f"v{row['version']}"
    return f"{version:<6}{row['since']:{MINUTE}} {end}; {how} by {row['actor']}{measured}", f"{'':6}{row['why']}"


def list_runs(arguments: argparse.Namespace) -> Answer:
    """Return the latest runs and the next ones."""
    from include.operations.runs import find_next_runs, find_runs, tell_next

    settings, moment = load_settings(), now()
    rows = find_runs(settings, moment, arguments.name, arguments.limit)
    following = [row for row in find_next_runs(settings) if arguments.name in (None, row["name"])]
    lines = [line for row in rows for line in _tell_run(row)] or ["No run has been recorded."]
    if following:
        lines += ["", f"next  {tell_next(following, moment)}"]
    return Answer({"runs": rows, "next": following}, "\n".join(lines), marks={"Failed": "red", "running": "yellow"})


def list_gaps(arguments: argparse.Namespace) -> Answer:
    """Return the gaps, or file the backfill that closes those of a DAG."""
    settings = load_settings()
    gaps = find_gaps(settings, now(), arguments.days)
    if arguments.fix:
        chosen = [gap for gap in gaps if gap.dag_id == arguments.fix and gap.kind != "outdated"]
        if not chosen:
            raise DaybreakError(
                f"{arguments.fix} has no gaps in the last {arguments.days} days.", hint="`bin/daybreak gaps` lists all."
            )
        moments = [moment for gap in chosen for moment in (gap.first, gap.last)]
        number = file_backfill(settings, arguments.fix, moments, {"reason": "closes gaps"})
        runs = sum(gap.count for gap in chosen)
        told = (
            f"Filed backfill {number} of {arguments.fix} for {write_count(runs, 'run')}, one at a time; it promotes "
            f"and publishes nothing. Progress: {settings.airflow_url}/dags/{arguments.fix}/backfills"
        )
        return Answer({"backfill": number, "runs": runs, "gaps": [asdict(gap) for gap in chosen]}, told)
    lines = [line for gap in gaps for line in (gap.sentence, f"  {gap.command}")]
    return Answer([asdict(gap) for gap in gaps], "\n".join(lines) or tell_gaps(gaps, arguments.days))


def _tell_run(row: Mapping[str, Any]) -> tuple[str, str]:
    ended = row["ended_at"]
    took = f", took {write_seconds((ended - row['started_at']).total_seconds())}" if ended else f", {row['state']}"
    about = f"{row['how']}; as of {row['as_of']:{MINUTE}}{took}"
    return f"{row['started_at']:{MINUTE}}  {row['name']}: {about}", f"{'':18}{row['outcome']}"


def _with_rest(text: str, more: int, whole: int) -> str:
    return f"{text}\n… and {more:,} older; --limit {whole} lists all." if more else text
