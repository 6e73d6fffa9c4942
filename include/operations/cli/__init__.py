"""The command line: `bin/daybreak COMMAND`.

Belongs here: parsing a command, calling one function, printing its answer. Every error that a person can cause prints
one line on standard error and has its own exit code (include/core/errors.py).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from include.core.clock import now
from include.core.errors import DaybreakError, SettingsError
from include.core.settings import Settings, load_settings
from include.operations import status as current_status
from include.operations.cli import backfill, backtest, decisions, history, tune, versions
from include.operations.cli.alerts import add_alerts
from include.operations.cli.answer import Answer, Colour, has_colour, paint
from include.operations.cli.commands import Parser, add_model, commands_of, whole_number
from include.operations.cli.completion import add_completion
from include.operations.cli.doctor import add_doctor
from include.operations.cli.load import add_load
from include.operations.cli.newsroom import add_newsroom
from include.operations.cli.progress import say, show_stage
from include.operations.cli.propose import add_propose
from include.operations.cli.quarantine import add_quarantine
from include.operations.cli.rehearse import add_rehearse
from include.operations.cli.runs import new_run
from include.operations.cli.takedown import add_takedown

GROUPS = {
    "start and stop": ("up", "down"),
    "see the state": ("status", "runs", "gaps", "versions", "champions", "show", "doctor", "logs", "psql"),
    "look after incidents": ("alerts",),
    "run the loop now, without Airflow": ("retrain", "backfill", "recommend", "monitor", "tune"),
    "decide about the champion": ("approve", "rollback", "freeze", "unfreeze", "pin", "unpin", "shadow"),
    "decide about an article": ("takedown",),
    "look back": ("backtest", "reproduce"),
    "manage data": ("quarantine", "propose", "load", "maintain"),
    "play the demo publisher": ("newsroom", "rehearse"),
    "set up": ("migrate", "features", "env", "completion"),
}
OF_PSQL = ("--source", "--write", "--help", "-h")  # everything after these belongs to psql itself


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    try:
        try:
            _run(list(sys.argv[1:] if words is None else words))
        finally:
            sys.stdout.flush()
    except DaybreakError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at the end
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        _complain(f"{error}. Hint: is the disk full or the folder read-only?")
        sys.exit(3)
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.exit(130)


def _complain(sentence: str) -> None:
    name = paint("daybreak:", "red") if has_colour(sys.stderr) else "daybreak:"
    print(f"{name} {sentence}", file=sys.stderr)


def _run(words: list[str]) -> None:
    if words[:1] == ["psql"]:  # otherwise argparse takes psql's options for its own
        own = [*takewhile(OF_PSQL.__contains__, words[1:])]
        words.insert(1 + len(own), "--")
    arguments = make_parser().parse_words(words or ["--help"])
    try:
        answer: Answer | None = arguments.run(arguments)
    except KeyboardInterrupt:
        _complain(f"interrupted{_tell_what_goes_on(arguments)}")
        sys.exit(130)
    if answer is not None:
        answer.show(as_json=arguments.json)
        if answer.failure:
            raise answer.failure
        sys.exit(answer.code)


def _tell_what_goes_on(arguments: argparse.Namespace) -> str:
    """Return what an interrupted command leaves behind."""
    if arguments.run is _up:
        return "; services that were started keep running in the background"
    if hasattr(arguments, "as_of"):
        return (
            "; nothing goes on in the background. Finished stages are kept: the same command with the same --as-of "
            "goes on after them"
        )
    return ""


def make_parser() -> Parser:
    """Return the parser of every command."""
    parser = Parser(
        prog="daybreak",
        description="Keep a news recommender fresh.",
        epilog="`bin/daybreak COMMAND --help` explains a command and ends with an example.",
    )
    add = commands_of(parser, "COMMAND")

    command = add(
        "up",
        help="start everything, run the first full cycle, show the result",
        about="Start every service and wait until it answers. On an empty installation this also plays the demo "
        "newsroom and runs the first full cycle, from the publisher's rows to readers' lists.",
        example="up",
        facts=False,
    )
    command.add_argument("--no-demo", action="store_true", help="start without the demo newsroom and the first cycle")
    command.set_defaults(run=_up)
    add(
        "down",
        help="stop everything in order",
        about="Stop every service in order. State stays on disk, and `up` continues from it.",
        example="down",
        facts=False,
    ).set_defaults(run=_down)
    add(
        "status",
        help="show champion, lists, verdict, runs, quarantine and services",
        about="Show the champion (the version that makes readers' lists), the live lists and their age, the newest "
        "verdict, what needs a person, the runs that go on and come next, and the services.",
        example="status",
    ).set_defaults(run=_status)
    command = add(
        "show",
        help="show a reader's live list, with reasons",
        about="Show what a reader is recommended now: each article with its title and the reason it was chosen.",
        example="show 7",
    )
    command.add_argument("reader", help="the reader's id: a number, or the id in the loaded log")
    command.set_defaults(run=_show)

    history.add_commands(add)
    add_alerts(add)

    command = add(
        "retrain",
        help="train a challenger, judge it, promote it if it is better",
        about="Train a challenger on the reading before a moment, judge it against the champion and the baselines on "
        "the same later reading, and promote it if the verdict says so. Runs here and now, without Airflow.",
        example="retrain --as-of 2026-11-20 --mode dry_run",
    )
    _add_as_of(command)
    add_model(command, "train")
    command.add_argument(
        "--window-days",
        type=whole_number,
        metavar="DAYS",
        help="days of reading to train on (default: the setting `window_days`)",
    )
    decisions.add_mode(command, "the setting `gate_mode`")
    command.add_argument("--reason", help="reason, for the record")
    command.set_defaults(run=_retrain)
    backfill.add_backfill(add)
    command = add(
        "recommend",
        help="make every reader's list and publish them",
        about="Make every active reader's list with the champion (or the best baseline, while no model has been "
        "promoted), audit the lists as a whole and make them live.",
        example="recommend",
    )
    _add_as_of(command)
    command.set_defaults(run=_recommend)
    command = add(
        "monitor",
        help="measure quality and drift of one window",
        about="Measure how readers used the lists in the window that ends at a moment, and whether their reading has "
        "drifted from what the champion learnt.",
        example="monitor --as-of 2026-11-20T06:00Z",
    )
    _add_as_of(command)
    command.set_defaults(run=_monitor)

    command = add(
        "tune",
        help="search for better parameters of a model",
        about="Search for better parameters of a model. Each trial is a set of parameters that is trained and then "
        "judged on later reading; `retrain` uses the best one. A killed search continues after its last trial.",
        example="tune --trials 20 --minutes 30",
    )
    tune.add_options(command)
    command.set_defaults(run=_tune)
    add_quarantine(add)
    add_doctor(add)
    add_load(add)
    command = add(
        "backtest",
        help="measure models step by step through the past",
        about="Go through the past step by step: train each model on the reading before a step and measure its lists "
        "on the reading of the step. Ends with a table of the models and a report.",
        example="backtest --from 2026-11-16 --to 2026-11-20 --every 1d",
    )
    backtest.add_options(command)
    command.set_defaults(run=_backtest)
    decisions.add_commands(add)
    add_takedown(add)
    versions.add_commands(add)
    add_newsroom(add)
    add_rehearse(add)
    add_propose(add)
    command = add(
        "features",
        help="register the feature declarations with Feast",
        about="Write the declarations of feature_repo/ to the shared Feast registry in PostgreSQL. `up` does it; on a "
        "server run it once after an upgrade.",
        example="features apply",
        facts=False,
    )
    command.add_argument("action", choices=["apply"], help="register them")
    command.set_defaults(run=_features)
    add(
        "migrate",
        help="bring roles, databases and schemas up to date",
        about="Create missing database roles and databases, and apply the migrations that the warehouse lacks. `up` "
        "does it; on a server run it once after an upgrade.",
        example="migrate",
    ).set_defaults(run=_migrate)
    add(
        "env",
        help="write .env for docker-compose.yaml, with new passwords",
        about="Write .env for a team server: generated passwords and a line for each setting that docker-compose.yaml "
        "needs. Lines that are there already stay.",
        example="env",
        facts=False,
    ).set_defaults(run=_env)
    command = add(
        "psql",
        help="open a prompt on the warehouse or the publisher's views",
        about="Open psql on the warehouse for reading, or with --source on the publisher's views. Words after these "
        "options are psql's own: -c runs one statement.",
        example='psql -c "select version, why from ops.champions"',
        facts=False,
    )
    command.add_argument(
        "--source", action="store_true", help="open the publisher's database as the reader of its views"
    )
    command.add_argument("--write", action="store_true", help="open it as the superuser, who may change everything")
    command.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="arguments of psql itself")
    command.set_defaults(run=_psql)
    command = add(
        "logs",
        help="show the end of a service's log",
        about="Print the last lines of the log of a service. `bin/daybreak status` lists the services.",
        example="logs scheduler",
    )
    command.add_argument("name", help="the service's name, such as scheduler, api-server or mlflow")
    command.set_defaults(run=_logs)
    add_completion(add, parser)
    parser.list_commands(GROUPS)
    return parser


def _add_as_of(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as-of", metavar="MOMENT", help="moment to work as of, ISO 8601 (default: the last full hour)"
    )


def _up(arguments: argparse.Namespace) -> None:
    from include.operations.launcher import environment
    from include.operations.launcher.first_cycle import run_first_cycle
    from include.operations.launcher.look import states
    from include.operations.launcher.progress import Progress
    from include.operations.launcher.up import up

    progress = Progress()
    settings = up(load_settings(), progress, demo=not arguments.no_demo)
    if not arguments.no_demo:
        run_first_cycle(settings, progress)
    status = _tell_status(settings, states(settings))
    status.show(as_json=False)
    if status.facts["lists"]:
        print()
        _tell_list(settings, None).show(as_json=False)
        print()
    for name, (_, password) in reversed(environment.users(settings).items()):
        print(f"sign in       {name} / {password}")


def _down(arguments: argparse.Namespace) -> None:
    from include.operations.launcher.down import down
    from include.operations.launcher.progress import Progress

    down(load_settings(), Progress())


def _env(arguments: argparse.Namespace) -> None:
    from include.operations import server_env

    server_env.main()


def _status(arguments: argparse.Namespace) -> Answer:
    from include.operations.launcher import foreground, look

    settings = load_settings()
    states = foreground.states if foreground.is_elsewhere(settings) else look.states
    answer = _tell_status(settings, states(settings))
    return replace(answer, text=f"{answer.text}\nsign in       {current_status.sign_in(settings)}")


def _tell_status(settings: Settings, states: Mapping[str, str]) -> Answer:
    status = current_status.gather(settings, states)
    red: dict[str, Colour] = dict.fromkeys(("STALE", "failing", "failed", "stopped"), "red")
    return Answer(status, current_status.render_status(status, now()), marks={**red, "starting": "yellow"})


def _show(arguments: argparse.Namespace) -> Answer:
    return _tell_list(load_settings(), arguments.reader)


def _tell_list(settings: Settings, reader: str | None) -> Answer:
    rows = current_status.one_reader(settings, reader)
    if not rows:
        raise DaybreakError(f"Reader {reader} has no list.", hint="`bin/daybreak status` shows whether lists are live.")
    lines = ["A reader’s list" if reader is None else f"Reader {reader}"]
    for row in rows:
        about = ", ".join(filter(None, (row["category"], row["publisher"], row["title"] and row["name"])))
        title = row["title"] or f"article {row['name'] or row['article_id']}"
        lines.append(f"{row['rank']:>3}  {title}  {f'[{about}]  ' if about else ''}{row['reason']}")
    return Answer(rows, "\n".join(lines))


def _retrain(arguments: argparse.Namespace) -> Answer:
    from include.pipeline import orders

    form = {name: getattr(arguments, name) for name in ("model", "window_days", "mode", "reason")}
    run = new_run("retrain", arguments.as_of, **form)
    told = orders.retrain(
        run, arguments.window_days, arguments.model, arguments.mode, show_stage, decisions.announce_question
    )
    return Answer({"run_id": run.run_id, "sentences": told}, "\n".join(told))


def _tune(arguments: argparse.Namespace) -> Answer:
    from include.pipeline import orders

    run = new_run("tune", arguments.as_of or now().date().isoformat())
    found = orders.tune_model(run, arguments.trials, arguments.minutes, say, arguments.model, show_stage)
    return Answer(found.facts, (found.facts or {})["sentence"])


def _recommend(arguments: argparse.Namespace) -> Answer:
    from include.pipeline import orders

    live = orders.recommend(new_run("recommend", arguments.as_of), show_stage)
    facts = live.facts or {}
    told = f"{live.id} is live." if facts["changed"] else f"{live.id} stays unpublished: newer lists are live."
    sentence = f"{told} {facts['sentence']}"
    return Answer({"batch_id": live.id, "is_live": facts["changed"], "sentence": sentence}, sentence)


def _backtest(arguments: argparse.Namespace) -> Answer:
    from include import pipeline

    run, plan = backtest.understand(arguments)
    snapshot = show_stage(run, pipeline.extract, plan.days_to_read(run.settings.lookback_days))
    clean = show_stage(run, pipeline.validate, snapshot)
    facts = show_stage(run, pipeline.backtest, clean, plan, say).facts or {}
    return Answer(facts, "\n".join(filter(None, (facts["table"], facts["notes"], f"report  {facts['report']}"))))


def _monitor(arguments: argparse.Namespace) -> Answer:
    from include import pipeline

    health = show_stage(new_run("monitor", arguments.as_of), pipeline.watch)
    return Answer(health.facts, (health.facts or {})["sentence"])


def _features(arguments: argparse.Namespace) -> None:
    from include.adapters import feast_store

    feast_store.apply_shared(load_settings())


def _migrate(arguments: argparse.Namespace) -> Answer:
    from include.adapters import warehouse

    settings = load_settings()
    warehouse.prepare_server(settings)
    applied = warehouse.migrate(settings)
    return Answer({"applied": applied}, ", ".join(applied) or "nothing to do")


def _psql(arguments: argparse.Namespace) -> None:
    from include.operations.launcher.look import Access, psql

    if arguments.source and arguments.write:
        raise SettingsError(
            "The publisher's views are for reading.", hint="leave out --write, or --source for the warehouse."
        )
    access: Access = "source" if arguments.source else "write" if arguments.write else "read"
    psql(load_settings(), arguments.arguments, access)


def _logs(arguments: argparse.Namespace) -> Answer:
    from include.operations.launcher.look import read_log

    lines = read_log(load_settings(), arguments.name)
    return Answer({"name": arguments.name, "lines": lines}, "\n".join(lines))
