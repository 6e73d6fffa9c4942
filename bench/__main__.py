"""`python -m bench [--only NAME] [--long]`: run benchmarks, print the table, write `bench.json` in the state folder."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.catalogue import BENCHES
from bench.figures import Figure, table, write
from bench.installation import prepared
from bench.sizes import LONG, SHORT
from include.core.errors import DaybreakError
from include.core.settings import load_settings
from include.operations.launcher import files
from include.operations.launcher.progress import Progress

DESKDROP, MONITOR, TRUTH = "deskdrop", "monitor", "truth"  # tables of their own


def main(words: Sequence[str] | None = None) -> None:
    """Run the chosen benchmarks; print progress to standard error and the table to standard output."""
    arguments = _arguments(words)
    sizes = LONG if arguments.long else SHORT
    if arguments.rows:
        sizes = replace(sizes, rows=arguments.rows)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that started services are stopped
    say = Progress()
    figures: list[Figure] = []
    try:
        if arguments.only == DESKDROP:
            from bench import deskdrop

            print(deskdrop.compare(arguments.data, load_settings(), say))
            return
        if arguments.only == MONITOR:
            from bench import monitor

            print(monitor.compare(load_settings(), say, sizes))
            return
        if arguments.only == TRUTH:
            from bench import truth

            print(truth.compare(load_settings(), say, sizes))
            return
        path = load_settings().home / files.BENCH_FIGURES
        chosen = {
            name: bench
            for name, bench in BENCHES.items()
            if name == arguments.only or not (arguments.only or bench.is_on_request)
        }
        needs = {need for bench in chosen.values() for need in bench.needs}
        with prepared(path.parent, sizes, needs, say, keep=arguments.keep) as installation:
            for name, bench in chosen.items():
                repeat = arguments.repeat or (1 if name == "loop" else 3)
                size = bench.describe_size(sizes)
                figures += [replace(figure, size=size) for figure in bench.measure(installation, repeat, say)]
                write(path, figures)
    except DaybreakError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("bench: interrupted; all started services are stopped", file=sys.stderr)
        sys.exit(130)
    print(table(figures))
    say(f"written to {path}")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Time stages beside their alternatives.")
    parser.add_argument("--only", choices=[*BENCHES, DESKDROP, MONITOR, TRUTH], help="run only this benchmark")
    parser.add_argument("--long", action="store_true", help="run the long form, with a million events and more")
    parser.add_argument("--data", type=Path, help=f"folder with the data set for {DESKDROP}")
    parser.add_argument(
        "--rows", type=_positive, help=f"about how many reading events (default {SHORT.rows:,}; --long: {LONG.rows:,})"
    )
    parser.add_argument("--repeat", type=_positive, help="runs of each variant (default 3; loop: 1)")
    parser.add_argument("--keep", action="store_true", help="keep data and services for the next run")
    arguments = parser.parse_args(words)
    if arguments.only == DESKDROP and arguments.data is None:
        parser.error(f"{DESKDROP} needs --data (make bench ONLY={DESKDROP} DATA=folder)")
    return arguments


def _positive(text: str) -> int:
    value = int(text.replace("_", "").replace(",", ""))
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


if __name__ == "__main__":
    main()
