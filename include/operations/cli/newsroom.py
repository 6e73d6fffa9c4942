"""`bin/daybreak newsroom play|return|scenario`: the demo publisher from the command line."""

from __future__ import annotations

import argparse
import json

from include.core.clock import now, parse_moment
from include.core.settings import load_settings


def add_newsroom(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `newsroom`."""
    add = parser.add_subparsers(required=True, metavar="ACTION").add_parser
    word = add("play", help="play on from where it stopped, up to now")
    word.add_argument("--until", help="ISO 8601 (default: now)")
    word.add_argument("--days", type=int, default=14, help="days of history on the first call")
    word.add_argument("--readers", type=int, help="size of the world, on the first call")
    word.add_argument("--articles-per-day", type=int, help="size of the world, on the first call")
    word.add_argument("--seed", type=int, help="seed of the world, on the first call")
    word.set_defaults(run=_play)
    word = add("return", help="show the demo in the views of source again, after you loaded your own log")
    word.set_defaults(run=_return)
    word = add("scenario", help="start a scenario: drift, breaking, outage, corrupt or late")
    word.add_argument("name", choices=["drift", "breaking", "outage", "corrupt", "late"])
    word.set_defaults(run=_scenario)


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
