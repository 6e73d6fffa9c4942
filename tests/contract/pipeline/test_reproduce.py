"""A version that is trained again from its stored snapshot comes out byte for byte; if not, one is told why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, astuple
from pathlib import Path

import pytest

from include import pipeline
from include.adapters import mlflow_registry, optuna_search
from include.adapters.warehouse import connect, query
from include.core.settings import PROJECT
from include.data.snapshot import find_snapshot
from include.data.store import object_path
from include.features.scenes import open_outcomes, open_scenes
from include.models import budget, provenance, ranges_of, registry, training
from include.pipeline import reproducing
from tests.parts import cli, servers

IN_THREADS = """
import sys, duckdb
count, plain = int(sys.argv[1]), duckdb.connect
def connect(*some, **named):
    made = plain(*some, **named)
    made.execute(f"set threads = {count}")
    return made
duckdb.connect = connect
from include.operations.cli import main
main(["reproduce", sys.argv[2]])
"""


@pytest.fixture(scope="module")
def registered(mlflow_server, first_retrain):
    with connect(mlflow_server) as warehouse:
        return registry.find_model(warehouse, int(first_retrain.model.id))


@pytest.fixture
def elsewhere(mlflow_server, registered, tmp_path):
    """The same installation on a machine that has the snapshots, copied, and nothing else."""
    shutil.copytree(mlflow_server.home / "snapshots", tmp_path / "snapshots")
    settings = mlflow_server.model_copy(update={"home": tmp_path})
    servers.write_env_file(settings)
    return settings


def object_of(settings, registered, table="reading_events") -> Path:
    """One stored file of the snapshot that the version was trained on."""
    clean = find_snapshot(settings, registered.snapshot_id)
    return object_path(settings, next(file.sha256 for file in clean.files if file.table == table))


def test_a_version_comes_out_the_same_whatever_is_set_today(elsewhere, registered):
    answer = cli.say(elsewhere, "reproduce", str(registered.version), DAYBREAK_SEED="8", DAYBREAK_TRAIN_DAYS="1")
    assert answer.code == 0, answer.err
    assert f"v{registered.version} is reproduced: digest {registered.digest[:12]}" in answer.out
    assert "Code, libraries and machine are as they were." in answer.out
    assert sorted(path.name for path in elsewhere.home.iterdir()) == ["daybreak.env", "snapshots", "tmp"]
    assert list((elsewhere.home / "tmp").iterdir()) == []


def test_a_version_comes_out_the_same_in_another_process_and_number_of_threads(mlflow_server, registered):
    count = 2  # tests have one thread
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    other = {**dict.fromkeys(names, str(count)), "PYTHONHASHSEED": "3", "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_THREADS, str(count), str(registered.version)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **other, "DAYBREAK_HOME": str(mlflow_server.home)},
    )
    assert ended.returncode == 0, ended.stderr
    assert f"v{registered.version} is reproduced: digest {registered.digest[:12]}" in ended.stdout
    assert "Thread counts differ" in ended.stdout


@pytest.fixture
def tuned(mlflow_server, run, features):
    """A version trained with what a search found, and what that was; the search is forgotten again."""
    space = {name: astuple(one) for name, one in ranges_of("two_stage").items()}
    found = optuna_search.propose(space, [({}, 0.5)], 3)
    search = {"tuning_id": "a search", "model": "two_stage", "as_of": run.as_of, "run_id": "r", "snapshot_id": "s"}
    with connect(mlflow_server) as warehouse:
        warehouse.execute(query("pipeline/begin_tuning"), search)
        for number, (parameters, score) in enumerate([({}, 0.5), (found, 0.6)]):
            trial = {"number": number, "parameters": json.dumps(parameters), "score": score, "seconds": 1.0}
            warehouse.execute(query("pipeline/keep_trial"), {**trial, "tuning_id": "a search"})
        warehouse.execute(query("pipeline/finish_tuning"), ["a search"])
    try:
        yield found, pipeline.train(run, features, "two_stage")
    finally:
        with connect(mlflow_server) as warehouse:
            warehouse.execute("delete from ops.tuning_trials where tuning_id = 'a search'")
            warehouse.execute("delete from ops.tunings where tuning_id = 'a search'")


def test_a_version_trained_with_what_a_search_found_comes_out_the_same_though_the_search_is_forgotten(
    mlflow_server, registered, tuned
):
    parameters, version = tuned
    assert "Tuned as of 2025-03-09 00:00 UTC on snapshot s" in version.facts["tuned"]
    assert version.fingerprint != registered.digest
    with connect(mlflow_server) as warehouse:
        record = registry.find_model(warehouse, int(version.id))
        warehouse.execute("update ops.tunings set is_done = false where tuning_id = 'a search'")
    kept = mlflow_registry.read_training(mlflow_server, record.mlflow_run_id).params
    assert json.loads(kept["tuned"]) == parameters
    answer = cli.say(mlflow_server, "reproduce", version.id)
    assert answer.code == 0, answer.err
    assert f"v{version.id} is reproduced: digest {version.fingerprint[:12]}" in answer.out


def test_a_version_that_was_not_trained_as_its_record_says_comes_out_another(mlflow_server, run, features, registered):
    build, lie = Path(features.uri), mlflow_server.model_copy(update={"seed": 8})
    used = budget.find_budget(lie, build, training.training_end(lie, run.as_of))
    about = {name: asdict(registered)[name] for name in ("features_id", "snapshot_id", "as_of", "run_id")}

    def fit(folder):
        scenes, outcomes = open_scenes(build), open_outcomes(build)
        return training.fit_model(lie, "two_stage", scenes, outcomes, used, run.as_of, folder, build, {})

    parameters = training.parameters(mlflow_server, "two_stage", used, {})
    other = registry.fit_and_register(mlflow_server, "a lie", fit, parameters, {"model": "two_stage", **about})
    answer = cli.say(mlflow_server, "reproduce", str(other.version))
    assert answer.code == 11
    assert f"digest {other.digest[:12]} then, {registered.digest[:12]} now" in answer.err
    assert "Files that differ: two_stage.skops." in answer.err


def test_a_snapshot_with_a_changed_byte_is_named_and_nothing_is_trained(elsewhere, registered):
    path = object_of(elsewhere, registered)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    answer = cli.say(elsewhere, "reproduce", str(registered.version))
    assert answer.code == 8
    assert f"v{registered.version} cannot be trained again from snapshot {registered.snapshot_id}" in answer.err
    assert "have changed: reading_events of 2025-03-0" in answer.err
    assert "training" not in answer.err


@pytest.mark.parametrize("lost", ["manifest", "file"])
def test_a_snapshot_that_is_gone_is_named(elsewhere, registered, lost):
    manifest = elsewhere.home / "snapshots" / registered.snapshot_id / "manifest.json"
    (manifest if lost == "manifest" else object_of(elsewhere, registered)).unlink()
    answer = cli.say(elsewhere, "reproduce", str(registered.version))
    assert answer.code == 8
    assert f"v{registered.version} cannot be trained again from snapshot {registered.snapshot_id}" in answer.err
    assert "bin/daybreak retrain --as-of 2025-03-09T00:00Z" in answer.err


def test_a_version_that_nobody_registered_is_one_clear_error(mlflow_server):
    answer = cli.say(mlflow_server, "reproduce", "v999")
    assert (answer.code, answer.error_lines) == (
        8,
        ["daybreak: There is no version v999. Hint: `bin/daybreak versions` lists those there are."],
    )


def test_what_changed_since_is_told_and_where_the_code_of_then_is(mlflow_server, registered, monkeypatch):
    changed = {**provenance.code_files(), "include/models/kinds/two_stage/ranker.py": "other"}
    monkeypatch.setattr(provenance, "code_files", lambda: changed)
    monkeypatch.setattr(provenance, "lock_digest", lambda: "0" * 64)
    record = mlflow_registry.read_training(mlflow_server, registered.mlflow_run_id)
    code, lock, *where = reproducing.find_changes(record)
    assert code == "1 file of the code differs: include/models/kinds/two_stage/ranker.py."
    assert lock.startswith("requirements.txt differs: ")
    assert where == [
        f"Its code is commit {commit}: `git checkout` it, run `make setup`, and reproduce again."
        for commit in [provenance.find_commit()]
        if commit
    ]
