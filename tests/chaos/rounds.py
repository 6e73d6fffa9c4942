"""A round: put the world back as it was before a task, disturb the task, let it be tried again, compare the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from tests.chaos.attempt import attempt
from tests.chaos.fingerprint import Fingerprint, compare
from tests.chaos.world import World

PATIENCE_SECONDS = 180
SMALLEST_ROOM, LARGEST_ROOM = 0, 200_000  # bytes
FAILURE = {
    "dag_id": "recommend",
    "run_id": "scheduled__1",
    "run_type": "scheduled",
    "task_id": "score",
    "kind": "AuditFailed",
    "fact": "12 lists are short.",
}
# a service -> the kind of step of a task that needs it
NEEDED_BY = {"postgres": "statement", "mlflow": "request", "mail": "mail", "disk": "file"}


@dataclass(frozen=True)
class Usual:
    """A task that nothing disturbed: what it returned, its steps by kind, its duration, and the world after it."""

    reference: dict[str, Any]
    steps: Mapping[str, int]
    seconds: float
    facts: dict[str, Any]

    @property
    def disturbances(self) -> list[str]:
        """Those other than a kill at a step, by turns."""
        return ["killed in time", "killed twice", *(name for name, kind in NEEDED_BY.items() if self.steps.get(kind))]


@dataclass
class Round:
    """How a round ended: what was done when, whether the task was over by then, and each difference."""

    task: str
    number: int
    what: str
    is_after_end: bool = False
    differences: list[str] = field(default_factory=list)


class Rounds:
    """Rounds in a world whose undisturbed course is known."""

    def __init__(self, world: World, seed: str, preloaded: list[str]):
        self.world, self.seed = world, seed
        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload(preloaded)
        self.fingerprint = Fingerprint(world.settings, world.mailbox, has_mlflow="mlflow" in world.services)
        self.usual: dict[str, Usual] = {}

    def run_undisturbed(self, task: str) -> None:
        """Keep the world before the task, let it go through, and remember all about it."""
        self.world.save(task)
        begin = time.monotonic()
        with self._tried(task) as trial:
            answer = trial.follow()
        seconds = time.monotonic() - begin
        assert "reference" in answer, f"{task}: {answer}"
        self.usual[task] = Usual(answer["reference"], answer["steps"], seconds, self.fingerprint.take())

    def play(self, task: str, number: int) -> Round:
        """Play a round of the task; the same number and seed disturb the same way."""
        usual, random = self.usual[task], Random(f"{self.seed}/{task}/{number}")
        others = [one for one in usual.disturbances if one != "disk" or self.world.is_mounted]
        what = "killed" if number % 2 else others[number // 2 % len(others)]
        played = Round(task, number, what)
        self.world.restore(task)
        for _ in range(2 if what == "killed twice" else 1):
            self._disturb(played, what, random)
        self._go_on(played)
        played.differences += compare(usual.facts, self.fingerprint.take())
        return played

    def go_on_to_the_end(self, played: Round) -> None:
        """Let the tasks after it go through, and compare the end."""
        following = [*self.usual][[*self.usual].index(played.task) + 1 :]
        for task in following:
            with self._tried(task) as trial:
                answer = trial.follow()
            if "error" in answer:
                played.differences.append(f"{task}, afterwards, failed: {answer['error']}")
                return
        if following:
            played.differences += compare(self.usual[following[-1]].facts, self.fingerprint.take())

    def _disturb(self, played: Round, what: str, random: Random) -> None:
        usual = self.usual[played.task]
        if what == "killed in time":
            delay = random.uniform(0, usual.seconds)
            played.what += f" after {delay:.2f} s of {usual.seconds:.2f} s"
            with self._tried(played.task) as trial:
                played.is_after_end = trial.wait(delay)
            return
        kind = random.choice(sorted(usual.steps))
        number = random.randint(1, usual.steps[kind])
        played.what += f" at {kind} {number} of {usual.steps[kind]}"
        with self._tried(played.task, stop=(kind, number)) as trial:
            played.is_after_end = not trial.reaches_its_stop()
            if played.is_after_end or what.startswith("killed"):
                return
            if what == "disk":
                room = random.randint(SMALLEST_ROOM, LARGEST_ROOM)
                played.what += f", {room:,} bytes left"
                self.world.fill_disk(room)
            else:
                self.world.kill(what)
            answer = trial.follow()
        if what == "disk":
            self.world.make_room()
        self.world.start_missing()
        error = answer.get("error")
        if error:
            played.what += f": {error['kind']}"
        if error and error["is_final"] and what != "disk":
            played.differences.append(f"Airflow would not try again: {error}")

    def _go_on(self, played: Round) -> None:
        with self._tried(played.task, is_again=True) as trial:
            answer = trial.follow()
        if "error" in answer:
            played.differences.append(f"failed again, undisturbed: {answer['error']}")

    @contextmanager
    def _tried(self, task: str, *, stop: tuple[str, int] | None = None, is_again: bool = False) -> Iterator[Trial]:
        given = {name: usual.reference for name, usual in self.usual.items()}
        given["failure"] = {**FAILURE, "is_of_run": is_again}
        ours, theirs = self.processes.Pipe()
        home = self.world.home
        words = (str(home), str(home / "attempts.log"), task, given, stop, theirs)
        process = self.processes.Process(target=attempt, args=words)
        process.start()
        theirs.close()
        try:
            yield Trial(ours, process.pid)
        finally:
            for kill in (os.killpg, os.kill):
                with suppress(ProcessLookupError):
                    kill(process.pid, signal.SIGKILL)
            process.join()


@dataclass(frozen=True)
class Trial:
    """A try of a task in its process, which is killed, with all that it started, when its block ends."""

    pipe: Connection
    pid: int

    def reaches_its_stop(self) -> bool:
        """Wait until it is about to take the step; return False if it ended before."""
        return "step" in self._hear()

    def follow(self) -> dict[str, Any]:
        """Let it go on, and return how it ended."""
        with suppress(BrokenPipeError):
            self.pipe.send("go on")
        return self._hear()

    def wait(self, seconds: float) -> bool:
        """Wait so long; return whether it ended meanwhile."""
        return self.pipe.poll(seconds)

    def _hear(self) -> dict[str, Any]:
        if not self.pipe.poll(PATIENCE_SECONDS):
            return {"error": {"kind": "Silence", "fact": f"no end after {PATIENCE_SECONDS} s", "is_final": True}}
        try:
            return self.pipe.recv()
        except EOFError:
            return {"error": {"kind": "Death", "fact": "the process ended by itself", "is_final": False}}
