"""Try a version in a fresh process that has only the registry.

The process fetches the stored files, checks their digest, loads them and ranks a sample of the hold-out, within limits
of time and memory; then this process ranks the same sample for comparison. A fault of the version becomes a sentence,
not an exception: a broken challenger leads to a verdict, not to a failed run.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import SecretStr

from include.core.checks import Check
from include.core.errors import ArtifactDamaged, ServiceError
from include.core.settings import PROJECT, Settings
from include.data.store import scratch
from include.features.scenes import Scenes
from include.judging.checks import GateLimits, make_check
from include.lists.arrange import DEPTH_PER_PLACE
from include.models import Recommender
from include.models.registry import RegisteredModel, load_version

SERVICE_AWAY = ServiceError.exit_code
SAMPLE_READERS = 200
CLOSE = 1e-4  # relative: another process may add in another order


@dataclass(frozen=True)
class Mechanics:
    """The findings of a fresh process: a fault in one sentence, or the cost of loading and ranking, and agreement."""

    trouble: str = ""
    readers: int = 0
    load_seconds: float = math.nan
    milliseconds_per_list: float = math.nan
    peak_mb: float = math.nan
    differing_share: float = math.nan


def try_out(settings: Settings, registered: RegisteredModel, scenes: Scenes) -> tuple[Recommender | None, Mechanics]:
    """Load the version here and try it in a fresh process; return the model, if it loads, and the findings."""
    try:
        model = load_version(settings, registered)
    except ArtifactDamaged as error:
        return None, Mechanics(error.fact.rstrip("."))
    sample, depth = take_sample(scenes), settings.list_length * DEPTH_PER_PLACE
    found, theirs = try_in_fresh_process(settings, registered, sample, depth)
    if theirs is not None:
        found = replace(found, differing_share=differing_share(model.rank(sample, depth), theirs))
    return model, found


def try_in_fresh_process(
    settings: Settings, registered: RegisteredModel, scenes: Scenes, depth: int
) -> tuple[Mechanics, pa.Table | None]:
    """Return the findings of a fresh process, and its ranking of the scenes if it made one."""
    folder = scratch(settings)
    folder.mkdir()
    try:
        for field in fields(scenes):
            pq.write_table(getattr(scenes, field.name), folder / f"{field.name}.parquet")
        ended = _run(settings.model_copy(update={"home": folder / "home"}), registered, folder, depth)
        if isinstance(ended, str):
            return Mechanics(ended), None
        readers = scenes.requests.num_rows
        found = Mechanics(
            readers=readers,
            load_seconds=ended["load_seconds"],
            milliseconds_per_list=1000 * ended["rank_seconds"] / max(1, readers),
            peak_mb=ended["peak_mb"],
        )
        return found, pq.read_table(folder / "ranked.parquet")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_mechanics(limits: GateLimits, found: Mechanics, subject: str, version: str) -> list[Check]:
    """Return the findings of a fresh process as checks."""
    readers = None if found.trouble else float(found.readers)
    told: dict[str, Any] = {"challenger": version, "trouble": found.trouble.rstrip("."), "seconds": found.load_seconds}
    works = make_check("RT112", limits, readers, subject, **told)
    if found.trouble:
        return [works]
    return [
        works,
        make_check("RT113", limits, found.differing_share, subject),
        make_check("RT114", limits, found.milliseconds_per_list, subject),
        make_check("RT115", limits, found.peak_mb, subject),
    ]


def take_sample(scenes: Scenes) -> Scenes:
    """Return the last moment of the scenes for a few hundred readers, spread evenly over all."""
    if not scenes.requests.num_rows:
        return scenes
    moment = pc.max(scenes.requests.column("list_at")).as_py()
    last = scenes.between(moment, moment + timedelta(microseconds=1))
    readers = np.unique(last.requests.column("reader_id").to_numpy())
    chosen = pa.array(readers[:: max(1, len(readers) // SAMPLE_READERS)])

    def of_chosen(table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(table.column("reader_id"), chosen))

    return replace(
        last,
        requests=of_chosen(last.requests),
        readers=of_chosen(last.readers),
        reads=of_chosen(last.reads),
    )


def differing_share(ours: pa.Table, theirs: pa.Table) -> float:
    """Return the share of places with another article or score; NaN never agrees."""
    if not ours.num_rows and not theirs.num_rows:
        return 0.0
    if ours.num_rows != theirs.num_rows:
        return 1.0
    keys = [("list_at", "ascending"), ("reader_id", "ascending"), ("rank", "ascending")]
    ours, theirs = ours.sort_by(keys), theirs.sort_by(keys)
    same = np.ones(ours.num_rows, dtype=bool)
    for name in ("list_at", "reader_id", "article_id"):
        same &= ours.column(name).to_numpy() == theirs.column(name).to_numpy()
    same &= np.isclose(ours.column("score").to_numpy(), theirs.column("score").to_numpy(), rtol=CLOSE, atol=1e-9)
    return float(1 - same.mean())


def _run(settings: Settings, registered: RegisteredModel, folder: Path, depth: int) -> dict[str, float] | str:
    """Return what the process printed, or its fault in one sentence; raise if a service does not answer."""
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in ((name, getattr(settings, name)) for name in Settings.model_fields)
    }
    task = {"settings": plain, "registered": vars(registered), "folder": folder, "depth": depth}
    command = [sys.executable, "-m", "include.judging.fresh_process_child"]
    try:
        ended = subprocess.run(
            command,
            input=json.dumps(task, default=str),
            capture_output=True,
            text=True,
            cwd=PROJECT,
            timeout=settings.max_load_seconds,
        )
    except subprocess.TimeoutExpired:
        return f"a fresh process did not load it and rank within {settings.max_load_seconds:g} s"
    said = ended.stderr.strip().splitlines()
    last = said[-1] if said else "a fresh process ended without an error message"
    if ended.returncode == SERVICE_AWAY:
        raise ServiceError(last.partition(" Hint: ")[0], hint="check with `bin/daybreak status` that it is running.")
    if ended.returncode < 0:
        return f"a fresh process was killed by signal {-ended.returncode} while loading or ranking"
    if ended.returncode:
        return last.partition(" Hint: ")[0]
    return dict(json.loads(ended.stdout.strip().splitlines()[-1]))
