"""Reproduce a version: train it again from its stored snapshot in an empty folder; every byte must be the same.

The parameters are those recorded with the version, not today's settings. A missing or changed snapshot raises
`ArtifactDamaged`; another digest is a finding, reported with the differences.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from include.adapters import mlflow_registry
from include.adapters.warehouse import connect
from include.core.errors import ArtifactDamaged
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data import snapshot
from include.data.snapshot import Snapshot
from include.data.store import digest_file, scratch
from include.features.build import compute_features
from include.features.crowd import keep_crowd
from include.features.scenes import open_outcomes, open_scenes
from include.models import budget, provenance, registry, training
from include.models.registry import RegisteredModel
from include.models.training import Trained
from include.pipeline.run import recorded

Say = Callable[[str], None]


@recorded
def reproduce(run: Run, version: int, say: Say) -> Reference:
    """Train a version again; the facts hold `is_same`, a sentence, and the differences in code and environment."""
    settings, begin = run.settings, time.perf_counter()
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, version)
    record = mlflow_registry.read_training(settings, registered.mlflow_run_id)
    then = as_recorded(settings, record.params)
    say(f"reading snapshot {registered.snapshot_id}")
    clean = find_whole_snapshot(settings, registered)
    folder = scratch(settings)
    try:
        trained = train_again(then, registered, clean, folder, say, record.params)
        stored = registry.fetch_files(settings, registered) if trained.digest != registered.digest else None
        unlike = find_unlike(stored, folder / "model") if stored else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    differences = find_changes(record)
    is_same = trained.digest == registered.digest
    seconds = time.perf_counter() - begin
    events, seed = clean.rows("reading_events"), then.seed
    made = f"from {events:,} events of snapshot {clean.id}, seed {seed}, in {seconds:.0f} s"
    sentence = (
        f"v{version} is reproduced: digest {trained.digest[:12]}, {made}."
        if is_same
        else f"v{version} is not reproduced: digest {registered.digest[:12]} then, {trained.digest[:12]} now, {made}. "
        f"Files that differ: {', '.join(unlike) or 'none'}."
    )
    facts = {"is_same": is_same, "sentence": sentence, "differences": differences}
    parents = (str(version), registered.snapshot_id)
    return Reference("reproduction", str(version), "", registered.as_of, trained.digest, parents, facts)


def as_recorded(settings: Settings, params: Mapping[str, str]) -> Settings:
    """Return the settings with the values recorded for the training."""
    chosen = {
        name: type(getattr(settings, name))(value) for name, value in params.items() if name in Settings.model_fields
    }
    return settings.model_copy(update=chosen)


def find_whole_snapshot(settings: Settings, registered: RegisteredModel) -> Snapshot:
    """Return the snapshot that a version was trained on, after checking the content of every file."""
    try:
        clean = snapshot.find_snapshot(settings, registered.snapshot_id)
        if clean.id != registered.snapshot_id:
            raise ArtifactDamaged(
                f"The manifest of {registered.snapshot_id} describes {clean.id}.",
                hint="the manifest was changed; extract the window again.",
            )
        snapshot.verify_files(settings, clean)
    except ArtifactDamaged as error:
        raise ArtifactDamaged(
            f"v{registered.version} cannot be trained again from snapshot {registered.snapshot_id}. {error.fact}",
            hint="restore its files from a backup; to train on the same days as they are in the source today, run "
            f"`bin/daybreak retrain --as-of {registered.as_of:%Y-%m-%dT%H:%M}Z`.",
        ) from error
    return clean


def train_again(
    then: Settings, registered: RegisteredModel, clean: Snapshot, folder: Path, say: Say, params: Mapping[str, str]
) -> Trained:
    """Train the model as the stages do, with its files in `folder/model`."""
    build = folder / "features"
    build.mkdir(parents=True)
    say("building its features")
    compute_features(then, clean, "training", build, build, folder / "days")  # no day is taken from earlier runs
    keep_crowd(then, clean, build)
    used = budget.find_budget(then, build, training.training_end(then, registered.as_of))
    say(f"training {registered.model}: {used.sentence}")
    scenes, outcomes = open_scenes(build), open_outcomes(build)
    target, tuned = folder / "model", json.loads(params.get("tuned", "{}"))
    return training.fit_model(then, registered.model, scenes, outcomes, used, registered.as_of, target, build, tuned)


def find_unlike(then: Path, now: Path) -> list[str]:
    """Return the paths of the files that differ between two models."""
    contents = [{str(p.relative_to(folder)): digest_file(p) for p in _files(folder)} for folder in (then, now)]
    return sorted(name for name in {*contents[0], *contents[1]} if contents[0].get(name) != contents[1].get(name))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def find_changes(record: mlflow_registry.Training) -> list[str]:
    """Return a sentence per change in code and environment since a training; the last names the commit of its code."""
    then, now = record.grounds, provenance.find_grounds()
    if then is None:
        return ["This version is too old: the code and environment of its training were not recorded."]
    told = provenance.tell_differences(then, now)
    if then["code"] != now["code"] and then["commit"]:
        told.append(f"Its code is commit {then['commit']}: `git checkout` it, run `make setup`, and reproduce again.")
    return told
