"""`python -m bench [--only NAME]`: runs benchmarks, prints their table, writes `bench.json` in the state folder."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from bench.catalogue import BENCHES
from bench.figures import Figure, table, write
from bench.ground import prepared
from include.core.errors import DaybreakError
from include.core.settings import load_settings
from include.operations.launcher import files
from include.operations.launcher.progress import Progress

ROWS = 1_000_000
DESKDROP, TRUTH, SIZE = "deskdrop", "truth", "size"


def main() -> None:
    """Runs what was asked for; progress on standard error, the table on standard output."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    say = Progress()
    figures: list[Figure] = []
    try:
        if arguments.only == DESKDROP:
            from bench import deskdrop

            print(deskdrop.compare(arguments.data, load_settings(), say))
            return
        if arguments.only == TRUTH:
            from bench import truth

            readers = arguments.readers or truth.READERS
            sizes = {"seeds": arguments.seeds, "readers": readers, "sample": arguments.sample}
            print(truth.compare(load_settings(), say, **sizes))
            return
        path = load_settings().home / files.BENCH_FIGURES
        with prepared(path.parent, arguments.rows, arguments.times, say, keep=arguments.keep) as ground:
            if arguments.only == SIZE:
                from bench import size

                figures = size.measure(ground, arguments.readers or size.READERS, say)
                write(path, figures)
            for name in BENCHES if not arguments.only else {arguments.only} & BENCHES.keys():
                repeat = arguments.repeat or (1 if name == "loop" else 3)
                figures += BENCHES[name](ground, repeat, say)
                write(path, figures)
    except DaybreakError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("bench: interrupted; what was started is stopped", file=sys.stderr)
        sys.exit(130)
    print(table(figures))
    say(f"written to {path}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Times stages beside their alternatives.")
    parser.add_argument("--only", choices=[*BENCHES, DESKDROP, TRUTH, SIZE], help="one benchmark, not all")
    parser.add_argument("--data", type=Path, help=f"the folder of the set that {DESKDROP} measures on")
    parser.add_argument("--rows", type=_positive, default=ROWS, help=f"reading events, about (default {ROWS:,})")
    parser.add_argument(
        "--times",
        type=_positive,
        default=3,
        help="extract.large reads this many times the rows (default 3; 1: leave out)",
    )
    for name, default, what in (
        ("seeds", 3, f"worlds that {TRUTH} plays"),
        ("sample", 300, f"readers that {TRUTH} finds the reachable of"),
    ):
        parser.add_argument(f"--{name}", type=_positive, default=default, help=f"{what} (default {default:,})")
    parser.add_argument(
        "--readers", type=_positive, help=f"readers in each world of {TRUTH} (default 3,000), or of {SIZE} (500,000)"
    )
    parser.add_argument("--repeat", type=_positive, help="runs of each variant (default 3, of the loop 1)")
    parser.add_argument("--keep", action="store_true", help="leave data and services for the next run")
    arguments = parser.parse_args()
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
