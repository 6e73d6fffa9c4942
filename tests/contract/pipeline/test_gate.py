"""The gate on the real thing: versions in MLflow that are broken in one way each, and the verdict that each gets."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.features.scenes import open_outcomes, open_scenes, rows_between
from include.judging import champion as champions
from include.judging.fresh_process import Mechanics, take_sample, try_out
from include.judging.trial import Holdout, hold_trial
from include.lists import batch as batches
from include.models import registry, training
from include.pipeline import deciding
from tests.parts.mlflow_store import version_files
from tests.worlds import tiny

WORKS = Mechanics("", 200, 1.0, 1.0, 100.0, 0.0)


@pytest.fixture(scope="module")
def settings(champion, mlflow_server):
    return mlflow_server


@pytest.fixture(scope="module")
def champions_model(settings, champion):
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, champion.facts["version"])
    return registered, registry.load_version(settings, registered)


@pytest.fixture(scope="module")
def newer(run, features, champion):
    """The reference of a version as good as the champion: the same but for its seed."""
    seed = replace(run, settings=run.settings.model_copy(update={"seed": 11}))
    return pipeline.train(seed, features, "two_stage")


@pytest.fixture(scope="module")
def holdout(settings, features):
    build, start = Path(features.uri), training.holdout_start(settings, tiny.AS_OF)
    return Holdout(
        open_scenes(build).between(start, tiny.AS_OF),
        rows_between(open_outcomes(build), start, tiny.AS_OF),
        pq.read_table(build / "articles"),
        start,
        tiny.AS_OF,
    )


def model_of(settings, reference):
    with connect(settings) as warehouse:
        return registry.find_model(warehouse, int(reference.id))


class Away:
    """A version's files are gone from the registry, and unless it is kept the copy on this machine, until the end."""

    def __init__(self, settings, registered, *, keep_copy=False):
        self.folder = version_files(settings, registered.mlflow_run_id)
        self.hidden = self.folder.with_name("away")
        self.copy = None if keep_copy else settings.home / "models" / registered.digest

    def __enter__(self):
        self.folder.rename(self.hidden)
        if self.copy:
            shutil.rmtree(self.copy, ignore_errors=True)

    def __exit__(self, *error):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.hidden.rename(self.folder)


def failed(verdict):
    return {(check.code, check.subject) for check in verdict.checks if check.outcome == "failed"}


def test_a_sound_version_works_in_a_fresh_process_and_ranks_the_same_there(settings, champions_model, holdout):
    model, found = try_out(settings, champions_model[0], holdout.scenes)
    assert model is not None
    assert (found.trouble, found.differing_share) == ("", 0.0)
    assert found.readers == take_sample(holdout.scenes).requests.num_rows > 100
    assert 0 < found.load_seconds < 60
    assert 100 < found.peak_mb < 4000


def test_a_broken_artifact_is_a_verdict_and_a_green_run(settings, run, features, newer):
    with Away(settings, model_of(settings, newer)):
        verdict = pipeline.judge(replace(run, run_id="broken"), newer, features)
    assert verdict.facts["decision"] == "keep"
    assert verdict.facts["sentence"].startswith(
        f"Kept v1: v{newer.id} cannot be used from the registry: MLflow has no files of run "
    )
    assert verdict.facts["sentence"].endswith(". [RT112]")
    assert (settings.home / "reports" / verdict.facts["report"]).exists()
    assert pipeline.promote(run, verdict).facts["changed"] is False


@pytest.mark.parametrize("gone", ["version", "run"])
def test_a_challenger_that_somebody_deletes_in_mlflow_is_a_verdict_and_a_green_run(settings, run, features, gone):
    seed = replace(run, settings=settings.model_copy(update={"seed": 20 + len(gone)}), run_id=f"deleted-{gone}")
    version = pipeline.train(seed, features, "most_read")
    client = mlflow_client.client(settings)
    client.delete_model_version(mlflow_client.MODEL, version.id)
    if gone == "run":
        client.delete_run(model_of(settings, version).mlflow_run_id)
    verdict = pipeline.judge(seed, version, features)
    assert verdict.facts["decision"] == "keep"
    assert verdict.facts["sentence"].startswith(
        f"Kept v1: v{version.id} cannot be used from the registry: Version {version.id} is no longer in MLflow"
    )


