"""The command line: `bin/daybreak COMMAND`.

Belongs here: parsing a command, calling one function, printing its result. Every error that a person can cause prints
one line on standard error and has its own exit code (include/core/errors.py).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from include.core.clock import now
from include.core.errors import DaybreakError
from include.core.model_names import find_names
from include.core.references import Reference
from include.core.settings import Settings, load_settings
from include.operations import status as current_status
from include.operations.cli import backtest, decisions, tune, versions
from include.operations.cli.commands import commands_of
from include.operations.cli.doctor import add_doctor
from include.operations.cli.load import add_load
from include.operations.cli.newsroom import add_newsroom
from include.operations.cli.propose import add_propose
from include.operations.cli.quarantine import add_quarantine
from include.operations.cli.runs import new_run

if TYPE_CHECKING:
    from include.core.run import Run

Stage = Callable[..., Reference]


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    words = list(sys.argv[1:] if words is None else words)
    if words[:1] == ["psql"]:  # otherwise argparse takes psql's options for its own
        words.insert(1, "--")
    arguments = _parser().parse_args(words)
    try:
        arguments.run(arguments)
    except DaybreakError as error:
        print(f"daybreak: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"daybreak: {error}. Hint: is the disk full or the folder read-only?", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        print("daybreak: interrupted; services that were started keep running in the background", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="daybreak",
        description="Keep a news recommender fresh.",
        epilog="`daybreak COMMAND --help` explains a command and its options.",
    )
    add = commands_of(parser, "COMMAND")

    command = add("up", help="start everything, run the first full cycle and show the result")
    command.add_argument("--no-demo", action="store_true", help="start without the demo newsroom and the first cycle")
    command.set_defaults(run=_up)
    add("down", help="stop everything in order").set_defaults(run=_down)
    add("env", help="write .env with generated passwords for docker-compose.yaml").set_defaults(run=_env)
    command = add("status", help="show the champion, the live lists, the newest verdict and the services")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=_status)
    command = add("show", help="show a reader's live list, with reasons")
    command.add_argument("reader", help="the reader's id: a number, or the id in the loaded log")
    command.set_defaults(run=_show)

    command = add("retrain", help="extract, validate, build features, train, judge and promote now, without Airflow")
    _add_as_of(command)
    command.add_argument("--model", choices=list(find_names()), help="model to train (default: the setting `model`)")
    command.add_argument(
        "--window-days", type=int, help="days of reading to train on (default: the setting `window_days`)"
    )
    decisions.add_mode(command)
    command.set_defaults(run=_retrain)
    command = add("recommend", help="score with the champion, audit and publish now, without Airflow")
    _add_as_of(command)
    command.set_defaults(run=_recommend)
    command = add("monitor", help="measure quality and drift of one window now, without Airflow")
    _add_as_of(command)
    command.set_defaults(run=_monitor)

    command = add("tune", help="search for better model parameters within a budget of trials and minutes")
    tune.add_options(command)
    command.set_defaults(run=_tune)
    add_quarantine(add("quarantine", help="list, show or replay quarantined rows"))
    add_doctor(add("doctor", help="check everything a run depends on and say how to fix what is wrong"))
    add_load(add("load", help="load your own log from files; without --mapping, propose a mapping"))
    command = add("backtest", help="measure what models would have recommended, step by step through the past")
    backtest.add_options(command)
    command.set_defaults(run=_backtest)
    decisions.add_commands(add)
    versions.add_commands(add)
    add_newsroom(add("newsroom", help="control the demo publisher"))
    add_propose(add("propose", help="propose limits for the volume checks, as a file to review"))
    command = add("features", help="register the feature declarations in the shared Feast registry")
    command.add_argument("action", choices=["apply"], help="register them")
    command.set_defaults(run=_features)
    add("migrate", help="bring the warehouse's roles, databases and schemas up to date").set_defaults(run=_migrate)
    command = add(
        "psql", help="open a prompt on the warehouse, or with --source on the publisher's views; -c runs one statement"
    )
    command.add_argument("arguments", nargs="*", help="arguments of psql")
    command.set_defaults(run=_psql)
    command = add("logs", help="show the end of a service's log")
    command.add_argument("name", help="the service's name, as `daybreak status` shows it")
    command.set_defaults(run=_logs)
    return parser


def _add_as_of(command: argparse.ArgumentParser) -> None:
    command.add_argument("--as-of", help="moment to work as of, ISO 8601 (default: the last full hour)")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _up(arguments: argparse.Namespace) -> None:
    from include.operations.launcher import environment
    from include.operations.launcher.first_cycle import run_first_cycle
    from include.operations.launcher.look import states
    from include.operations.launcher.progress import Progress
    from include.operations.launcher.up import up

    say = Progress()
    settings = up(load_settings(), say, demo=not arguments.no_demo)
    if not arguments.no_demo:
        run_first_cycle(settings, say)
    status = current_status.gather(settings, states(settings))
    print(current_status.render_status(status, now()))
    if status["lists"]:
        _print_list(settings, None)
    for name, (_, password) in reversed(environment.users(settings).items()):
        print(f"sign in       {name} / {password}")


def _down(arguments: argparse.Namespace) -> None:
    from include.operations.launcher.down import down
    from include.operations.launcher.progress import Progress

    down(load_settings(), Progress())


def _env(arguments: argparse.Namespace) -> None:
    from include.operations import server_env

    server_env.main()


def _status(arguments: argparse.Namespace) -> None:
    from include.operations.launcher import foreground, look

    settings = load_settings()
    states = foreground.states if foreground.is_elsewhere(settings) else look.states
    status = current_status.gather(settings, states(settings))
    if arguments.json:
        print(json.dumps(status, indent=1, default=str))
    else:
        print(current_status.render_status(status, now()))
        print(f"sign in       {current_status.sign_in(settings)}")


def _show(arguments: argparse.Namespace) -> None:
    _print_list(load_settings(), arguments.reader)


def _print_list(settings: Settings, reader: str | None) -> None:
    rows = current_status.one_reader(settings, reader)
    if not rows:
        raise DaybreakError(f"Reader {reader} has no list.", hint="`bin/daybreak status` shows whether lists are live.")
    print(f"\n{'A reader’s list' if reader is None else f'Reader {reader}'}")
    for row in rows:
        about = ", ".join(filter(None, (row["category"], row["publisher"], row["title"] and row["name"])))
        title = row["title"] or f"article {row['name'] or row['article_id']}"
        print(f"{row['rank']:>3}  {title}  {f'[{about}]  ' if about else ''}{row['reason']}")
    print()


def _retrain(arguments: argparse.Namespace) -> None:
    from include.pipeline import orders

    run = new_run("retrain", arguments.as_of)
    told = orders.retrain(run, arguments.window_days, arguments.model, arguments.mode, _stage)
    print(*told, sep="\n")


def _tune(arguments: argparse.Namespace) -> None:
    from include.pipeline import orders

    run = new_run("tune", arguments.as_of or now().date().isoformat())
    found = orders.tune_model(run, arguments.trials, arguments.minutes, _say, arguments.model, _stage)
    print((found.facts or {})["sentence"])


def _recommend(arguments: argparse.Namespace) -> None:
    from include.pipeline import orders

    live = orders.recommend(new_run("recommend", arguments.as_of), _stage)
    is_live = (live.facts or {})["changed"]
    print(f"{live.id} is live." if is_live else f"{live.id} stays unpublished: newer lists are live.")


def _backtest(arguments: argparse.Namespace) -> None:
    from include import pipeline

    run, plan = backtest.understand(arguments)
    snapshot = _stage(run, pipeline.extract, plan.days_to_read(run.settings.lookback_days))
    clean = _stage(run, pipeline.validate, snapshot)
    facts = _stage(run, pipeline.backtest, clean, plan, _say).facts or {}
    print(*filter(None, (facts["table"], facts["notes"], f"report  {facts['report']}")), sep="\n")


def _monitor(arguments: argparse.Namespace) -> None:
    from include import pipeline

    health = _stage(new_run("monitor", arguments.as_of), pipeline.watch)
    print((health.facts or {})["sentence"])


def _stage(run: Run, stage: Stage, *inputs: object) -> Reference:
    begin = time.perf_counter()
    _say(f"        {stage.__name__} …")
    reference = stage(run, *inputs)
    _say(f"{time.perf_counter() - begin:6.1f}s {stage.__name__}: {reference.id}")
    return reference


def _features(arguments: argparse.Namespace) -> None:
    from include.adapters import feast_store

    feast_store.apply_shared(load_settings())


def _migrate(arguments: argparse.Namespace) -> None:
    from include.adapters import warehouse

    settings = load_settings()
    warehouse.prepare_server(settings)
    print(", ".join(warehouse.migrate(settings)) or "nothing to do")


def _psql(arguments: argparse.Namespace) -> None:
    from include.operations.launcher.look import psql

    psql(load_settings(), arguments.arguments)


def _logs(arguments: argparse.Namespace) -> None:
    from include.operations.launcher.look import show_log

    show_log(load_settings(), arguments.name)
