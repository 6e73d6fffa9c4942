"""Feast's own commands in `feature_repo/`, as its documentation says, with nothing exported but the state folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.adapters import feast_store
from include.core.settings import PROJECT
from tests.parts import servers
from tests.worlds import tiny

READER = 7
ASKED = tiny.AS_OF - timedelta(hours=10)  # two hours after a list time


@pytest.fixture(scope="module")
def repository(serverless, training_build, tmp_path_factory):
    """A checkout whose installation has registered its features and kept one build."""
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copytree(PROJECT / "feature_repo", checkout / "feature_repo", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "include").symlink_to(PROJECT / "include")
    settings = serverless.model_copy(update={"home": checkout / ".daybreak"})
    feast_store.apply_shared(settings)
    shutil.copytree(training_build, settings.home / "features" / "20250309T000000Z-training-x")
    return checkout / "feature_repo"


def environment(repository: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return inherited | {"DAYBREAK_HOME": str(repository.parent / ".daybreak"), "TMPDIR": str(repository.parent)}


COMMANDS = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from feast.cli.cli import cli
said = []
for words in json.loads(sys.argv[1]):
    with redirect_stdout(StringIO()) as printed:
        cli(words, standalone_mode=False)
    said.append(printed.getvalue())
print(json.dumps(said))
"""


def feast(repository: Path, *commands: list[str]) -> list[str]:
    """What each `feast` command prints in the folder; one process runs them all, for it imports Feast for seconds."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", COMMANDS, json.dumps(commands)],
        cwd=repository, env=environment(repository), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def asked(repository):
    """What Feast says of the plan, of its views, and of a reader's history."""
    entities = json.dumps([{"reader_id": READER, "event_timestamp": ASKED.isoformat()}])
    history = ["get-historical-features", "-d", entities, "-f", "reader_activity:impression_count"]
    plan, views, rows = feast(repository, ["plan"], ["feature-views", "list"], history)
    return {"plan": plan, "views": views, "history": rows}


def test_a_plan_after_the_set_up_changes_nothing(asked):
    assert "No changes to registry" in asked["plan"]


def test_a_plan_names_what_was_declared_since_and_apply_registers_it(repository, tmp_path):
    changed = tmp_path / "feature_repo"
    shutil.copytree(repository, changed)
    (tmp_path / "include").symlink_to(PROJECT / "include")
    shutil.copytree(repository.parent / ".daybreak" / "features", tmp_path / ".daybreak" / "features")
    text = (changed / "definitions.py").read_text()
    (changed / "definitions.py").write_text(
        text.replace('Field(name="read_count_1d", dtype=Int64),', 'Field(name="read_count_2d", dtype=Int64),', 1)
    )
    before, _, after = feast(changed, ["plan"], ["apply"], ["plan"])
    assert "Updated feature view reader_activity" in before
    assert "read_count_2d" in before
    assert "No changes to registry" in after


def test_the_views_are_listed(asked):
    assert {"reader_activity", "reader_taste", "article_stats"} <= set(asked["views"].split())


def test_history_is_what_was_known_at_a_time_between_two_list_times(asked, training_build):
    (row,) = json.loads(asked["history"])
    assert row["impression_count"] == _known(training_build) > 0


def _known(build: Path) -> int:
    (found,) = (
        row["impression_count"]
        for row in pq.read_table(build / "reader_activity").to_pylist()
        if row["reader_id"] == READER and row["event_timestamp"] == tiny.AS_OF - timedelta(hours=12)
    )
    return found


def test_the_ui_shows_the_registry(repository):
    port = servers.free_port()
    served = subprocess.Popen(
        [Path(sys.executable).with_name("feast"), "ui", "--host", "127.0.0.1", "--port", str(port)],
        cwd=repository,
        env=environment(repository),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert b"Feast" in _answer(f"http://127.0.0.1:{port}/")
        told = json.loads(_answer(f"http://127.0.0.1:{port}/api/v1/feature_views?project=daybreak"))
        assert "reader_activity" in {view["spec"]["name"] for view in told["featureViews"]}
    finally:
        served.kill()
        served.wait()


def _answer(url: str) -> bytes:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read()
        except (OSError, urllib.error.URLError):
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
