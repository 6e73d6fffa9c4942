"""Files that a person can read: not too long, and each says what it is."""

from __future__ import annotations

import ast

import pytest

from include.settings import PROJECT
from tests.architecture.source import files, name, tree

MOST_LINES = 300
MOST_LINES_OF_TESTS = 400


@pytest.mark.parametrize("path", files(), ids=name)
def test_a_file_is_not_too_long(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", sorted((PROJECT / "tests").rglob("*.py")), ids=name)
def test_a_test_file_is_not_too_long(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES_OF_TESTS


@pytest.mark.parametrize("path", files(), ids=name)
def test_a_module_says_what_it_is(path):
    said = ast.get_docstring(tree(path))
    assert said
    assert said.splitlines()[0].endswith((".", ":", ",", ";")) or len(said.splitlines()) > 1


@pytest.mark.parametrize("path", [p for p in files("include") if p.name != "__init__.py"], ids=name)
def test_what_others_may_use_says_what_it_does(path):
    silent = [
        node.name
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc", "manager"])
def test_no_module_is_a_drawer_for_everything(word):
    assert [name(path) for path in files() if word in path.stem] == []
