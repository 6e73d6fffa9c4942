"""Files that a person can read: each says what it is and is named after what it holds."""

from __future__ import annotations

import ast
import re
from collections import Counter

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


def test_every_constant_and_every_function_is_used():
    """A public name anywhere in the project, a private one in its own file."""
    words = {path: Counter(re.findall(r"\w+", path.read_text())) for path in files()}
    everywhere = sum(words.values(), Counter())
    for path in (PROJECT / "tests").rglob("*.py"):
        everywhere.update(re.findall(r"\w+", path.read_text()))
    unused = [
        f"{name(path)}: {one}"
        for path in files("include")
        for one in _names(tree(path))
        if not one.startswith("__") and (words[path] if one.startswith("_") else everywhere)[one] < 2
    ]
    assert unused == []


def _names(module):
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        if isinstance(node, ast.Assign):
            yield from (part.id for one in node.targets for part in ast.walk(one) if isinstance(part, ast.Name))


def test_the_type_of_a_moment_has_one_name():
    made = r"""timestamp\(["']us["'], tz="""
    assert [path.name for path in files() if re.search(made, path.read_text())] == ["contract.py"]


def test_a_schema_and_a_table_of_names_have_a_line_for_each_entry():
    packed = [
        f"{name(path)}:{node.lineno}"
        for path in [*files(), *(PROJECT / "tests").rglob("*.py")]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Starred)
        and isinstance(node.value, ast.Tuple)
        and node.value.elts
        and all(isinstance(part, ast.Tuple) for part in node.value.elts)
    ]
    assert packed == []