def test_a_copy_on_this_machine_does_not_hide_that_the_registry_lost_the_files(settings, newer, holdout):
    registered = model_of(settings, newer)
    registry.load_version(settings, registered)
    with Away(settings, registered, keep_copy=True):
        _, found = try_out(settings, registered, holdout.scenes)
    assert found.trouble == f"MLflow has no files of run {registered.mlflow_run_id}."


def test_a_version_that_takes_too_long_is_stopped(settings, champions_model, holdout):
    hasty = settings.model_copy(update={"max_load_seconds": 0.2})
    _, found = try_out(hasty, champions_model[0], holdout.scenes)
    assert found.trouble == "a fresh process did not load it and rank within 0.2 s"


def test_a_version_that_wants_too_much_memory_is_stopped(settings, champions_model, holdout):
    tight = settings.model_copy(update={"max_model_memory_mb": 100})
    _, found = try_out(tight, champions_model[0], holdout.scenes)
    assert "emory" in found.trouble or "killed by signal" in found.trouble


def test_whoever_was_trained_on_the_test_day_is_kept_out(settings, run, features, champion):
    """A version that held back less than the judge holds back has seen the answers."""
    peeking = replace(run, settings=run.settings.model_copy(update={"holdout_hours": 3}))
    version = pipeline.train(peeking, features, "most_read")
    verdict = pipeline.judge(replace(run, run_id="peeking"), version, features)
    assert verdict.facts["decision"] == "keep"
    with connect(settings) as warehouse:
        ((outcome, severity, sentence),) = warehouse.execute(
            "select outcome, severity, sentence from ops.checks where run_id = 'peeking' and code = 'RT117'"
        ).fetchall()
    assert (outcome, severity) == ("failed", "block")
    assert sentence == (
        f"v{version.id} was trained on reading up to 2025-03-08 21:00 UTC, but the hold-out starts at 2025-03-08 00:00 "
        "UTC: it has seen the answers."
    )


class WorseForOneRegion:
    """The champion, turned upside down for readers of one region."""

    name = "worse_for_one_region"

    def __init__(self, model):
        self.model = model

    def rank(self, scenes, depth, candidates=None):
        ranked = self.model.rank(scenes, depth, candidates)
        region = ranked.join(scenes.readers.select(["reader_id", "list_at", "region"]), ["reader_id", "list_at"])
        deepest = pc.max(ranked.column("rank")).as_py() + 1
        turned = pc.if_else(
            pc.equal(region.column("region"), "Africa"),
            pc.subtract(deepest, region.column("rank")),
            region.column("rank"),
        )
        return region.set_column(region.column_names.index("rank"), "rank", turned.cast(pa.int32())).select(
            ranked.column_names
        )


def test_one_bad_slice_keeps_a_challenger_out_and_is_named(settings, champions_model, holdout):
    registered, model = champions_model
    finer = settings.model_copy(update={"min_slice_readers": 50})
    other = replace(registered, version=99, digest="another")
    rivals = {"champion": champions_model}
    verdict, _ = hold_trial(finer, other, WorseForOneRegion(model), WORKS, rivals, holdout)
    assert ("RT110", "region Africa") in failed(verdict)
    assert not {("RT110", "region Latin America"), ("RT110", "region North America")} & failed(verdict)
    assert verdict.decision == "keep"


class Spoilt:
    """The champion, with its ranking spoilt in one way."""

    name = "spoilt"

    def __init__(self, model, spoil):
        self.model, self.spoil = model, spoil

    def rank(self, scenes, depth, candidates=None):
        return self.spoil(self.model.rank(scenes, depth, candidates))


def without_numbers(ranked):
    nan = pc.if_else(pc.equal(ranked.column("rank"), 1), pa.scalar(float("nan"), pa.float32()), ranked.column("score"))
    return ranked.set_column(ranked.column_names.index("score"), "score", nan)


def with_few(ranked):
    return ranked.filter(pc.less_equal(ranked.column("rank"), 6))


