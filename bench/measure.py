"""Measure variants: each run in a fresh process, variants in turns, the median of several runs.

A `Variant` takes the installation and returns the work to time, so that imports and prepared input are not counted.
The work returns the number of rows it handled.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from bench.figures import Figure, from_child, middle
from bench.installation import Installation, Say
from include.core.errors import DaybreakError
from include.core.settings import PROJECT
from include.operations.launcher import files
from include.operations.launcher.environment import of_service

Work = Callable[[], int]
Variant = Callable[..., Work]  # takes the installation, and the words given to `in_child`
SAMPLE_SECONDS = 0.1


def in_turns(bench: str, variants: Sequence[str], installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the median figure of each variant. They take turns, so that a busy moment does not affect only one.

    The last variant, the floor for all others, first runs once without being counted, to warm the database's cache.
    """
    say(f"{bench}: warming up")
    in_child(bench, variants[-1], installation)
    runs: dict[str, list[Figure]] = {variant: [] for variant in variants}
    for turn in range(1, repeat + 1):
        for variant, done in runs.items():
            done.append(in_child(bench, variant, installation))
            say(f"{bench}: {variant}, {turn} of {repeat}: {done[-1].seconds:.2f} s, {done[-1].peak_mb:.0f} MB")
    return [middle(bench, variant, done) for variant, done in runs.items()]


def in_child(bench: str, variant: str, installation: Installation, *words: str) -> Figure:
    """Return the figure of a run in its own process, with the peak memory of that process and all it starts."""
    log = installation.settings.home / "logs" / f"bench-{bench}-{variant}.log"
    answer = installation.scratch / "answer.json"
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.child", str(answer), bench, variant, *words]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            env=of_service(installation.settings, files.BENCH),
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
    """Return the peak memory of the process tree until its end, in MB; 0 for work that starts no process."""
    largest = 0
    while child.poll() is None:
        try:
            process = psutil.Process(child.pid)
            others = process.children(recursive=True)
            if others:
                largest = max(largest, sum(one.memory_info().rss for one in (process, *others)))
        except psutil.Error:
            pass  # a process ended meanwhile; the next sample counts
        time.sleep(SAMPLE_SECONDS)
    return largest / 2**20
