"""The command line as one types it: pages that explain, errors of one line that name the nearest word, quiet pipes."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

import pytest

from include.core.settings import PROJECT
from include.operations import cli as command_line
from include.operations.cli import make_parser
from tests.parts import cli

WITHOUT_FACTS = {"up", "down", "env", "features", "psql", "completion", "quarantine", "newsroom", "alerts"}


def commands(parser=None):
    """Every command with its own parser, and every action of one."""
    found = {}
    for name, command in (parser or make_parser()).commands.items():
        found[name] = command
        found |= {f"{name} {more}": inner for more, inner in commands(command).items()}
    return found


COMMANDS = commands()


def say(settings, *words):
    """What a refused command said: its only line."""
    answer = cli.say(settings, *words)
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    return line


def test_there_are_commands():
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_explains_the_command_and_ends_with_an_example_that_can_be_typed(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = COMMANDS[name]
    assert command.description.partition("\n\n")[0].endswith(".")
    page = command.format_help()
    assert max(map(len, page.splitlines())) <= 80
    assert "example:" in page.splitlines()[-2]
    program, *words = shlex.split(page.splitlines()[-1])
    assert program == "bin/daybreak"
    meant = make_parser().parse_words([words[0], "--", *words[1:]] if words[0] == "psql" else words).parser
    assert meant.prog.startswith(command.prog)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name):
    assert [action.dest for action in COMMANDS[name].own_actions if not action.help] == []


def test_every_command_that_tells_facts_tells_them_as_json():
    without = {name for name, command in COMMANDS.items() if "--json" not in command.option_names}
    assert without == WITHOUT_FACTS


def test_the_list_names_every_command_once():
    for parser in (make_parser(), COMMANDS["quarantine"], COMMANDS["newsroom"], COMMANDS["alerts"]):
        listed = [line.split()[0] for line in parser.description.splitlines() if line.startswith("  ")]
        assert sorted(listed) == sorted(parser.commands)


def test_the_list_of_commands_fits_a_terminal():
    assert max(map(len, make_parser().format_help().splitlines())) <= 80


def test_no_words_are_answered_with_the_list_of_commands(serverless):
    assert cli.say(serverless).out == cli.say(serverless, "--help").out
    assert "status" in cli.say(serverless).out


@pytest.mark.parametrize(
    ("words", "fact", "hint"),
    [
        (("statsu",), "There is no command 'statsu'.", "did you mean `status`?"),
        (("quarantine", "lst"), "There is no action 'lst'.", "did you mean `list`?"),
        (("status", "--jsno"), "`daybreak status` has no option --jsno.", "did you mean `--json`?"),
        (("retrain", "--asof", "2026-11-20"), "`daybreak retrain` has no option --asof.", "did you mean `--as-of`?"),
        (("status", "now"), "`daybreak status` takes no 'now'.", "`bin/daybreak status --help`"),
        (("retrain", "--model", "two_stag"), "'two_stag' is not possible for --model.", "did you mean `two_stage`?"),
        (("newsroom", "scenario", "brakeing"), "'brakeing' is not possible for name.", "did you mean `breaking`?"),
        (("pin",), "the following arguments are required: VERSION, --reason", "`bin/daybreak pin --help`"),
        (("pin", "champion", "--reason", "x"), "'champion' is not a version.", "write it as v4 or 4"),
        (("shadow", "v0"), "'v0' is not a version.", "write it as v4 or 4"),
        (("tune", "--trials", "0"), "'0' is not a number that can be used here.", "1 or more"),
        (("tune", "--trials", "few"), "'few' is not a number that can be used here.", "1 or more"),
        (("tune", "--minutes", "0"), "A search of 0 minutes is not possible.", "above 0"),
        (("retrain", "--window-days", "-1"), "'-1' is not a number that can be used here.", "1 or more"),
        (("psql", "--source", "--write"), "The publisher's views are for reading.", "leave out --write"),
    ],
)
def test_a_word_that_cannot_be_is_one_line_with_the_nearest_that_can(serverless, words, fact, hint):
    line = say(serverless, *words)
    assert line.startswith("daybreak: ")
    assert fact in line
    assert hint in line.partition("Hint: ")[2]


@pytest.mark.parametrize("command", ["pin --reason x", "shadow", "reproduce", "rollback --reason x --to"])
@pytest.mark.parametrize("written", ["v12", "V12", "12"])
def test_a_version_is_written_with_or_without_its_letter(command, written):
    arguments = make_parser().parse_words([*command.split(), written])
    assert (arguments.to if command.startswith("rollback") else arguments.version) == 12


def test_a_command_is_that_of_its_own_checkout_wherever_it_is_given(tmp_path):
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "__init__.py").write_text("raise SystemExit('the code of another checkout')")
    ended = subprocess.run([PROJECT / "bin" / "daybreak", "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage: daybreak")


@pytest.mark.parametrize("words", [["--help"], ["logs", "mlflow"]])
def test_a_pipe_whose_reader_has_gone_is_no_error(tmp_path, words):
    """As `bin/daybreak logs mlflow | head -1`, after head has ended."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mlflow.log").write_text("a line\n" * 10_000)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "include", *words],
        cwd=PROJECT,
        env={**os.environ, "DAYBREAK_HOME": str(tmp_path), "PYTHONUNBUFFERED": ""},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("stat", ["status"]),
        ("un", ["unfreeze", "unpin"]),
        ("quarantine ", ["list", "replay", "show"]),
        ("quarantine list --t", ["--table"]),
        ("newsroom scenario b", ["breaking"]),
        ("rehearse bad-", ["bad-article", "bad-data"]),
        ("retrain --model two", ["two_stage"]),
        ("retrain --model two_stage --mo", ["--mode", "--model"]),
        ("retrain --mode ", ["data", "dry_run", "enforce", "features", "off"]),
        ("pin v1 --rea", ["--reason"]),
        ("load fi", []),
    ],
)
def test_bash_completes_what_is_typed(typed, offered, serverless):
    words = ["bin/daybreak", *typed.split(" ")]
    ask = f"COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; _daybreak"
    script = f'{cli.say(serverless, "completion").out}\n{ask}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-uc", script], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == offered


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("up", "services that were started keep running in the background"),
        (
            "retrain",
            "nothing goes on in the background. Finished stages are kept: the same command with the same --as-of",
        ),
        ("status", ""),
    ],
)
def test_an_interrupted_command_says_truly_what_goes_on(command, told, monkeypatch, capsys):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, f"_{command}", interrupt)
    with pytest.raises(SystemExit) as end:
        command_line.main([command])
    assert end.value.code == 130
    said = capsys.readouterr().err.strip()
    assert said == "daybreak: interrupted" if not told else told in said
