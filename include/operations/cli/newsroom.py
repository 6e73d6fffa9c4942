"""`bin/daybreak newsroom play|return|scenario`: the demo publisher from the command line."""

from __future__ import annotations

import argparse

from include.core.clock import now, parse_moment
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, commands_of

# scenario -> what it does, and when it shows
SCENARIOS = {
    "drift": "tastes change, from now on",
    "breaking": "the next story draws every reader",
    "outage": "the log misses visits of the next hours",
    "corrupt": "wrong rows, at once",
    "late": "rows that arrive a day or two late, at once",
}


def add_newsroom(add: Add) -> None:
    """Add `newsroom` and its actions."""
    group = add(
        "newsroom",
        help="control the demo publisher",
        about="Play the demo publisher, a newsroom with invented readers, or rehearse trouble of a real one.",
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
    command.add_argument("--until", metavar="MOMENT", help="moment to play up to, ISO 8601 (default: now)")
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
        help="start a rehearsal of a real publisher's trouble",
        about="Start trouble that a real publisher may have. drift, breaking and outage take effect as the newsroom "
        "plays on; corrupt and late write their rows at once, and the next `recommend` or `retrain` meets them.",
        example="newsroom scenario corrupt",
    )
    command.add_argument(
        "name",
        choices=list(SCENARIOS),
        help="; ".join(f"{name}: {what}" for name, what in SCENARIOS.items()),
    )
    command.set_defaults(run=_scenario)
    group.list_commands({"actions": group.summaries})


def _play(arguments: argparse.Namespace) -> Answer:
    from include.operations.demo import newsroom

    counts = newsroom.play(
        load_settings(),
        until=parse_moment(arguments.until) if arguments.until else now(),
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
    if "rows" in facts:
        sentence = f"{facts['rows']:,} rows were written; `bin/daybreak recommend` meets them."
    else:
        sentence = f"Starts at {facts['starts']:%Y-%m-%d %H:%M} UTC; `bin/daybreak newsroom play` plays on from there."
    return Answer(facts, f"{arguments.name}: {SCENARIOS[arguments.name]}. {sentence}")
