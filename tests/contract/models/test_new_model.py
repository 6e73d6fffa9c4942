"""Another model is one file: dropped into a copy of the project, it is found and held to what every model must hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from include.core import model_names
from include.core.settings import PROJECT

PAGE = (PROJECT / "docs" / "models.md").read_text().partition("## Write a model")[2]
EXAMPLE = re.search(r"```python\n(.+?)```", PAGE, re.DOTALL)[1]
NAME = "new_in_categories"


@pytest.fixture
def copied(tmp_path):
    """The project's code and tests elsewhere, with the page's example as one more file."""
    for folder in ("include", "feature_repo", "tests"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "requirements.txt"):
        shutil.copy(PROJECT / file, tmp_path)
    (tmp_path / "include" / "models" / "kinds" / "anything.py").write_text(EXAMPLE)
    return tmp_path


def run(folder, *words, **environment):
    env = {key: value for key, value in os.environ.items() if not key.startswith("DAYBREAK_")}
    command = [sys.executable, "-W", "ignore", *words]
    return subprocess.run(command, cwd=folder, env={**env, **environment}, capture_output=True, text=True)


def test_the_pages_example_is_found_chosen_and_passes_every_test_on_models(copied):
    ended = run(
        copied, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/models/test_models.py", "-k", NAME
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-1000:]
    passed = int(re.search(r"(\d+) passed", ended.stdout)[1])
    assert passed >= 20
    told = run(copied, "-m", "include", "retrain", "--help").stdout
    assert NAME in told


def test_an_unknown_name_is_answered_with_those_that_are_there(copied):
    asked = run(copied, "-m", "include", "status", DAYBREAK_MODEL="three_stage", DAYBREAK_HOME=str(copied / "home"))
    assert asked.returncode == 2
    assert "DAYBREAK_MODEL='three_stage'" in asked.stderr
    assert NAME in asked.stderr


def test_two_classes_of_one_name_are_a_mistake_that_is_told(copied, monkeypatch):
    (copied / "include" / "models" / "kinds" / "again.py").write_text(EXAMPLE)
    monkeypatch.setattr(model_names, "FOLDER", copied / "include" / "models" / "kinds")
    with pytest.raises(ValueError, match=f"More than one class in include/models/kinds is called {NAME}"):
        model_names.find_names.__wrapped__()
