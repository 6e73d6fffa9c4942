"""A program of its own: fetches a version from the registry, loads it and ranks a sample, as a stranger to it would.

`python -m include.fresh_process` reads its task as JSON from standard input (settings too, for secrets have no place on
a command line) and prints what it cost as JSON. Whatever is wrong with the version ends this process and not the one
that asks.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq

from include import registry
from include.adapters import mlflow_registry
from include.clock import parse_moment
from include.errors import DaybreakError
from include.features import Scenes
from include.measure import peak_mb
from include.settings import Settings

SLACK = 2.0  # address space is reserved before it is used: the hard bound is this many times the limit


def main() -> None:
    """Ranks, and says what it took; a fact about the version is one line on standard error and exit code 8."""
    task = json.load(sys.stdin)
    settings = Settings(**task["settings"])
    bound = int(SLACK * settings.max_model_memory_mb * 1024 * 1024)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    facts = task["registered"]
    facts |= {name: parse_moment(facts[name]) for name in ("as_of", "trained_until") if facts[name]}
    registered = registry.RegisteredModel(**facts)
    try:
        mlflow_registry.need_version(settings, registered.version)
        begin = time.perf_counter()
        model = registry.load_version(settings, registered)  # `settings.home` is an empty folder: nothing is there yet
        loaded = time.perf_counter()
        folder = Path(task["folder"])
        scenes = Scenes(**{field.name: pq.read_table(folder / f"{field.name}.parquet") for field in fields(Scenes)})
        ready = time.process_time()  # of the processor: how busy the machine is says nothing about the version
        ranked = model.rank(scenes, task["depth"])
        done = time.process_time()
    except DaybreakError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    pq.write_table(ranked, folder / "ranked.parquet")
    cost = {"load_seconds": loaded - begin, "rank_seconds": done - ready, "peak_mb": peak_mb()}
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
