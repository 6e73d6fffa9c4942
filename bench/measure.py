"""Measuring: every run in a fresh process, variants taking turns, the middle of several runs.

A `Variant` gets the ground and returns the work to be timed, so that imports and input that lies ready are not counted.
The work returns how many rows it handled.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from bench.figures import Figure, from_child, middle
from bench.ground import Ground, Say
from include.core.errors import DaybreakError
from include.core.settings import PROJECT
from include.operations.launcher import files
from include.operations.launcher.environment import of_service

Work = Callable[[], int]
Variant = Callable[..., Work]  # of the ground, and of words that `in_child` was given
SAMPLE_SECONDS = 0.1


def in_turns(bench: str, variants: Sequence[str], ground: Ground, repeat: int, say: Say) -> list[Figure]:
    """The median figure of each variant. They take turns, so that a busy moment of the machine does not hit only one.

    The last variant, the floor under all others, runs once beforehand and uncounted: it warms the database's memory.
    """
    say(f"{bench}: warming up")
    in_child(bench, variants[-1], ground)
    runs: dict[str, list[Figure]] = {variant: [] for variant in variants}
    for turn in range(1, repeat + 1):
        for variant, done in runs.items():
            done.append(in_child(bench, variant, ground))
            say(f"{bench}: {variant}, {turn} of {repeat}: {done[-1].seconds:.2f} s, {done[-1].peak_mb:.0f} MB")
    return [middle(bench, variant, done) for variant, done in runs.items()]


def in_child(bench: str, variant: str, ground: Ground, *words: str) -> Figure:
    """One run in a process of its own, with the peak memory of that process and all it starts."""
    log = ground.settings.home / "logs" / f"bench-{bench}-{variant}.log"
    answer = ground.scratch / "answer.json"
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.child", str(answer), bench, variant, *words]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            env=of_service(ground.settings, files.BENCH),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        sampled_mb = _watch(child)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
        raise DaybreakError(
            f"{bench} with {variant} ended with code {child.returncode}: {lines[-1][:500]}",
            hint=f"run it again with --keep and see {log}.",
        )
    return from_child(bench, variant, json.loads(answer.read_text()), sampled_mb)


def _watch(child: subprocess.Popen[bytes]) -> float:
    """The most memory of the process tree seen until its end, in MB; 0 for work that starts no process."""
    largest = 0
    while child.poll() is None:
        try:
            process = psutil.Process(child.pid)
            others = process.children(recursive=True)
            if others:
                largest = max(largest, sum(one.memory_info().rss for one in (process, *others)))
        except psutil.Error:
            pass  # one of them ended in between; the next look counts
        time.sleep(SAMPLE_SECONDS)
    return largest / 2**20
