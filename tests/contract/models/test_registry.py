"""Registering, promoting and loading models, with a real MLflow server beside a real ledger."""

from __future__ import annotations

import getpass
import json
from dataclasses import replace
from pathlib import Path

import mlflow.data
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters import mlflow_client, mlflow_registry, mlflow_reports
from include.adapters.warehouse import connect
from include.core.errors import ArtifactDamaged, ServiceError
from include.data.store import digest_folder
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


@pytest.mark.parametrize(
    ("room", "place"), [(mlflow_registry, "set_alias"), (mlflow_reports, "keep_card")], ids=["before its alias", "card"]
)
def test_a_training_that_was_killed_once_its_version_was_made_is_finished_by_the_next_try(
    decision, features, monkeypatch, room, place
):
    class Kill(BaseException):
        pass

    def die(*some):
        raise Kill

    with monkeypatch.context() as killed:
        killed.setattr(room, place, die)
        with pytest.raises(Kill):
            pipeline.train(decision, features, "two_stage")
    assert pipeline.train(decision, features, "two_stage").id == "1"
    with connect(decision.settings) as warehouse:
        weights, mlflow_run = warehouse.execute("select weights, mlflow_run_id from ops.models").fetchone()
    assert sum(weights.values()) == pytest.approx(1)
    mlflow = mlflow_client.client(decision.settings)
    assert mlflow.get_run(mlflow_run).info.status == "FINISHED"
    assert {file.path for file in mlflow.list_artifacts(mlflow_run, "card")} == {"card/v1.html", "card/v1.md"}
    assert mlflow_registry.read_alias(decision.settings, "challenger") == 1


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
    assert found.data.metrics["challenger/ndcg"] > found.data.metrics["most_read/ndcg"]
    (used,) = found.inputs.dataset_inputs
    assert used.dataset.name == registered.snapshot_id
    assert used.tags[0].value == "training"


def test_the_ledger_of_versions_knows_how_far_the_ranking_hangs_on_each_feature(settings, registered):
    with connect(settings) as warehouse:
        (weights,) = warehouse.execute(
            "select weights from ops.models where version = %s", [registered.version]
        ).fetchone()
    assert sum(weights.values()) == pytest.approx(1.0)
    assert {"age_hours", "word_count", "category_share", "taste"} <= weights.keys()


def test_the_data_it_learnt_from_can_be_read_back_by_mlflow_and_pandas(settings, registered):
    found = mlflow_client.client(settings).get_run(registered.mlflow_run_id)
    manifest = Path(mlflow.data.get_source(found.inputs.dataset_inputs[0]).load())
    described = json.loads(manifest.read_text())
    objects = manifest.parents[1] / "objects"
    files = [objects / one["sha256"][:2] / f"{one['sha256']}.parquet" for one in described["files"]]
    rows = sum(len(pd.read_parquet(file)) for file in files)
    dataset = found.inputs.dataset_inputs[0].dataset
    assert json.loads(dataset.profile)["num_rows"] == rows == sum(described["rows"].values())
    columns = {column["name"]: column["type"] for column in json.loads(dataset.schema)["mlflow_colspec"]}
    assert columns["reading_events.occurred_at"] == "datetime"
    assert columns["subscribers.interests"] == "array"


def test_data_in_a_store_that_mlflow_does_not_know_is_named_all_the_same():
    columns = {"articles": {"title": pa.string()}}
    data = mlflow_registry.TrainingData("s-1", "memory://x/manifest.json", "", columns, {"articles": 1})
    source = mlflow.data.get_source(mlflow_registry._input_of(data))
    assert source.to_dict() == {"tags": {"uri": "memory://x/manifest.json"}}


def test_its_run_lasts_as_long_as_the_training_and_its_metrics_stand_at_their_time(settings, registered):
    client = mlflow_client.client(settings)
    found = client.get_run(registered.mlflow_run_id)
    seconds = (found.info.end_time - found.info.start_time) / 1000
    assert seconds == pytest.approx(found.data.metrics["fit_seconds"], abs=0.5)
    (trained,) = client.get_metric_history(registered.mlflow_run_id, "example_rows")
    assert trained.timestamp == found.info.end_time
    judged = client.get_metric_history(registered.mlflow_run_id, "ndcg")
    assert all(one.timestamp > found.info.end_time for one in judged)


def test_the_outcome_stands_in_few_plain_numbers_at_its_run_and_at_its_model(settings, registered):
    client = mlflow_client.client(settings)
    found = client.get_run(registered.mlflow_run_id)
    plain = {name: found.data.metrics[name] for name in ("ndcg", "ndcg_best_baseline", "gain_low", "gain_high")}
    assert plain["ndcg"] == found.data.metrics["challenger/ndcg"] > plain["ndcg_best_baseline"]
    assert 0 < plain["gain_low"] < plain["ndcg"] - plain["ndcg_best_baseline"] < plain["gain_high"]
    (output,) = found.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert plain.items() <= {one.key: one.value for one in model.metrics}.items()
    assert {one.dataset_name for one in model.metrics if one.key == "example_rows"} == {registered.snapshot_id}
    assert (model.source_run_id, model.status) == (registered.mlflow_run_id, "READY")


