"""What the project tells others of itself: what it depends on."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.metadata import packages_distributions

from include.core.settings import PROJECT
from tests.architecture.source import files, imports, name

OURS = {"bench", "daybreak_airflow", "daybreak_plugin", "feature_repo", "include", "tests"}


def declared(*pages: str) -> set[str]:
    """The distributions that requirement files name, extras and bounds left away."""
    lines = [line for page in pages for line in (PROJECT / page).read_text().splitlines()]
    found = [re.match(r"[A-Za-z][\w.-]*", line) for line in lines]
    return {canonical(one[0]) for one in found if one}


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@cache
def distributions() -> dict[str, set[str]]:
    """Import name -> the installed distributions that provide it."""
    return {module: {canonical(one) for one in found} for module, found in packages_distributions().items()}


def undeclared(allowed: set[str], *folders: str) -> dict[str, list[str]]:
    """Third-party modules that are imported without being declared, each with the files that import it."""
    guilty: dict[str, list[str]] = {}
    for path in files(*folders):
        for module in {imported.split(".")[0] for imported in imports(path)} - OURS - sys.stdlib_module_names:
            if not distributions().get(module, {module}) & allowed:
                guilty.setdefault(module, []).append(name(path))
    return guilty


def test_what_is_imported_is_declared():
    assert undeclared(declared("requirements.in"), "include", "plugins", "dags", "feature_repo") == {}


def test_what_benchmarks_and_tests_import_is_declared():
    assert undeclared(declared("requirements.in", "requirements-bench.in"), "bench") == {}
    assert undeclared(declared("requirements.in", "requirements-dev.in"), "tests") == {}
