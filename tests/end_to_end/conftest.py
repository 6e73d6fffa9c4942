"""A whole installation, brought up by the words a user types, with nothing replaced."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 1200  # a first cycle takes long on a machine that does much else
CALM_SECONDS = 2400  # long enough to wait for the nightly run and for whatever follows from it
NIGHTLY_MARGIN = timedelta(minutes=20)
READERS = 1200  # of whom some 350 are judged
SETTINGS = {
    "DAYBREAK_DRIFT_MIN_ROWS": "200",
    "DAYBREAK_DRIFT_VIOLATIONS": "1",
    "DAYBREAK_LIST_STEP_HOURS": "6",  # half the moments to learn and to judge
    "DAYBREAK_MAX_LOAD_SECONDS": "1200",  # busy is not broken (RT112)
}
WAITS = "awaiting_input"
NOT_TRIGGERED_HERE = ("maintain", "monitor", "recommend")  # the clock and events start them, no test does


@dataclass(frozen=True)
class Installation:
    """A state folder and the words to say to it."""

    home: Path
    told: str = ""

    def say(self, *words, check=True):
        """What `bin/daybreak WORDS` printed."""
        done = subprocess.run(
            [PROJECT / "bin" / "daybreak", *words],
            env={**os.environ, "DAYBREAK_HOME": str(self.home), **SETTINGS},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        if check and done.returncode:
            pytest.fail(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def sql(self, statement, *options):
        """The rows of a statement, each a list of texts."""
        told = self.say("psql", *options, "-AtqF\t", "-c", statement)
        return [line.split("\t") for line in told.splitlines()]

    @property
    def settings(self):
        from include.core.settings import Settings

        return Settings(_env_file=self.home / "daybreak.env", home=self.home)

    @property
    def airflow(self):
        from include.adapters.airflow_api import Airflow

        return Airflow(self.settings)

    def signed_in_as(self, user):
        """Airflow as `operator` or `viewer` sees it."""
        from include.adapters.airflow_api import Airflow

        password = getattr(self.settings, f"airflow_{user}_password")
        return Airflow(self.settings.model_copy(update={"airflow_user": user, "airflow_password": password}))

    def page(self, user, path):
        """What `operator` or `viewer` gets who asks for a page under /daybreak."""
        with self.browser(user) as browser:
            return browser.get(f"/daybreak/{path}")

    @contextmanager
    def browser(self, user):
        """A browser in which this user is signed in."""
        password = getattr(self.settings, f"airflow_{user}_password").get_secret_value()
        address = f"http://127.0.0.1:{self.settings.airflow_port}"
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as browser:
            signed_in = browser.post("/auth/token", json={"username": user, "password": password})
            token = signed_in.json()["access_token"]
            browser.headers.update({"Cookie": f"_token={token}", "Origin": address})
            yield browser

    def act(self, user, name, **typed):
        """The page of an action that this user confirmed with a double click, as told, and the run that it started."""
        with self.browser(user) as browser:
            asked = browser.post(f"/daybreak/actions/{name}", data=typed)
            confirmed = {"confirmation": re.search(r'name="confirmation" value="([^"]+)', asked.text)[1], "step": "do"}
            started, again = (browser.post(f"/daybreak/actions/{name}", data=confirmed) for _ in range(2))
        assert started.headers["location"] == again.headers["location"]
        return asked.text, unquote(started.headers["location"].rpartition("/")[2])

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

    def questions(self):
        """What `approve` asks a person at this moment, by run."""
        found = {}
        for run in self.airflow.runs("approve"):
            run_id = run["dag_run_id"]
            if run["state"] == "running" and self.task_states("approve", run_id).get("wait_for_a_person") == WAITS:
                asked = self.airflow.get(self._question(run_id))
                if not asked["response_received"]:
                    found[run_id] = asked
        return found

    def answer(self, run_id, option, reason=None):
        """Choose `Promote` or `Keep` in a run of `approve`."""
        answer = {"chosen_options": [option], "params_input": {"reason": reason}}
        self.airflow.patch(self._question(run_id), answer)

    def _question(self, run_id):
        return f"dags/approve/dagRuns/{run_id}/taskInstances/wait_for_a_person/-1/hitlDetails"

    @contextmanager
    def quiet(self):
        """Inside the block only the newsroom runs, and what the block triggers. No older question is open."""
        wait_until(self._hush, CALM_SECONDS)
        try:
            yield
        finally:
            self._pause(False)

    def _hush(self):
        """Whether everything is at rest and paused. Runs may end first: a paused DAG does not go on with its runs."""
        nightly = datetime.fromisoformat(self.airflow.get("dags/retrain")["next_dagrun_run_after"])
        if nightly - datetime.now(UTC) < NIGHTLY_MARGIN or not self._is_calm():
            return False
        self._pause(True)
        if self._is_calm():
            return True
        self._pause(False)
        return False

    def _pause(self, is_paused):
        for dag_id in NOT_TRIGGERED_HERE:
            self.airflow.patch(f"dags/{dag_id}", {"is_paused": is_paused})

    def _is_calm(self):
        """Whether no run is there and no event that a run will follow from. Older questions are answered with `Keep`,
        for `approve` asks one at a time.
        """
        for run_id in self.questions():
            self.answer(run_id, "Keep")
        return not (self._going_on() or self._events() or self._going_on())

    def _going_on(self):
        runs = self.airflow.get("dags/~/dagRuns", state=["queued", "running"], limit=100)["dag_runs"]
        return [run for run in runs if run["dag_id"] != "newsroom"]

    def _events(self):
        paths = [f"dags/{dag_id}/assets/queuedEvents" for dag_id in ("approve", "recommend", "retrain")]
        return [event for path in paths for event in self.airflow.get(path)["queued_events"]]


def wait_until(holds, seconds=300):
    """Returns what `holds` returned once it was true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"It did not become true within {seconds} s.")


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """Up and running after its first cycle. A day ago the publisher began to print much longer articles.

    It stops with the last test of its file, so that its services take nothing from the tests that follow.
    """
    home = tmp_path_factory.mktemp("home") / "state"
    bare = Installation(home)
    try:
        bare.say("up", "--no-demo")
        bare.say("newsroom", "play", "--readers", str(READERS))
        longer = "update newsroom.stories set words = words * 3 where live_from > now() - interval '26 hours'"
        bare.sql(longer, "--write", "-d", "publisher")
        yield Installation(home, bare.say("up"))
    finally:
        bare.say("down", check=False)
