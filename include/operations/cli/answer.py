"""The answer of a command: its facts, and the same facts as text for people.

Belongs here: printing as JSON or as text, and fitting text to a terminal. Text is wrapped and coloured on a terminal
only, so what a pipe gets is one line per fact.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Literal, TextIO

from include.core.errors import DaybreakError

Colour = Literal["red", "yellow", "green", "bold"]
CODES: dict[Colour, int] = {"bold": 1, "red": 31, "green": 32, "yellow": 33}
NARROWEST = 40
GAP = re.compile(r"(?:^ +| {2,})(?=\S)")


@dataclass(frozen=True)
class Answer:
    """What a command found: `facts` for programs, `text` for people, and the exit code.

    `failure` is raised once the answer is printed; `marks` gives words of the text a colour on a terminal.
    """

    facts: Any
    text: str
    code: int = 0
    failure: DaybreakError | None = None
    marks: Mapping[str, Colour] = field(default_factory=dict)

    def show(self, *, as_json: bool) -> None:
        """Print the facts as JSON, or the text."""
        if as_json:
            print(json.dumps(self.facts, indent=1, default=str, ensure_ascii=False))
            return
        text = fit(self.text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else self.text
        if has_colour(sys.stdout) and self.marks:
            words = "|".join(re.escape(word) for word in self.marks)
            text = re.sub(rf"(?<!\w)({words})(?!\w)", lambda found: paint(found[1], self.marks[found[1]]), text)
        print(text)


def has_colour(stream: TextIO) -> bool:
    """Return whether the stream is a terminal that shows colours and whose user did not switch them off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: Colour) -> str:
    """Return the text in a terminal's colour."""
    return f"\x1b[{CODES[colour]}m{text}\x1b[0m"


def fit(text: str, width: int) -> str:
    """Return the text with long lines wrapped under their last column, or under their indent."""
    return "\n".join(part for line in text.splitlines() for part in _fit_line(line, width)) if text else text


def _fit_line(line: str, width: int) -> Sequence[str]:
    if len(line) <= width or width < NARROWEST:
        return [line]
    start = max((gap.end() for gap in GAP.finditer(line[: width // 2])), default=0)
    return wrap(
        line[start:],
        width,
        initial_indent=line[:start],
        subsequent_indent=" " * start,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> str:
    """Return the rows under their headings, in columns as wide as their widest cell."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
