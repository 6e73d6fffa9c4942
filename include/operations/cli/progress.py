"""Progress of a long command on standard error: each stage with its time so far, beside the time it usually takes.

On a terminal one line is rewritten every second; elsewhere a line is printed when a stage begins, every some seconds,
and when it ends.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from include.adapters.warehouse import connect, query
from include.core.clock import write_seconds

if TYPE_CHECKING:
    from include.core.references import Reference
    from include.core.run import Run

ON_TERMINAL_SECONDS, ELSEWHERE_SECONDS = 1.0, 15.0
CLEAR_LINE = "\r\x1b[K"


def show_stage(run: Run, stage: Callable[..., Reference], *inputs: object) -> Reference:
    """Run the stage with progress and return its reference; what vendors print meanwhile is dropped."""
    name = stage.__name__
    with ticking(name, _usual_seconds(run, name)), redirect_stdout(io.StringIO()):
        begin = time.perf_counter()
        reference = stage(run, *inputs)
    say(f"{name:<16}{write_seconds(time.perf_counter() - begin):>9}  {_tell_result(reference)}")
    return reference


def _tell_result(reference: Reference) -> str:
    """Return what a stage made: its id, or whether the champion changed."""
    if reference.kind != "champion":
        return reference.id
    return f"v{reference.id} is champion" if (reference.facts or {})["changed"] else "not promoted"


def say(sentence: str) -> None:
    """Print a sentence on standard error, in place of the line that is being rewritten."""
    print(f"{CLEAR_LINE if sys.stderr.isatty() else ''}{sentence}", file=sys.stderr, flush=True)


@contextmanager
def ticking(name: str, usual_seconds: float | None = None) -> Iterator[None]:
    """Show the name with the time so far until the block ends."""
    on_terminal = sys.stderr.isatty()
    begin, ended = time.perf_counter(), threading.Event()
    usually = f", usually {write_seconds(usual_seconds)}" if usual_seconds else ""

    def tick() -> None:
        while not ended.wait(ON_TERMINAL_SECONDS if on_terminal else ELSEWHERE_SECONDS):
            _print_tick(f"{name:<16}{write_seconds(time.perf_counter() - begin):>9}{usually} …", on_terminal)

    _print_tick(f"{name} …", on_terminal)
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()
        if on_terminal:
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)


def _print_tick(line: str, on_terminal: bool) -> None:
    print(f"{CLEAR_LINE}{line}" if on_terminal else line, end="" if on_terminal else "\n", file=sys.stderr, flush=True)


def _usual_seconds(run: Run, stage: str) -> float | None:
    """Return the median time of the stage's last runs of this kind; None without any."""
    kind = run.run_id.removeprefix("cli/").partition("/")[0]
    with connect(run.settings) as warehouse:
        row = warehouse.execute(query("operations/usual_seconds"), {"stage": stage, "kind": kind}).fetchone()
    return None if row is None or row[0] is None else float(row[0])
