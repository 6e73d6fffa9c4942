"""The names of all models: each class in `include/models/kinds/` with a `name`, parsed without importing it.

Settings, forms and command lines need the names where nothing heavy may be imported. Each class declares its own name
and whether it is a baseline; there is no other list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "models" / "kinds"


@dataclass(frozen=True)
class ModelName:
    """A model's name, class and place, as declared in its file."""

    name: str
    module: str
    class_name: str
    is_baseline: bool


@cache
def find_names() -> dict[str, ModelName]:
    """Return all models by name, baselines last."""
    found = [one for path in sorted(FOLDER.rglob("*.py")) for one in _declared(path)]
    twice = sorted({one.name for one in found if sum(one.name == other.name for other in found) > 1})
    if twice:
        raise ValueError(f"More than one class in include/models/kinds is called {', '.join(twice)}.")
    return {one.name: one for one in sorted(found, key=lambda one: one.is_baseline)}


def _declared(path: Path) -> Iterator[ModelName]:
    module = ".".join(("include", *path.relative_to(FOLDER.parents[1]).with_suffix("").parts)).removesuffix(".__init__")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            said = {
                part.target.id: part.value.value
                for part in node.body
                if isinstance(part, ast.AnnAssign)
                and isinstance(part.target, ast.Name)
                and isinstance(part.value, ast.Constant)
            }
            if "name" in said:
                yield ModelName(str(said["name"]), module, node.name, bool(said.get("is_baseline")))
