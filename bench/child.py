"""Run a variant once: `python -m bench.child ANSWER BENCH VARIANT [WORD ...]`, started by `measure`."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path

from bench.installation import find_installation
from include.core.errors import DaybreakError


def main(answer: str, bench: str, variant: str, *words: str) -> None:
    """Prepare the work, time it, and write the figures to the file `answer`."""
    work = importlib.import_module(f"bench.{bench}").VARIANTS[variant](find_installation(), *words)
    begin, cpu_before = time.perf_counter(), cpu_seconds()
    rows = work()
    seconds, used = time.perf_counter() - begin, cpu_seconds() - cpu_before
    told = {"rows": rows, "seconds": seconds, "cpu_seconds": used, "peak_mb": peak_mb()}
    Path(answer).write_text(json.dumps(told))


def cpu_seconds() -> float:
    """Return the processor time of this process and of its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_mb() -> float:
    """Return this process's peak memory; not `ru_maxrss`, which starts with the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise DaybreakError("This system does not report a process's peak memory.", hint="run benchmarks on Linux.")


if __name__ == "__main__":
    main(*sys.argv[1:])
