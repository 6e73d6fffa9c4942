"""`bin/daybreak newsroom play|return|scenario`: the demo publisher from the command line."""

from __future__ import annotations

import argparse
import json

from include.core.clock import now, parse_moment
from include.core.settings import load_settings
from include.operations.cli.commands import commands_of


def add_newsroom(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `newsroom`."""
    add = commands_of(parser)
    command = add("play", help="create the demo newsroom, or continue it where it stopped")
    command.add_argument("--until", help="moment to play up to, ISO 8601 (default: now)")
    command.add_argument("--days", type=int, default=14, help="first call only: days of history (default: 14)")
    command.add_argument("--readers", type=int, help="first call only: number of readers (default: 3000)")
    command.add_argument("--articles-per-day", type=int, help="first call only: articles a day (default: 1430)")
    command.add_argument("--seed", type=int, help="first call only: seed (default: 7)")
    command.set_defaults(run=_play)
    command = add("return", help="point the views in source at the demo again, after you loaded your own log")
    command.set_defaults(run=_return)
    command = add("scenario", help="start a rehearsal of a real publisher's trouble")
    command.add_argument(
        "name",
        choices=["drift", "breaking", "outage", "corrupt", "late"],
        help="drift: tastes change; breaking: one story draws every reader; outage: the log misses hours of visits; "
        "corrupt: wrong rows; late: rows that arrive a day or two late",
    )
    command.set_defaults(run=_scenario)


def _play(arguments: argparse.Namespace) -> None:
    from include.operations.demo import newsroom

    counts = newsroom.play(
        load_settings(),
        until=parse_moment(arguments.until) if arguments.until else now(),
        days=arguments.days,
        readers=arguments.readers,
        articles_per_day=arguments.articles_per_day,
        seed=arguments.seed,
    )
    print(json.dumps(counts, default=str))


def _return(arguments: argparse.Namespace) -> None:
    from include.operations.demo import newsroom

    newsroom.show(load_settings())
    print("The views in source show the demo newsroom; `bin/daybreak newsroom play` continues it.")


def _scenario(arguments: argparse.Namespace) -> None:
    from include.operations.demo.newsroom import scenarios

    print(json.dumps(getattr(scenarios, arguments.name)(load_settings()), default=str))