@pytest.mark.parametrize(
    ("spoil", "code", "told", "said"),
    [
        (
            without_numbers,
            "RT104",
            "90 % of the scores are",
            "Kept v1: only 90 % of the scores are finite numbers; all ",
        ),
        (with_few, "RT116", "too few candidates: ", "(1 more check failed)"),
    ],
)
def test_a_challenger_that_ranks_badly_is_kept_out_and_the_check_says_by_what(
    settings, champions_model, holdout, spoil, code, told, said
):
    registered, model = champions_model
    other = replace(registered, version=99, digest="another")
    verdict, _ = hold_trial(settings, other, Spoilt(model, spoil), WORKS, {"champion": champions_model}, holdout)
    assert verdict.decision == "keep"
    (sentence,) = (check.sentence for check in verdict.checks if check.code == code and check.blocks)
    assert told in sentence
    assert said in verdict.sentence


def test_a_champion_that_is_gone_leaves_the_decision_to_a_person(settings, run, features, champions_model, newer):
    registered, _ = champions_model
    with Away(settings, registered):
        verdict = pipeline.judge(replace(run, run_id="gone"), newer, features)
    registry.load_version(settings, registered)
    assert verdict.facts["decision"] == "ask"
    assert verdict.facts["sentence"] == (
        f"Needs a decision: v{registered.version} cannot be loaded: MLflow has no files of run "
        f"{registered.mlflow_run_id}. No other version could stand in. [RT118]"
    )
    assert pipeline.promote(run, verdict).facts["changed"] is False
    with connect(settings) as warehouse:
        warehouse.execute("delete from ops.verdicts where run_id = 'gone'")


def test_a_shadow_batch_is_scored_anew_and_shown_to_nobody(settings, run, live_lists, newer):
    with connect(settings) as warehouse:
        live_before = batches.find_live(warehouse)
    made = pipeline.shadow(replace(run, run_id="shadow"), int(newer.id))
    with connect(settings) as warehouse:
        assert batches.find_live(warehouse) == live_before
        (status,) = warehouse.execute("select status from recs.batches where batch_id = %s", [made.id]).fetchone()
        (rows,) = warehouse.execute(
            "select count(*) from recs.recommendations where batch_id = %s", [made.id]
        ).fetchone()
        assert not batches.switch(warehouse, made.id, tiny.AS_OF + timedelta(hours=1), 60)
        (live_rows,) = warehouse.execute("select count(*) from recs.current").fetchone()
    assert (status, rows) == ("shadow", live_rows)
    assert made.facts["sentence"].startswith(f"Shadow batch {made.id}: ")
    page = (settings.home / "reports" / made.facts["report"]).read_text()
    assert "A shadow batch, never shown to readers" in page


def test_a_verdict_whose_checks_say_otherwise_promotes_nobody(settings, run, first_retrain, newer):
    """Whatever a verdict claims: the door looks at the checks that were kept, and a missing one does not pass."""
    for name, change in {
        "failed": lambda checks: [{**check, "outcome": "failed"} for check in checks],
        "missing": lambda checks: checks[1:],
        "none": lambda checks: [],
    }.items():
        forged = replace(
            first_retrain.verdict,
            id=f"forged-{name}",
            facts={**first_retrain.verdict.facts, "champion_seq": 1, "challenger_version": int(newer.id)},
        )
        copy_verdict(settings, first_retrain.verdict.id, forged.id, change)
        assert pipeline.promote(run, forged).facts["changed"] is False
    with connect(settings) as warehouse:
        assert champions.find_champion(warehouse).version == first_retrain.champion.facts["version"]
        assert deciding.conclude_again(warehouse, first_retrain.verdict.id) == "promote"


def copy_verdict(settings, verdict_id, name, change):
    import json

    with connect(settings) as warehouse:
        (checks,) = warehouse.execute("select checks from ops.verdicts where verdict_id = %s", [verdict_id]).fetchone()
        warehouse.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, checks, metrics) select %s, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, %s, metrics from ops.verdicts where verdict_id = %s",
            [name, json.dumps(change(checks)), verdict_id],
        )
