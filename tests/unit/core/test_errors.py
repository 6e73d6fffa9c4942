"""Errors: the fact first, then the hint; and an exit code of its own for each kind."""

from __future__ import annotations

import inspect

import pytest

from include.core import errors
from include.core.errors import DaybreakError, Finding, ServiceError, SourceError, SourceLate, ValidationBlocked

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DaybreakError)]


def test_an_error_says_the_fact_and_then_the_hint():
    assert str(DaybreakError("3 files are missing.", hint="make them.")) == "3 files are missing. Hint: make them."


def test_an_error_without_a_hint_cannot_be_made():
    with pytest.raises(TypeError):
        DaybreakError("It broke.")


def test_every_kind_of_error_has_an_exit_code_of_its_own():
    codes = [kind.exit_code for kind in KINDS]
    assert len(codes) == len(set(codes)) >= 9
    assert 0 not in codes


def test_an_error_names_what_is_broken_where_that_is_not_the_run_itself():
    finding = Finding("articles", "ART101", "article_id is there", "90 of 900 break it.", 90, ())
    assert ValidationBlocked("x", hint="y", findings=(finding,)).about == "articles"
    assert SourceError("x", hint="y").about == SourceLate("x", hint="y").about == "source"
    assert ServiceError("x", hint="y", about="MLflow").about == "MLflow"
    assert DaybreakError("x", hint="y").about == ""
