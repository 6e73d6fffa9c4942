"""The tour names commands and buttons that are there."""

from __future__ import annotations

import re
import shlex

from include.core.settings import PROJECT
from include.operations.cli import make_parser
from include.operations.status_page.actions import ACTIONS

TOUR = (PROJECT / "docs" / "tour.md").read_text()
COMMANDS = re.findall(r"^bin/daybreak (.+)$", TOUR, re.MULTILINE)


def test_its_commands_are_understood():
    assert len(COMMANDS) > 5
    for command in COMMANDS:
        assert callable(make_parser().parse_words(shlex.split(command)).run)


def test_its_buttons_are_those_of_the_pages():
    titles = {action.title for action in ACTIONS.values()}
    pressed = set(re.findall(r"Press \*([^*]+)\*", " ".join(TOUR.split())))
    assert pressed == {"Retrain now", "Freeze promotions"}
    assert pressed | {"Roll back", "Allow promotions", "Answer the question"} <= titles
