"""Add commands to a parser, so that each is explained in the list of commands and on its own `--help` page."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Add = Callable[..., argparse.ArgumentParser]


def commands_of(parser: argparse.ArgumentParser, metavar: str = "ACTION") -> Add:
    """Return a function that adds a command with a name and a `help` sentence."""
    commands = parser.add_subparsers(required=True, metavar=metavar, title="commands")

    def add(name: str, *, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")

    return add
