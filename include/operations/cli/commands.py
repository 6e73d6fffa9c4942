"""Add commands to a parser, so that each is explained in the list of commands and on its own `--help` page.

A word that the command line does not know is an error of one line that names the nearest one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from textwrap import fill
from typing import Any, NoReturn, Protocol

from include.core.errors import SettingsError
from include.core.model_names import find_names

WIDTH = 78


class Add(Protocol):
    """A function that adds a command: `help` stands in the list, `about` and `example` on its own page."""

    def __call__(self, name: str, *, help: str, about: str, example: str, facts: bool = True) -> Parser:
        """Add the command and return its parser; with `facts` it has `--json`."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with the next step."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.summaries: dict[str, str] = {}  # of its commands

    def list_commands(self, groups: Mapping[str, Iterable[str]]) -> None:
        """Put the commands on the help page, in these groups."""
        width = max(map(len, self.summaries))
        lines = [self.description or ""]
        for title, names in groups.items():
            lines += ["", f"{title}:", *(f"  {name:<{width}}  {self.summaries[name]}" for name in names)]
        self.description = "\n".join(lines)

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the parsed words; raise `SettingsError` at the first word that is not known."""
        arguments, unknown = self.parse_known_args(words)
        if unknown:
            command: Parser = arguments.parser
            options = [word for word in unknown if word.startswith("-")]
            if not options:
                raise SettingsError(f"`{command.prog}` takes no {unknown[0]!r}.", hint=command.where_to_look)
            raise SettingsError(
                f"`{command.prog}` has no option {options[0]}.",
                hint=f"{suggest(options[0], command.option_names)}{command.where_to_look}",
            )
        return arguments

    @property
    def option_names(self) -> list[str]:
        """Return the long options."""
        return [option for option in self._option_string_actions if option.startswith("--")]

    @property
    def commands(self) -> dict[str, Parser]:
        """Return the commands by name; empty for a command without actions."""
        found = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return {name: command for action in found for name, command in action.choices.items()}

    @property
    def own_actions(self) -> list[argparse.Action]:
        """Return the options and arguments, without the commands."""
        return [action for action in self._actions if not isinstance(action, argparse._SubParsersAction)]

    @property
    def where_to_look(self) -> str:
        """Return the hint that leads to the help page."""
        return f"`bin/{self.prog} --help` explains it."

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as an error with a hint."""
        raise SettingsError(f"`{self.prog}`: {message}.", hint=self.where_to_look)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        name = action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest).lower()
        if isinstance(action, argparse._SubParsersAction):
            raise SettingsError(
                f"There is no {name} {value!r}.",
                hint=suggest(value, known) + f"`bin/{self.prog} --help` lists them all.",
            )
        raise SettingsError(
            f"`{self.prog}`: {value!r} is not possible for {name}.",
            hint=f"{suggest(value, known)}choose one of {', '.join(known)}.",
        )


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a sentence with the nearest known word; empty if none is near."""
    near = get_close_matches(str(word), list(known), n=1)
    return f"did you mean `{near[0]}`? " if near else ""


def commands_of(parser: Parser, metavar: str = "ACTION") -> Add:
    """Return a function that adds a command; with `facts`, the command has `--json`."""
    parser.usage = f"{parser.prog} {metavar} …"
    commands = parser.add_subparsers(
        required=True, metavar=metavar, parser_class=Parser, prog=parser.prog, help=argparse.SUPPRESS
    )

    def add(name: str, *, help: str, about: str, example: str, facts: bool = True) -> Parser:
        words = f"bin/daybreak {example}"
        command = commands.add_parser(name, description=fill(about, WIDTH), epilog=f"example:\n  {words}")
        command.set_defaults(parser=command)
        parser.summaries[name] = help
        if facts:
            command.add_argument("--json", action="store_true", help="print the facts as JSON")
        return command

    return add


def add_model(command: argparse.ArgumentParser, verb: str) -> None:
    """Add the option that names a kind of model."""
    names = list(find_names())
    told = f"model to {verb} (default: the setting `model`): {', '.join(names)}"
    command.add_argument("--model", choices=names, metavar="MODEL", help=told)


def version_number(text: str) -> int:
    """Return the number of a version that is written as v4 or 4."""
    number = text.strip().lower().removeprefix("v")
    if not number.isdecimal() or not int(number):
        raise SettingsError(
            f"{text!r} is not a version.", hint="write it as v4 or 4; `bin/daybreak versions` lists them."
        )
    return int(number)


def whole_number(text: str) -> int:
    """Return a whole number of 1 or more."""
    if not text.isdecimal() or not int(text):
        raise SettingsError(
            f"{text!r} is not a number that can be used here.", hint="give a whole number of 1 or more."
        )
    return int(text)
