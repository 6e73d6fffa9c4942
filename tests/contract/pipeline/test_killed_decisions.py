"""A promotion, an answer or a rollback that is killed: it happened whole or not at all, and the same again ends it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from include import pipeline
from include.adapters import mlflow_client
from include.core.settings import PROJECT
from tests.parts import servers
from tests.worlds.evidence import DOUBTS, judge
from tests.worlds.reigns import AS_OF, aliases, ask_for, champion_of, keep_verdict, live_model

SOUND, DOUBTFUL = judge(), judge(**DOUBTS["RT106"][1])


@pytest.fixture
def run(decision):
    return decision


# For each line it reads it forks a process that does as told and is killed at a place: what all need is imported once.
KILLER = """
import json, os, signal, sys
from include import pipeline
from include.adapters import mlflow_client
from include.core.clock import parse_moment
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import load_settings
from include.pipeline import deciding, going_back
mlflow_client.make_quiet()
mlflow_client.leave_out_feast()
from mlflow import MlflowClient
places = {"append": (deciding.champions, "append"), "appended": (deciding.champions, "append"),
          "lists": (going_back.batches, "restore"), "audit": (going_back, "keep_audit"),
          "answered": (deciding, "keep_audit"), "aliases": (deciding.champions, "follow")}
for line in sys.stdin:
    task = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.environ["DAYBREAK_HOME"], mlflow_client.MODEL = task["home"], task["model"]
    where, name = places[task["place"]]
    real = getattr(where, name)
    def die(*some, **named):
        if task["place"] == "appended":
            real(*some, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(where, name, die)
    run = Run(load_settings(), "test/killed", parse_moment(task["as_of"]), "ada")
    given = [Reference.from_dict(one) if isinstance(one, dict) else one for one in task["given"]]
    getattr(pipeline, task["stage"])(run, *given)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def killer():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", KILLER], cwd=PROJECT, **pipes) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def killed(settings, killer):
    """A function: this stage, killed at this place."""

    def kill(place, stage, *given):
        servers.write_env_file(settings)
        task = {"home": str(settings.home), "model": mlflow_client.MODEL, "as_of": AS_OF.isoformat()}
        print(json.dumps({**task, "place": place, "stage": stage, "given": given}), file=killer.stdin, flush=True)
        assert int(killer.stdout.readline()) == -signal.SIGKILL

    return kill


@pytest.mark.parametrize(("place", "version"), [("append", 2), ("appended", 2), ("aliases", 3)])
def test_a_promotion_that_is_killed_happened_or_not_and_done_again_it_happened_once(
    settings, run, two, killed, place, version
):
    verdict = keep_verdict(settings, SOUND, 3, 2, 2)
    killed(place, "promote", verdict.to_dict())
    assert champion_of(settings).version == version
    again = pipeline.promote(replace(run, run_id="test/killed", form={"reason": "again"}), verdict)
    assert again.facts["changed"] is True
    assert ask_for(settings, "select version from ops.champions order by seq") == [(1,), (2,), (3,)]
    assert again.facts["sentence"] == champion_of(settings).why
    assert aliases(settings) == {"champion": 3, "previous": 2}


@pytest.mark.parametrize(("place", "version"), [("answered", 2), ("append", 2), ("appended", 2), ("aliases", 3)])
def test_an_answer_and_what_follows_from_it_are_one(settings, run, two, killed, place, version):
    asked = keep_verdict(settings, DOUBTFUL, 3, 2, 2)
    killed(place, "answer", asked.id, "promote", "ada")
    is_open = pipeline.find_question(settings, asked.id) is not None
    assert (champion_of(settings).version, is_open) == (version, version == 2)
    assert pipeline.answer(run, asked.id, "promote", "ada").facts["changed"] is True
    assert ask_for(settings, "select version from ops.champions order by seq") == [(1,), (2,), (3,)]
    assert ask_for(settings, "select actor, action from ops.audit") == [("ada", "answer promote")]
    assert aliases(settings) == {"champion": 3, "previous": 2}


@pytest.mark.parametrize(("place", "version"), [("lists", 2), ("audit", 2), ("aliases", 1)])
def test_a_rollback_that_is_killed_happened_whole_or_not_at_all(settings, run, two, killed, place, version):
    killed(place, "roll_back", None, "bad")
    assert (champion_of(settings).version, live_model(settings)) == (version, [(version,)])
    pipeline.roll_back(replace(run, run_id="test/killed"), None, "bad")
    assert (champion_of(settings).version, live_model(settings)) == (1, [(1,)])
    assert aliases(settings) == {"champion": 1, "previous": None}
