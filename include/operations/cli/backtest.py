"""`bin/daybreak backtest`: its options, and the plan they describe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from include.core.clock import now, parse_length, parse_moment, refuse_future
from include.core.settings import load_settings
from include.operations.cli.commands import whole_number
from include.operations.cli.runs import new_run

if TYPE_CHECKING:
    from include.core.run import Run
    from include.judging.backtest.plan import Plan


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `backtest`."""
    command.add_argument(
        "--from", dest="start", metavar="MOMENT", required=True, help="moment of the first step, ISO 8601"
    )
    command.add_argument("--to", dest="end", metavar="MOMENT", required=True, help="end of the last step, ISO 8601")
    command.add_argument("--every", default="1h", help="time between steps, such as 1h or 1d (default: 1h)")
    command.add_argument("--train-window", default="7d", help="reading that each fit learns from (default: 7d)")
    command.add_argument("--refit", default="1d", help="time between fits (default: 1d)")
    command.add_argument("--k", type=whole_number, default=10, help="length of the judged lists (default: 10)")
    command.add_argument(
        "--mode",
        default="lists",
        help="lists: predict each reader's reads; next-read: predict each session's last article (default: lists)",
    )
    command.add_argument(
        "--models", help="names separated by commas (default: the setting `model`, the champion, the baselines)"
    )
    command.add_argument(
        "--sample", type=int, default=2000, help="readers or sessions per step; 0: all (default: 2000)"
    )
    command.add_argument("--train-sample", type=int, default=30_000, help="sessions per fit; 0: all (default: 30000)")
    command.add_argument(
        "--article-max-age-hours",
        type=whole_number,
        metavar="HOURS",
        help="maximum age of listed articles (default: the setting)",
    )


def understand(arguments: argparse.Namespace) -> tuple[Run, Plan]:
    """Return the run and the plan that the options ask for."""
    from include.judging.backtest.plan import CHAMPION, Plan
    from include.models import BASELINES

    settings, end = load_settings(), parse_moment(arguments.end)
    refuse_future(end, now())
    if arguments.article_max_age_hours is not None:
        settings = settings.model_copy(update={"article_max_age_hours": arguments.article_max_age_hours})
    models = arguments.models.split(",") if arguments.models else (settings.model, CHAMPION, *BASELINES)
    plan = Plan(
        start=parse_moment(arguments.start),
        end=end,
        every=parse_length(arguments.every),
        train_window=parse_length(arguments.train_window),
        refit=parse_length(arguments.refit),
        k=arguments.k,
        mode=arguments.mode,
        models=tuple(dict.fromkeys(name.strip() for name in models)),
        sample=arguments.sample,
        train_sample=arguments.train_sample,
    )
    return new_run("backtest", end, settings), plan
