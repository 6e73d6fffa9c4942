"""One try of a task, in a process of its own that can be stopped short before any of its steps.

A step is what others can see of a process: a statement to PostgreSQL, a request to MLflow or the mail server, a rename
or a removal in the state folder. Processes are forked from one that has imported what stages need, so that a kill
falls on their work and not on their imports.
"""

from __future__ import annotations

import os
import smtplib
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from include import pipeline
from include.alerts import reporting
from include.alerts.channels import find_channels
from include.alerts.incidents import Success
from include.alerts.outbox import deliver_pending
from include.alerts.wording import Failure
from include.core.errors import DaybreakError, ServiceError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import load_settings
from include.pipeline import orders
from tests.worlds.tiny import AS_OF, TINY

STEPS = {"os.rename": "file", "os.remove": "file", "http.client.send": "request"}  # by Python's audit events
RUN_ID = f"scheduled__{AS_OF:%Y-%m-%d}"

# task -> its run, its stage and its inputs: earlier tasks by name, other values as they are
TASKS: dict[str, tuple[str, str, tuple[object, ...]]] = {
    "earlier_lists": ("recommend", "", ()),
    "extract": ("retrain", "extract", (TINY["window_days"],)),
    "validate": ("retrain", "validate", ("extract",)),
    "build_features": ("retrain", "build_features", ("validate", "training")),
    "train": ("retrain", "train", ("build_features", "two_stage")),
    "judge": ("retrain", "judge", ("train", "build_features")),
    "promote": ("retrain", "promote", ("judge",)),
    "recommend_extract": ("recommend", "extract", (TINY["lookback_days"],)),
    "recommend_validate": ("recommend", "validate", ("recommend_extract",)),
    "recommend_build_features": ("recommend", "build_features", ("recommend_validate", "scoring")),
    "score": ("recommend", "score", ("recommend_build_features",)),
    "write_batch": ("recommend", "write_batch", ("score",)),
    "audit": ("recommend", "audit", ("write_batch",)),
    "publish": ("recommend", "publish", ("audit",)),
    "report": ("recommend", "", ()),
    "recover": ("recommend", "", ()),
}


def attempt(
    home: str, log: str, task: str, given: Mapping[str, Any], stop: tuple[str, int] | None, pipe: Connection
) -> None:
    """Try the task; before the step `stop`, a kind and a number, say so and wait for a word; tell how it ended."""
    os.setpgid(0, 0)
    os.environ["DAYBREAK_HOME"] = home
    with Path(log).open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    steps = _Steps(stop, pipe)
    steps.watch()
    try:
        answer: dict[str, Any] = {"reference": _work(task, given)}
    except BaseException as error:
        traceback.print_exc()
        is_final = isinstance(error, DaybreakError) and not isinstance(
            error, ServiceError
        )  # as the plugin's `PATIENCE`
        answer = {"error": {"kind": type(error).__name__, "fact": str(error), "is_final": is_final}}
    steps.stop = None
    pipe.send({**answer, "steps": dict(steps.taken)})
    time.sleep(3600)  # the end is the harness's


def _work(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    settings = load_settings()
    dag, stage, inputs = TASKS[task]
    run = Run(settings, f"{dag}/{RUN_ID}", AS_OF, "schedule", mode="enforce", kind="scheduled")
    if task == "earlier_lists":
        earlier = replace(run, run_id=f"{dag}/scheduled__0", as_of=AS_OF - timedelta(hours=6))
        return orders.recommend(earlier).to_dict()
    if task in ("report", "recover"):
        channels = find_channels(settings)
        if task == "report":
            reporting.report(settings, Failure(**given["failure"]), channels)
        else:
            reporting.report_success(settings, Success(dag, RUN_ID, AS_OF, is_past=False), channels)
        deliver_pending(settings, channels)  # as the sentinel does every minute
        return {}
    found = [Reference.from_dict(given[one]) if one in given else one for one in inputs]
    reference: Reference = getattr(pipeline, stage)(run, *found)
    return reference.to_dict()


class _Steps:
    """The steps that this process has taken, by kind."""

    def __init__(self, stop: tuple[str, int] | None, pipe: Connection):
        self.stop, self.pipe = stop, pipe
        self.taken = Counter[str]()
        self.lock = threading.Lock()

    def take(self, kind: str) -> None:
        with self.lock:
            self.taken[kind] += 1
            if (kind, self.taken[kind]) == self.stop:
                self.pipe.send({"step": self.stop})
                self.pipe.recv()

    def watch(self) -> None:
        """Notice every step from now on."""
        sys.addaudithook(lambda event, _: self.take(STEPS[event]) if event in STEPS else None)
        for owner, name, kind in ((psycopg.Connection, "wait", "statement"), (smtplib.SMTP, "putcmd", "mail")):
            setattr(owner, name, self._taking(kind, getattr(owner, name)))

    def _taking(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def take_and_go_on(*some: Any, **named: Any) -> Any:
            self.take(kind)
            return real(*some, **named)

        return take_and_go_on
