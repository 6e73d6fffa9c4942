"""Answers as a terminal shows them: wrapped under their column, coloured where colours are wanted."""

from __future__ import annotations

import contextlib
import io
import json

import pytest

from include.operations.cli.answer import Answer, fit, table

STATUS = (
    "champion      v1, since 2026-11-30 12:54 UTC\n"
    "              Promoted v1: NDCG@10 0.952 against 0.714 of the closest baseline, most_read (+0.2387)."
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def show(monkeypatch):
    """A function that returns what an answer prints on a terminal of 60 columns."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def show(answer, *, as_json=False):
        stream = Terminal()
        with contextlib.redirect_stdout(stream):
            answer.show(as_json=as_json)
        return stream.getvalue()

    return show


def test_a_long_line_goes_on_under_its_column():
    assert fit(STATUS, 60).splitlines() == [
        "champion      v1, since 2026-11-30 12:54 UTC",
        "              Promoted v1: NDCG@10 0.952 against 0.714 of",
        "              the closest baseline, most_read (+0.2387).",
    ]


def test_a_long_sentence_without_columns_is_wrapped_at_the_margin():
    assert fit("word " * 20, 50).splitlines() == [("word " * 10).strip()] * 2


def test_nothing_is_lost_and_addresses_stay_whole():
    address = f"verdict       http://127.0.0.1:8080/{'x' * 90}.html"
    assert fit(address, 60).split() == address.split()


def test_a_terminal_gets_wrapped_lines_and_colours(show):
    shown = show(Answer({}, f"{STATUS}\nlists         STALE", marks={"STALE": "red"}))
    assert len(shown.splitlines()) == 4
    assert "\x1b[31mSTALE\x1b[0m" in shown


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_whoever_wants_no_colour_gets_none(show, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert show(Answer({}, "lists  STALE", marks={"STALE": "red"})) == "lists  STALE\n"


def test_a_pipe_gets_whole_lines_without_colour(capsys):
    Answer({}, STATUS, marks={"champion": "red"}).show(as_json=False)
    assert capsys.readouterr().out == f"{STATUS}\n"


def test_json_holds_the_facts_and_no_colour(show):
    shown = show(Answer({"sentence": "It is STALE, “so”."}, "text", marks={"STALE": "red"}), as_json=True)
    assert json.loads(shown) == {"sentence": "It is STALE, “so”."}
    assert "“" in shown


def test_a_word_within_another_has_no_colour(show):
    assert show(Answer({}, "prefix FIX", marks={"FIX": "red"})) == "prefix \x1b[31mFIX\x1b[0m\n"
    assert show(Answer({}, "FIXED", marks={"FIX": "red"})) == "FIXED\n"


def test_a_table_is_as_wide_as_its_cells():
    assert table([("v10", "keep"), ("v9", "promote")], ("version", "verdict")).splitlines() == [
        "version  verdict",
        "v10      keep",
        "v9       promote",
    ]
