"""What the project tells others of itself: what it depends on, how it is tested and under which licence."""

from __future__ import annotations

import re
import sys
import tomllib
import warnings
from functools import cache
from importlib.metadata import packages_distributions

import pytest
import yaml

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


def test_github_runs_make_test_on_the_oldest_and_the_newest_python():
    job = yaml.safe_load((PROJECT / ".github" / "workflows" / "test.yml").read_text())["jobs"]["test"]
    assert any(step.get("run", "").startswith("make test") for step in job["steps"])
    bounds = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["requires-python"]
    first, beyond = (int(minor) for minor in re.fullmatch(r">=3\.(\d+),<3\.(\d+)", bounds).groups())
    assert job["strategy"]["matrix"]["python"] == [f"3.{first}", f"3.{beyond - 1}"]


def test_hooks_before_a_commit_need_no_network():
    repos = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook for repo in repos for hook in repo["hooks"]]
    assert {repo["repo"] for repo in repos} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"].split()[:2][-1] for hook in hooks} == {"format", "check"}


def test_the_licence_is_there_and_named():
    assert "Apache License\n                           Version 2.0" in (PROJECT / "LICENSE").read_text()
    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0"


@pytest.mark.parametrize("module", ["include.lists.batch", "daybreak_airflow.stages", "bench.installation"])
@pytest.mark.parametrize("kind", [DeprecationWarning, FutureWarning, RuntimeWarning, ResourceWarning])
def test_a_warning_about_our_own_code_fails_a_test(module, kind):
    with pytest.raises(kind):
        warnings.warn_explicit("outdated", kind, f"{module}.py", 1, module=module)