def test_tags_say_who_wanted_it_why_how_far_it_might_go_and_on_which_days(settings, registered):
    client = mlflow_client.client(settings)
    for tags in (
        client.get_run(registered.mlflow_run_id).data.tags,
        client.get_model_version("daybreak", str(registered.version)).tags,
    ):
        assert (tags["who"], tags["reason"]) == (getpass.getuser(), "`daybreak retrain` was typed")
        assert (tags["mode"], tags["window"]) == ("enforce", "2025-03-04 00:00 to 2025-03-09 00:00 UTC")


def test_the_experiment_opens_as_one_of_trained_models(settings):
    experiment = mlflow_client.client(settings).get_experiment_by_name("daybreak")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_a_kind_that_somebody_chose_for_the_experiment_stays_and_one_that_lacks_it_gets_it(settings):
    client = mlflow_client.client(settings)
    number = client.get_experiment_by_name("daybreak").experiment_id
    for given in ("genai_development", None):
        client.delete_experiment_tag(number, "mlflow.experimentKind")
        if given:
            client.set_experiment_tag(number, "mlflow.experimentKind", given)
        mlflow_client.reach.cache_clear()
        found = mlflow_client.client(settings).get_experiment(number).tags["mlflow.experimentKind"]
        assert found == (given or "custom_model_development")


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


def test_a_local_copy_with_a_changed_byte_is_never_loaded_but_fetched_again(elsewhere, registered):
    registry.load_version(elsewhere, registered)
    copy = elsewhere.home / "models" / registered.digest
    flip(copy / "two_stage.skops")
    registry.load_version(elsewhere, registered)
    assert digest_folder(copy) == registered.digest


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
            with pytest.raises(ArtifactDamaged) as damage:
                registry.load_version(elsewhere, registered)
            assert damage.value.about == f"v{registered.version}"
    finally:
        file.write_bytes(sound)
    assert not (elsewhere.home / "models" / registered.digest).exists()


def test_an_extra_file_beside_the_model_goes_with_the_copy(elsewhere, registered):
    registry.load_version(elsewhere, registered)
    copy = elsewhere.home / "models" / registered.digest
    (copy / "more.py").write_text("import os")
    registry.load_version(elsewhere, registered)
    assert digest_folder(copy) == registered.digest


def test_a_changed_copy_that_the_registry_cannot_replace_is_refused(settings, elsewhere, registered):
    registry.load_version(elsewhere, registered)
    flip(elsewhere.home / "models" / registered.digest / "two_stage.skops")
    file = stored_file(settings, registered)
    sound = file.read_bytes()
    flip(file)
    try:
        with pytest.raises(ArtifactDamaged, match=f"The files of version {registered.version} have digest"):
            registry.load_version(elsewhere, registered)
    finally:
        file.write_bytes(sound)


def test_a_model_of_other_features_is_refused(settings, registered):
    with pytest.raises(ArtifactDamaged, match=f"was trained on features v0; this code uses {VERSION}"):
        registry.load_version(settings, replace(registered, feature_version="v0"))


def test_a_version_that_nobody_registered_is_one_clear_error(settings):
    with pytest.raises(ArtifactDamaged, match="There is no version v999"), connect(settings) as warehouse:
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


def test_a_champion_is_no_challenger_any_more_and_the_next_version_is_one(settings, registered, another):
    mlflow_registry.set_alias(settings, "challenger", registered.version)  # as a version of before left it
    champions.repair_aliases(settings)
    assert mlflow_registry.read_alias(settings, "challenger") is None
    mlflow_registry.set_alias(settings, "challenger", int(another.id))
    champions.repair_aliases(settings)
    assert mlflow_registry.read_alias(settings, "challenger") == int(another.id)


def test_an_alias_that_somebody_moved_is_moved_back(settings, registered, another):
    mlflow_registry.set_alias(settings, "champion", int(another.id))
    champions.repair_aliases(settings)
    assert mlflow_registry.read_alias(settings, "champion") == registered.version


def test_a_challenger_that_is_worse_is_kept_out_by_the_trial(another, worse):
    assert worse.facts["decision"] == "keep"
    assert worse.facts["sentence"].startswith("Kept v1: time-weighted NDCG@10 is only ")


def test_judging_again_gives_the_same_verdict_and_keeps_it_once(settings, run, features, another, worse):
    assert pipeline.judge(run, another, features) == worse
    with connect(settings) as warehouse:
        kept = warehouse.execute("select count(*) from ops.verdicts where verdict_id = %s", [worse.id])
        assert kept.fetchone() == (1,)


def test_by_other_limits_it_is_another_verdict(settings, run, features, another, worse):
    """Else whoever corrects a limit and clears `judge` would get the verdict of before."""
    strict = replace(run, settings=settings.model_copy(update={"floor_baseline_share": 9.0}))
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
