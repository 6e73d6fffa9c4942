"""`bin/daybreak completion`: a script for bash that completes commands, actions, options and their values.

The script is made from the parser and holds every word, so that a Tab starts no Python.
"""

from __future__ import annotations

from collections.abc import Iterator

from include.operations.cli.commands import Add, Parser

SCRIPT = """_daybreak() {{
    local path="" words="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$path/$word" in
            {paths}) path="$path/$word" ;;
        esac
    done
    case "$path" in
        {options}
    esac
    case "$path ${{COMP_WORDS[COMP_CWORD-1]}}" in
        {values}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _daybreak daybreak
"""


def add_completion(add: Add, parser: Parser) -> None:
    """Add `completion`, of every command below the parser."""
    add(
        "completion",
        help="print a script that completes commands in bash",
        about="Print a script that completes commands, options and their values on Tab. For every new shell, put "
        '`eval "$(bin/daybreak completion)"` into ~/.bashrc, with the full path.',
        example="completion",
        facts=False,
    ).set_defaults(run=lambda arguments: print(render_script(parser), end=""))


def render_script(parser: Parser) -> str:
    """Return the script for every command below the parser."""
    commands = dict(_walk(parser, ""))
    separator = "\n        "
    return SCRIPT.format(
        paths=" | ".join(path for path in commands if path),
        options=separator.join(f'"{path}") words="{" ".join(_words(one))}" ;;' for path, one in commands.items()),
        values=separator.join(
            f'"{path} {option}") words="{" ".join(map(str, action.choices))}" ;;'
            for path, one in commands.items()
            for action in one.own_actions
            for option in action.option_strings
            if action.choices
        ),
    )


def _walk(parser: Parser, path: str) -> Iterator[tuple[str, Parser]]:
    yield path, parser
    for name, command in parser.commands.items():
        yield from _walk(command, f"{path}/{name}")


def _words(parser: Parser) -> Iterator[str]:
    yield from parser.commands
    for action in parser.own_actions:
        if action.option_strings:
            yield from set(action.option_strings[-1:]) - {"--help"}
        elif action.choices:
            yield from map(str, action.choices)
