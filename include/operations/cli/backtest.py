"""`bin/daybreak backtest`: its options, and the plan that they make."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from include.core.clock import now, parse_length, parse_moment, refuse_future
from include.core.settings import load_settings
from include.operations.cli.runs import new_run

if TYPE_CHECKING:
    from include.core.run import Run
    from include.judging.backtest.plan import Plan


def add_options(word: argparse.ArgumentParser) -> None:
    """Add the options of `backtest`."""
    word.add_argument("--from", dest="start", required=True, help="the first step, ISO 8601")
    word.add_argument("--to", dest="end", required=True, help="the end of the last step, ISO 8601")
    word.add_argument("--every", default="1h", help="time between steps: 1h, 1d (default: 1h)")
    word.add_argument("--train-window", default="7d", help="how far back a model may learn from when it is fitted")
    word.add_argument("--refit", default="1d", help="how often models are fitted again (default: 1d)")
    word.add_argument("--k", type=int, default=10, help="length of the judged lists")
    word.add_argument(
        "--mode", default="lists", help="lists: each reader's list; next-read: each session's last article"
    )
    word.add_argument(
        "--models", help="names separated by commas (default: the setting `model`, the champion, the baselines)"
    )
    word.add_argument("--sample", type=int, default=2000, help="readers or sessions sampled per step; 0: all")
    word.add_argument("--train-sample", type=int, default=30_000, help="sessions to learn from per fit; 0: all")
    word.add_argument("--article-max-age-hours", type=int, help="maximum age of listed articles (default: the setting)")


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
