"""One run of one variant: `python -m bench.child ANSWER BENCH VARIANT [WORD ...]`, started by `measure`."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

from bench.ground import stand
from include.errors import DaybreakError


def main(answer: str, bench: str, variant: str, *words: str) -> None:
    """Gets the work ready, times it, and leaves what it took in the file `answer`."""
    work = importlib.import_module(f"bench.{bench}").VARIANTS[variant](stand(), *words)
    begin = time.perf_counter()
    rows = work()
    seconds = time.perf_counter() - begin
    Path(answer).write_text(json.dumps({"rows": rows, "seconds": seconds, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The most memory this process ever held. Not `ru_maxrss`, which begins with the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise DaybreakError("This system does not tell a process's peak memory.", hint="run benchmarks on Linux.")


if __name__ == "__main__":
    main(*sys.argv[1:])
