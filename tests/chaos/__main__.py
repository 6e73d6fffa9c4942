"""`python -m tests.chaos [--rounds N] [--seed S] [--only TASK] [--round N]`: disturb tasks, compare with a calm run."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
    del os.environ[name]
os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"})
os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker"  # a killed process leaves semaphores of libraries

from tests.chaos.attempt import TASKS  # noqa: E402
from tests.chaos.rounds import Rounds  # noqa: E402
from tests.chaos.world import living_world  # noqa: E402


def main():
    """Play the rounds, print each difference at once and a table at the end; exit with 1 if anything differs."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that services are stopped and the disk is freed
    begin, played = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="daybreak-chaos-") as folder, living_world(Path(folder)) as world:
        if not world.is_mounted:
            print("The disk is never full: this user may not mount one.", file=sys.stderr)
        rounds = Rounds(world, arguments.seed, preloaded=["tests.chaos.attempt", "tests.chaos.libraries"])
        for task in [*TASKS][: [*TASKS].index(arguments.only) + 1] if arguments.only else TASKS:
            rounds.run_undisturbed(task)
            usual = rounds.usual[task]
            steps = ", ".join(f"{count} of {kind}" for kind, count in usual.steps.items())
            print(f"{task}: {usual.seconds:.2f} s, steps: {steps}", file=sys.stderr, flush=True)
        numbers = [arguments.round] if arguments.round else range(1, arguments.rounds + 1)
        try:
            for number, task in product(numbers, [arguments.only] if arguments.only else [*TASKS][1:]):
                one = rounds.play(task, number)
                if number == numbers[-1] and not one.differences:
                    rounds.go_on_to_the_end(one)
                played.append(one)
                _tell(one, arguments.seed)
        finally:
            print(f"\n{_table(played)}\n{len(played)} rounds in {(time.monotonic() - begin) / 60:.0f} min", flush=True)
    sys.exit(any(one.differences for one in played))


def _arguments():
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Disturb every task of the loop.")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each task (default 20)")
    parser.add_argument("--seed", default="1", help="what decides about moments and disturbances (default 1)")
    parser.add_argument("--only", choices=[*TASKS][1:], help="only this task")
    parser.add_argument("--round", type=int, help="only the round with this number")
    return parser.parse_args()


def _tell(one, seed):
    end = "DIFFERENT" if one.differences else "same"
    print(f"{one.task} {one.number}: {one.what}: {end}", file=sys.stderr, flush=True)
    for difference in one.differences:
        print(f"  {difference}", file=sys.stderr)
    if one.differences:
        words = ["python", "-m", "tests.chaos", "--seed", seed, "--only", one.task, "--round", str(one.number)]
        print(f"  again: .venv/bin/{shlex.join(words)}", file=sys.stderr, flush=True)


def _table(played):
    lines = [f"{'task':<26}{'rounds':>8}{'before its end':>16}{'after':>8}  end"]
    for task in dict.fromkeys(one.task for one in played):
        rounds = [one for one in played if one.task == task]
        after = sum(one.is_after_end for one in rounds)
        different = sum(bool(one.differences) for one in rounds)
        end = f"different in {different}" if different else "same"
        lines.append(f"{task:<26}{len(rounds):>8}{len(rounds) - after:>16}{after:>8}  {end}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
