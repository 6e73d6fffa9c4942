"""Files that a person can read: each says what it is and is named after what it holds."""

from __future__ import annotations

import ast

from include.core.settings import PROJECT
from tests.architecture.source import files, name, tree

DRAWERS = ("utils", "helpers", "common", "misc", "manager", "_words")


def test_a_module_says_what_it_is():
    silent = []
    for path in files():
        said = ast.get_docstring(tree(path)) or ""
        first, *more = said.splitlines() or [""]
        if not said or not (first.endswith((".", ":", ",", ";")) or more):
            silent.append(name(path))
    assert silent == []


def test_what_others_may_use_says_what_it_does():
    silent = [
        f"{name(path)}: {node.name}"
        for path in files("include")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_module_is_a_drawer_for_everything():
    assert [name(path) for path in files() if any(word in path.stem for word in DRAWERS)] == []


def test_a_room_says_what_belongs_in_it_in_one_sentence():
    rooms = [path.parent for path in files("include") if path.name == "__init__.py" and path.parent.name != "include"]
    assert len(rooms) > 12
    assert [name(room) for room in rooms if not ast.get_docstring(tree(room / "__init__.py"))] == []


def test_tests_follow_the_rooms():
    """Unit and contract tests stand in a folder of the room they test; `bench` stands beside the rooms."""
    rooms = {path.name for path in (PROJECT / "include").iterdir() if path.is_dir()} | {"bench"}
    strays = [
        name(path)
        for kind in ("unit", "contract")
        for path in (PROJECT / "tests" / kind).rglob("test_*.py")
        if path.parent.name not in rooms
    ]
    assert strays == []
