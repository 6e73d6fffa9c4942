"""A whole installation, brought up by the words a user types, with nothing replaced."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 600


@dataclass(frozen=True)
class Installation:
    """A state folder and the words to say to it."""

    home: Path
    told: str = ""

    def say(self, *words, check=True):
        """What `bin/daybreak WORDS` printed."""
        done = subprocess.run(
            [PROJECT / "bin" / "daybreak", *words],
            env={**os.environ, "DAYBREAK_HOME": str(self.home), "DAYBREAK_DRIFT_VIOLATIONS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def sql(self, statement):
        """The rows of a statement, each a list of texts."""
        told = self.say("psql", "-AtqF\t", "-c", statement)
        return [line.split("\t") for line in told.splitlines()]

    @property
    def settings(self):
        from include.core.settings import Settings

        return Settings(_env_file=self.home / "daybreak.env", home=self.home)

    @property
    def airflow(self):
        from include.adapters.airflow_api import Airflow

        return Airflow(self.settings)

    def get(self, url):
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def mails(self):
        return self.get(f"http://127.0.0.1:{self.settings.mailbox_port}/api/mails")

    def finished(self, dag_id, run_id):
        """The state of a run once it has ended."""
        return self.airflow.wait_for_run(dag_id, run_id, lambda tasks: None)["state"]

    def task_states(self, dag_id, run_id):
        return {task["task_id"]: task["state"] for task in self.airflow.task_instances(dag_id, run_id)}


def wait_until(holds, seconds=120):
    """Returns what `holds` returned once it was true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(1)
    raise AssertionError(f"It did not become true within {seconds} s.")


@pytest.fixture(scope="session")
def installation(tmp_path_factory):
    """Up and running after its first cycle. A day ago the publisher began to print much longer articles."""
    home = tmp_path_factory.mktemp("home") / "state"
    bare = Installation(home)
    try:
        bare.say("up", "--no-demo")
        bare.say("newsroom", "play")
        bare.sql("update newsroom.stories set words = words * 3 where live_from > now() - interval '26 hours'")
        yield Installation(home, bare.say("up"))
    finally:
        bare.say("down", check=False)
