"""Reproducing a version: trained again from what was stored, in an empty folder, it must come out byte for byte.

Parameters are those that were recorded with the version, whatever is set today. A snapshot that
is gone or changed is an `ArtifactDamaged`; another digest is a finding, with what differs.
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
    """What training a version again gave: `facts["is_same"]`, a sentence, and what differs from then."""
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
        f"v{version} comes out the same: digest {trained.digest[:12]}, {made}."
        if is_same
        else f"v{version} comes out another: digest {registered.digest[:12]} then, {trained.digest[:12]} now, {made}. "
        f"Files that differ: {', '.join(unlike) or 'none'}."
    )
    facts = {"is_same": is_same, "sentence": sentence, "differences": differences}
    parents = (str(version), registered.snapshot_id)
    return Reference("reproduction", str(version), "", registered.as_of, trained.digest, parents, facts)


def as_recorded(settings: Settings, params: Mapping[str, str]) -> Settings:
    """The settings with everything that was recorded as chosen for the training."""
    chosen = {
        name: type(getattr(settings, name))(value) for name, value in params.items() if name in Settings.model_fields
    }
    return settings.model_copy(update=chosen)


def find_whole_snapshot(settings: Settings, registered: RegisteredModel) -> Snapshot:
    """The snapshot that a version was trained on, once every file of it has the content that it is named by."""
    try:
        clean = snapshot.find_snapshot(settings, registered.snapshot_id)
        if clean.id != registered.snapshot_id:
            raise ArtifactDamaged(
                f"The manifest of {registered.snapshot_id} describes {clean.id}.",
                hint="the file was changed; extract the window again.",
            )
        snapshot.check_files(settings, clean)
    except ArtifactDamaged as error:
        raise ArtifactDamaged(
            f"v{registered.version} cannot be trained again from snapshot {registered.snapshot_id}. {error.fact}",
            hint="bring its files back from a copy; to train on the same days as the source holds them today, "
            f"`bin/daybreak retrain --as-of {registered.as_of:%Y-%m-%dT%H:%M}Z`.",
        ) from error
    return clean


def train_again(
    then: Settings, registered: RegisteredModel, clean: Snapshot, folder: Path, say: Say, params: Mapping[str, str]
) -> Trained:
    """The model as the stages make it, with its files in `folder/model`."""
    build = folder / "features"
    build.mkdir(parents=True)
    say("building its features")
    compute_features(then, clean, "training", build, build)
    keep_crowd(then, clean, build)
    used = budget.find_budget(then, build, training.training_end(then, registered.as_of))
    say(f"training {registered.model}: {used.sentence}")
    scenes, outcomes = open_scenes(build), open_outcomes(build)
    target, tuned = folder / "model", json.loads(params.get("tuned", "{}"))
    return training.fit_model(then, registered.model, scenes, outcomes, used, registered.as_of, target, build, tuned)


def find_unlike(then: Path, now: Path) -> list[str]:
    """The files that two models do not have in common, by their paths."""
    contents = [{str(p.relative_to(folder)): digest_file(p) for p in _files(folder)} for folder in (then, now)]
    return sorted(name for name in {*contents[0], *contents[1]} if contents[0].get(name) != contents[1].get(name))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def find_changes(record: mlflow_registry.Training) -> list[str]:
    """How what a training stands on differs today, a sentence each; the last says where the code of then is."""
    then, now = record.grounds, provenance.find_grounds()
    if then is None:
        return ["On what it was trained was not recorded for versions as old as this one."]
    told = provenance.tell_differences(then, now)
    if then["code"] != now["code"] and then["commit"]:
        told.append(f"Its code is commit {then['commit']}; `git checkout` it, `make setup`, and reproduce again.")
    return told
