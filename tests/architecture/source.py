"""The project's own source as data: files, what they import, what they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from include.core.settings import PROJECT

FOLDERS = ("include", "feature_repo", "plugins", "dags", "bench")


def files(*folders: str) -> list[Path]:
    """Every Python file of these folders."""
    return sorted(path for folder in folders or FOLDERS for path in (PROJECT / folder).rglob("*.py"))


def name(path: Path) -> str:
    """A file as people name it: include/lists/batch.py."""
    return str(path.relative_to(PROJECT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path) -> set[str]:
    """Full names of everything a file imports, wherever in the file: `psycopg.sql` for `from psycopg import sql`."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a file with the dotted name of what is called, as far as it is written out."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "…"


def words(path: Path) -> set[str]:
    """Every string constant of a file."""
    return {
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
