"""Great Expectations' answers on days: the same whichever other days are asked about, if DuckDB agrees."""

from __future__ import annotations

import dataclasses
import os
import sys
import time

import pytest

from include.adapters import duck
from include.core.contract import ARTICLES, READING_EVENTS, TABLES
from include.core.settings import Settings
from include.validation import day_answers
from include.validation.day_answers import answer_days, frames
from tests.worlds import tiny

WAIT_SECONDS = 90.0


@pytest.fixture(scope="module")
def world():
    """Two days with the planted broken rows of every kind that a row by itself shows."""
    base = tiny.known_at(tiny.tiny(), tiny.AS_OF, days=2)
    for table in TABLES:
        base = tiny.changed(base, table.name, [row for name, row, _ in tiny.BROKEN if name == table.name])
    return base


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def ask(settings, world):
    return answer_days(settings, tiny.store(settings, world, days=2))


def test_a_day_is_answered_the_same_whatever_other_days_are_asked_about_with_it(world, tmp_path, monkeypatch):
    together = ask(Settings(home=tmp_path / "together"), world)
    monkeypatch.setattr(day_answers, "PART_ROWS", 1)  # each day a part of its own
    alone = ask(Settings(home=tmp_path / "alone"), world)
    assert alone == together
    assert sum(answer.broken for days in alone.values() for day in days.values() for answer in day.values()) > 30


def test_examples_are_values_that_break_the_rule_and_never_private(world, settings):
    found = ask(settings, world)
    examples: dict[str, tuple[str, ...]] = {}
    for day in (day for days in found.values() for day in days.values()):
        examples |= {code: examples.get(code, ()) + answer.examples for code, answer in day.items()}
    assert set(examples["EVT103"]) == {row["kind"] for _, row, codes in tiny.BROKEN if "EVT103" in codes}
    rules = {rule.code: rule for table in TABLES for rule in table.rules}
    assert not [code for code, shown in examples.items() if shown and rules[code].column in ("title", "summary")]


def test_only_new_days_are_asked_about(world, settings, monkeypatch):
    known = tiny.store(settings, tiny.known_at(world, tiny.AS_OF, days=1), days=1)
    answer_days(settings, known)
    asked = []
    monkeypatch.setattr(day_answers, "_ask", lambda _, parts: asked.extend(parts))
    with pytest.raises(Exception, match="cannot be read"):  # nobody answers here
        ask(settings, world)
    files = {sha256 for part in asked for sha256 in part.files}
    assert files
    assert not files & {file.sha256 for file in known.files}


def test_where_great_expectations_and_duckdb_count_differently_nothing_is_kept(world, settings, monkeypatch):
    right = day_answers.breaks
    wrong = next(rule for rule in READING_EVENTS.rules if rule.code == "EVT109")
    monkeypatch.setattr(
        day_answers, "breaks", lambda rule: right(dataclasses.replace(wrong, limits=(1, 2)) if rule == wrong else rule)
    )
    with pytest.raises(RuntimeError, match="EVT109 on reading_events: of rows, missing and broken values Great Exp"):
        ask(settings, world)
    kept = [path.read_text() for path in (settings.home / "validation").rglob("*.json")]
    assert not [text for text in kept if "EVT109" in text]


def test_a_second_process_answers_from_the_other_end_and_is_gone_at_the_end(world, settings, monkeypatch):
    monkeypatch.setattr(day_answers, "PART_ROWS", 1)
    parts, _ = day_answers._find_new(settings, tiny.store(settings, world, days=2))
    place = day_answers._place(settings, READING_EVENTS, parts[-1].files[-1])
    with day_answers._help(settings, parts) as helper:
        deadline = time.monotonic() + WAIT_SECONDS
        while not place.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert place.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(helper, 0)


@pytest.mark.parametrize("helper", ["/bin/false", "/bin/cat"], ids=["dies at once", "never answers"])
def test_a_second_process_that_does_nothing_changes_nothing(world, settings, tmp_path, monkeypatch, helper):
    expected = ask(Settings(home=tmp_path / "alone"), world)
    monkeypatch.setattr(day_answers, "HELP_FROM_ROWS", 0)
    monkeypatch.setattr(sys, "executable", helper)
    assert ask(settings, world) == expected


def test_a_frame_holds_so_many_rows_and_bytes_at_most_whatever_the_table(monkeypatch):
    monkeypatch.setattr(day_answers, "ROWS_AT_ONCE", 50_000)
    monkeypatch.setattr(day_answers, "BYTES_AT_ONCE", 32_000_000)
    title = dataclasses.replace(next(rule for rule in ARTICLES.rules if rule.code == "ART103"))
    with duck.connect() as connection:
        for letters in (1, 1000):
            rows = connection.sql(f"select repeat('x', {letters}) || i as title from range(200_000) r(i)")
            sizes = [len(frame) for frame in frames(rows, [title])]
            assert sum(sizes) == 200_000
            assert max(sizes) <= (50_000 if letters == 1 else 32_000)
