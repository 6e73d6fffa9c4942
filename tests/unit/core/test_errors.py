"""Errors: the fact first, then the hint; and an exit code of its own for each kind."""

from __future__ import annotations

import inspect

import pytest

from include.core import errors
from include.core.errors import DaybreakError

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
