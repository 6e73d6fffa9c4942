"""One run of one variant: `python -m bench.child ANSWER BENCH VARIANT [WORD ...]`, started by `measure`."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path

from bench.ground import stand
from include.core.errors import DaybreakError


def main(answer: str, bench: str, variant: str, *words: str) -> None:
    """Gets the work ready, times it, and leaves what it took in the file `answer`."""
    work = importlib.import_module(f"bench.{bench}").VARIANTS[variant](stand(), *words)
    begin, cpu_before = time.perf_counter(), cpu_seconds()
    rows = work()
    seconds, used = time.perf_counter() - begin, cpu_seconds() - cpu_before
    told = {"rows": rows, "seconds": seconds, "cpu_seconds": used, "peak_mb": peak_mb()}
    Path(answer).write_text(json.dumps(told))


def cpu_seconds() -> float:
    """What this process and those that it started, and that ended, had of the processors."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def peak_mb() -> float:
    """The most memory this process ever held. Not `ru_maxrss`, which begins with the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise DaybreakError("This system does not tell a process's peak memory.", hint="run benchmarks on Linux.")


if __name__ == "__main__":
    main(*sys.argv[1:])
