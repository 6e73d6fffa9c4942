"""`bin/daybreak newsroom play|return|scenario`: the demo publisher from the command line."""

from __future__ import annotations

import argparse

from include.core.clock import now, parse_moment, refuse_future
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, commands_of

# scenario -> what it does to the world, and when that shows
SCENARIOS = {
    "drift": "Seven readers in ten take on the taste of another group, for good. `monitor` sees it in the windows of "
    "the next day or two.",
    "breaking": "The next story draws every reader for some hours. It fills the lists of the next hour.",
}


def add_newsroom(add: Add) -> None:
    """Add `newsroom` and its actions."""
    group = add(
        "newsroom",
        help="control the demo publisher",
        about="Play the demo publisher, a newsroom with invented readers, or change its world. To see what Daybreak "
        "does about trouble, use `rehearse`.",
        example="newsroom play",
        facts=False,
    )
    add = commands_of(group)
    command = add(
        "play",
        help="create the demo newsroom, or continue it where it stopped",
        about="Publish articles and let readers read them up to a moment. The first call creates the newsroom and its "
        "history; its size can be chosen then only.",
        example="newsroom play --days 14 --readers 3000",
    )
    command.add_argument("--until", metavar="MOMENT", help="moment to play up to, not in the future (default: now)")
    command.add_argument("--days", type=int, default=14, help="first call only: days of history (default: 14)")
    command.add_argument("--readers", type=int, help="first call only: number of readers (default: 3000)")
    command.add_argument("--articles-per-day", type=int, help="first call only: articles a day (default: 1430)")
    command.add_argument("--seed", type=int, help="first call only: seed (default: 7)")
    command.set_defaults(run=_play)
    command = add(
        "return",
        help="show the demo in the views again, after a log of your own",
        about="Point the views that Daybreak reads at the demo newsroom again. The log that you loaded stays.",
        example="newsroom return",
    )
    command.set_defaults(run=_return)
    command = add(
        "scenario",
        help="change what readers like, or let news break",
        about="Change the world of the demo from now on; it shows as the newsroom plays on, and cannot be taken back. "
        + " ".join(f"{name}: {what}" for name, what in SCENARIOS.items()),
        example="newsroom scenario breaking",
    )
    command.add_argument("name", choices=list(SCENARIOS), help="what happens; see above")
    command.set_defaults(run=_scenario)
    group.list_commands({"actions": group.summaries})


def _play(arguments: argparse.Namespace) -> Answer:
    from include.operations.demo import newsroom

    moment = now()
    counts = newsroom.play(
        load_settings(),
        until=refuse_future(parse_moment(arguments.until), moment) if arguments.until else moment,
        days=arguments.days,
        readers=arguments.readers,
        articles_per_day=arguments.articles_per_day,
        seed=arguments.seed,
    )
    return Answer(
        counts,
        f"Played until {counts['played_until']:%Y-%m-%d %H:%M} UTC: {counts['readers']:,} readers, "
        f"{counts['articles']:,} articles, {counts['events']:,} events.",
    )


def _return(arguments: argparse.Namespace) -> Answer:
    from include.operations.demo import newsroom

    newsroom.show(load_settings())
    sentence = "The views in source show the demo newsroom; `bin/daybreak newsroom play` continues it."
    return Answer({"sentence": sentence}, sentence)


def _scenario(arguments: argparse.Namespace) -> Answer:
    from include.operations.demo.newsroom import scenarios

    facts = getattr(scenarios, arguments.name)(load_settings())
    return Answer(facts, f"{arguments.name}, from {facts['starts']:%Y-%m-%d %H:%M} UTC on: {SCENARIOS[arguments.name]}")
