"""A separate program: fetch a version from the registry, load it and rank a sample, as any other process would.

`python -m include.judging.fresh_process_child` reads its task as JSON from standard input (with the settings, because
secrets do not belong on a command line) and prints the time and memory used as JSON. A broken version ends only this
process, not the one that started it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq

from include.adapters import mlflow_registry
from include.core.clock import parse_moment
from include.core.errors import DaybreakError
from include.core.measure import peak_mb
from include.core.settings import Settings
from include.features.scenes import Scenes
from include.models import registry

SLACK = 2.0  # memory is reserved before it is used, so the hard bound is this many times the limit


def main() -> None:
    """Rank the sample and print the cost; for a fault of the version, print one line to standard error and exit."""
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
        model = registry.load_version(settings, registered)  # `settings.home` is empty, so the files are fetched
        loaded = time.perf_counter()
        folder = Path(task["folder"])
        scenes = Scenes(**{field.name: pq.read_table(folder / f"{field.name}.parquet") for field in fields(Scenes)})
        ready = time.process_time()  # processor time, because other load on the machine does not count
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
