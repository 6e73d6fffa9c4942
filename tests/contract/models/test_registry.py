"""Registering, promoting and loading models, with a real MLflow server beside a real ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters import mlflow_client, mlflow_registry
from include.adapters.warehouse import connect
from include.core.errors import ArtifactDamaged, ServiceError
from include.features.scenes import VERSION, open_scenes
from include.judging import champion as champions
from include.models import registry
from tests.parts import servers
from tests.parts.mlflow_store import version_files


@pytest.fixture(scope="module")
def settings(champion, mlflow_server):
    return mlflow_server


@pytest.fixture(scope="module")
def another(settings, run, features):
    """The reference of a second version: a baseline."""
    return pipeline.train(run, features, "most_read")


@pytest.fixture(scope="module")
def worse(run, features, another):
    """The verdict on the baseline as a challenger."""
    return pipeline.judge(run, another, features)


@pytest.fixture
def elsewhere(settings, tmp_path):
    """The same installation on another machine: nothing has been fetched yet."""
    return settings.model_copy(update={"home": tmp_path})


@pytest.fixture(scope="module")
def registered(settings, champion):
    with connect(settings) as warehouse:
        return registry.find_model(warehouse, champion.facts["version"])


def versions(settings):
    found = mlflow_client.client(settings).search_model_versions("name = 'daybreak'")
    return sorted(int(version.version) for version in found)


def ledger(settings):
    with connect(settings) as warehouse:
        return warehouse.execute("select seq, version, verdict_id from ops.champions order by seq").fetchall()


def test_training_the_same_again_registers_nothing(settings, run, features, first_retrain):
    before = versions(settings)
    again = pipeline.train(run, features, "two_stage")
    assert (again.id, again.fingerprint) == (first_retrain.model.id, first_retrain.model.fingerprint)
    assert versions(settings) == before


def test_another_model_is_another_version(another, first_retrain):
    assert int(another.id) > int(first_retrain.model.id)
    assert another.fingerprint != first_retrain.model.fingerprint


def test_another_seed_is_another_training(settings, run, features, first_retrain):
    before = versions(settings)
    other = replace(run, settings=settings.model_copy(update={"seed": 8}))
    assert pipeline.train(other, features, "most_read").id not in map(str, before)


def test_a_version_says_what_it_was_made_of(settings, registered, first_retrain, features):
    client = mlflow_client.client(settings)
    tags = client.get_model_version("daybreak", str(registered.version)).tags
    assert tags["snapshot_id"] == features.parents[0] == registered.snapshot_id
    assert (tags["features_id"], tags["digest"]) == (features.id, registered.digest)
    with connect(settings) as warehouse:  # whoever judged it last in this session
        sql = "select verdict_id, decision from ops.verdicts where challenger_version = %s"
        decisions = dict(warehouse.execute(sql, [registered.version]).fetchall())
    assert decisions[first_retrain.verdict.id] == "promote"
    assert decisions[tags["verdict_id"]] == tags["verdict"]


def test_its_run_has_parameters_metrics_and_the_data_it_learnt_from(settings, registered):
    found = mlflow_client.client(settings).get_run(registered.mlflow_run_id)
    assert found.info.status == "FINISHED"
    assert {"model", "seed", "window_days", "code_digest", "lock_digest"} <= found.data.params.keys()
    assert found.data.metrics["example_rows"] > 1000
    assert found.data.metrics["challenger_ndcg"] > found.data.metrics["most_read_ndcg"]
    assert [one.dataset.name for one in found.inputs.dataset_inputs] == [registered.snapshot_id]


def test_a_version_is_fetched_from_the_registry_and_ranks_as_the_one_that_was_trained(
    settings, elsewhere, registered, scoring_features
):
    scenes = open_scenes(Path(scoring_features.uri))
    here = registry.load_version(settings, registered).rank(scenes, 10)
    assert registry.load_version(elsewhere, registered).rank(scenes, 10).equals(here)


def test_a_version_that_was_stored_before_versions_were_models_of_mlflow_is_fetched_too(
    settings, elsewhere, registered, scoring_features
):
    client = mlflow_client.client(settings)
    run_id = client.create_run("0").info.run_id
    client.log_artifacts(run_id, str(registry.fetch_files(settings, registered)), "model")
    old = replace(registered, mlflow_run_id=run_id)
    scenes = open_scenes(Path(scoring_features.uri))
    here = registry.load_version(settings, registered).rank(scenes, 10)
    assert registry.load_version(elsewhere, old).rank(scenes, 10).equals(here)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_a_local_copy_with_a_changed_byte_is_refused_and_then_fetched_again(elsewhere, registered):
    registry.load_version(elsewhere, registered)
    flip(elsewhere.home / "models" / registered.digest / "two_stage.skops")
    with pytest.raises(ArtifactDamaged, match=f"The files of version {registered.version} have digest"):
        registry.load_version(elsewhere, registered)
    registry.load_version(elsewhere, registered)


def stored_file(settings, registered):
    (file,) = (
        path for path in version_files(settings, registered.mlflow_run_id).glob("*.*") if path.name != "artifact.json"
    )
    return file


def test_a_stored_artifact_with_a_changed_byte_is_refused_and_nothing_of_it_is_kept(settings, elsewhere, registered):
    file = stored_file(settings, registered)
    sound = file.read_bytes()
    flip(file)
    try:
        for _ in range(2):
            with pytest.raises(ArtifactDamaged):
                registry.load_version(elsewhere, registered)
    finally:
        file.write_bytes(sound)
    assert not (elsewhere.home / "models" / registered.digest).exists()


def test_an_extra_file_beside_the_model_is_refused(elsewhere, registered):
    registry.load_version(elsewhere, registered)
    (elsewhere.home / "models" / registered.digest / "more.py").write_text("import os")
    with pytest.raises(ArtifactDamaged):
        registry.load_version(elsewhere, registered)


def test_a_model_of_other_features_is_refused(settings, registered):
    with pytest.raises(ArtifactDamaged, match=f"was trained on features v0; this code uses {VERSION}"):
        registry.load_version(settings, replace(registered, feature_version="v0"))


def test_a_version_that_nobody_registered_is_one_clear_error(settings):
    with pytest.raises(ArtifactDamaged, match=r"Version 999 is not in ops\.models"), connect(settings) as warehouse:
        registry.find_model(warehouse, 999)


def test_promoting_again_after_a_crash_counts_as_promoted_and_once(settings, run, first_retrain):
    before = ledger(settings)
    assert pipeline.promote(run, first_retrain.verdict).facts["changed"] is True
    assert ledger(settings) == before


def test_a_verdict_against_a_champion_of_yesterday_promotes_nothing(settings, run, first_retrain):
    before = ledger(settings)
    late = replace(first_retrain.verdict, id="another verdict")
    found = pipeline.promote(run, late)
    assert (found.facts["changed"], found.facts["version"]) == (False, before[-1][1])
    assert ledger(settings) == before


def test_a_verdict_to_keep_promotes_nothing(settings, run, first_retrain):
    before = ledger(settings)
    keep = replace(
        first_retrain.verdict, id="keep", facts={**first_retrain.verdict.facts, "decision": "keep", "champion_seq": 1}
    )
    assert pipeline.promote(run, keep).facts["changed"] is False
    assert ledger(settings) == before


def test_an_alias_that_was_lost_is_set_again_from_the_ledger(settings, registered):
    mlflow_client.client(settings).delete_registered_model_alias("daybreak", "champion")
    assert mlflow_registry.read_alias(settings, "champion") is None
    champions.repair_aliases(settings)
    assert mlflow_registry.read_alias(settings, "champion") == registered.version


def test_an_alias_that_somebody_moved_is_moved_back(settings, registered, another):
    mlflow_registry.set_alias(settings, "champion", int(another.id))
    champions.repair_aliases(settings)
    assert mlflow_registry.read_alias(settings, "champion") == registered.version


def test_a_challenger_that_is_worse_is_kept_out_by_the_trial(another, worse):
    assert worse.facts["decision"] == "keep"
    assert worse.facts["sentence"].startswith(f"Kept v1: v{another.id} does not certainly beat the baseline ")


def test_judging_again_gives_the_same_verdict_and_keeps_it_once(settings, run, features, another, worse):
    assert pipeline.judge(run, another, features) == worse
    with connect(settings) as warehouse:
        kept = warehouse.execute("select count(*) from ops.verdicts where verdict_id = %s", [worse.id])
        assert kept.fetchone() == (1,)


def test_by_other_limits_it_is_another_verdict(settings, run, features, another, worse):
    """Else whoever corrects a limit and clears `judge` would get the verdict of before."""
    strict = replace(run, settings=settings.model_copy(update={"floor_ndcg": 0.99}))
    other = pipeline.judge(strict, another, features)
    assert (other.id == worse.id, other.facts["report"] == worse.facts["report"]) == (False, False)
    assert other.facts["sentence"].startswith("Kept v1: time-weighted NDCG@10 is only ")


def test_lists_made_again_are_the_same_file(run, scoring_features, champion):
    first, again = (pipeline.score(run, scoring_features) for _ in range(2))
    assert again == first


def test_lists_under_other_caps_are_another_batch(settings, run, scoring_features, champion):
    tighter = replace(run, settings=settings.model_copy(update={"max_per_category": 2}))
    first, other = pipeline.score(run, scoring_features), pipeline.score(tighter, scoring_features)
    assert other.id != first.id
    assert not pq.read_table(Path(other.uri) / "lists.parquet").equals(pq.read_table(Path(first.uri) / "lists.parquet"))


def test_an_mlflow_that_does_not_answer_is_one_clear_error(settings, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = settings.model_copy(update={"mlflow_port": servers.free_port()})
    with pytest.raises(ServiceError, match=f"MLflow at http://127.0.0.1:{away.mlflow_port} does not answer"):
        mlflow_registry.find_version(away, "key")


def test_a_training_whose_files_are_gone_is_made_again_as_a_version_of_its_own(
    settings, elsewhere, run, features, another
):
    with connect(settings) as warehouse:
        lost = registry.find_model(warehouse, int(another.id))
    file = stored_file(settings, lost)
    sound = file.read_bytes()
    file.unlink()
    try:
        again = pipeline.train(replace(run, settings=elsewhere), features, "most_read")
    finally:
        file.write_bytes(sound)
    assert int(again.id) > int(another.id)
    assert again.fingerprint == another.fingerprint
