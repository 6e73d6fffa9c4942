"""Tuning on a real warehouse: a budget is kept, a search that was killed goes on, and no trial sees the hold-out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bench.train import make_examples
from include import models, pipeline
from include.adapters import mlflow_client, optuna_search
from include.adapters.warehouse import connect
from include.core.errors import SettingsError
from include.core.model_names import ModelName, find_names
from include.features.scene_tables import open_tables
from include.models import RANKED, Range, ranges_of, training
from include.models.kinds.queries import find_pairs
from include.models.kinds.two_stage.ranker import fit_ranker
from include.models.tuned import find_tuned
from include.pipeline import tuning
from tests.parts import cli, servers
from tests.worlds import tiny

BEST = """
select p.reader_id, p.list_at, p.article_id, -abs(a.word_count - $words)::float as score,
       row_number() over (partition by p.reader_id, p.list_at order by score desc, p.article_id) as rank,
       'Of a length that suits' as reason
from pairs p join articles a on a.list_at = p.list_at and a.article_id = p.article_id
qualify rank <= $depth
"""


class ByLength:
    """Articles of a length: long ones are read for ten times as long, and as it is the model takes short ones."""

    name: ClassVar[str] = "by_length"
    TUNABLE: ClassVar[dict] = {"words": Range(100, 1300, is_whole=True), "noise": Range(0.1, 10, is_log=True)}
    seen: ClassVar[list] = []

    def __init__(self, words=200.0):
        self.words = words

    @classmethod
    def tuned(cls, parameters):
        return cls(parameters["words"])

    def fit(self, scenes, outcomes, *, seed):
        self.seen.append(max(pc.max(table.column("list_at")).as_py() for table in (scenes.requests, outcomes)))
        return {"words": float(self.words)}

    def rank(self, scenes, depth, candidates=None):
        with open_tables(scenes) as connection:
            connection.register("pairs", find_pairs(connection, candidates, "popular_pairs", popular_depth=300))
            found = connection.sql(BEST, params={"depth": depth, "words": self.words}).to_arrow_table()
        return found.select(RANKED.names).cast(RANKED)

    def save(self, folder):
        (folder / "words.txt").write_text(str(self.words))


@pytest.fixture(autouse=True)
def by_length(monkeypatch):
    """The models there are, and this one."""
    names = {**find_names(), ByLength.name: ModelName(ByLength.name, __name__, "ByLength", False)}
    monkeypatch.setattr(models, "find_names", lambda: names)
    monkeypatch.setattr(ByLength, "seen", [])


@pytest.fixture
def search(run, features):
    """A search under a seed of its own."""

    def begin(seed, trials, minutes=60, say=lambda sentence: None):
        own = replace(run, settings=run.settings.model_copy(update={"seed": seed}))
        return pipeline.tune(own, features, ByLength.name, trials, minutes, say)

    return begin


def trials_of(run, found):
    return [(one.number, dict(one.parameters), one.score) for one in tuning.find_trials(run.settings, found.id)]


def test_it_finds_what_is_better_and_says_by_how_much(run, search):
    found = search(101, 8)
    first, *others = trials_of(run, found)
    assert first[:2] == (0, {})
    assert all(set(parameters) == {"words", "noise"} for _, parameters, _ in others)
    assert found.facts["parameters"]["words"] > 700
    best = max(score for *_, score in others)
    assert best > 1.2 * first[2]
    assert f"NDCG {best:.3f}, {first[2]:.3f} as it is" in found.facts["sentence"]


def test_a_search_that_was_killed_tries_what_it_would_have_tried(run, search, monkeypatch):
    whole = trials_of(run, search(102, 5))

    def kill(sentence):
        if sentence.startswith("trial 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(103, 5, say=kill)
    with connect(run.settings) as warehouse:
        (killed,) = warehouse.execute("select tuning_id from ops.tunings where not is_done").fetchone()
    before = tuning.find_trials(run.settings, killed)
    assert [one.number for one in before] == [0, 1, 2]
    ByLength.seen.clear()
    found = search(103, 5)
    assert found.id == killed
    assert tuning.find_trials(run.settings, killed)[:3] == before
    assert len(ByLength.seen) == 2
    again = [optuna_search.propose(space(), [(p, s) for _, p, s in whole[:n]], 102 + n) for n in range(1, 5)]
    assert again == [parameters for _, parameters, _ in whole[1:]]


def space():
    return {name: (one.low, one.high, one.is_whole, one.is_log) for name, one in ByLength.TUNABLE.items()}


def test_minutes_that_are_over_end_a_search_and_what_was_tried_stays(run, search):
    said = []
    found = search(104, 9, minutes=0, say=said.append)
    assert len(trials_of(run, found)) == 1
    assert said[-1] == "stopping after 1 trial: the next one would exceed the 0 minutes"
    assert len(trials_of(run, search(104, 9, minutes=0))) == 2


def test_no_trial_sees_anything_of_the_hold_out(run, features, search):
    search(105, 2)
    settings = run.settings
    step, length = timedelta(hours=settings.list_step_hours), timedelta(hours=settings.holdout_hours)
    exam = tuning.set_exam(settings, Path(features.uri), run)
    begin = training.holdout_start(settings, run.as_of) - length
    for table in (exam.scenes.requests, exam.scenes.articles, exam.outcomes):
        assert pc.min(table.column("list_at")).as_py() >= begin
        assert pc.max(table.column("list_at")).as_py() + step <= training.holdout_start(settings, run.as_of)
    assert [last + step <= begin for last in ByLength.seen] == [True, True]


def test_a_model_that_says_nothing_of_it_is_not_tuned(run, features):
    with pytest.raises(SettingsError, match="most_read has no tunable parameters"):
        pipeline.tune(run, features, "most_read", 2, 1, print)


def test_what_was_found_is_used_for_as_long_as_is_set(run, search):
    search(106, 2)
    settings, as_of = run.settings, tiny.AS_OF
    assert find_tuned(settings, ByLength.name, as_of) is not None
    assert find_tuned(settings, ByLength.name, as_of - timedelta(seconds=1)) is None
    assert find_tuned(settings, ByLength.name, as_of + timedelta(days=28)) is None
    assert find_tuned(settings.model_copy(update={"tuned_max_age_days": 0}), ByLength.name, as_of) is None
    assert find_tuned(settings, "two_stage", as_of) is None
    with connect(settings) as warehouse:
        warehouse.execute("update ops.tunings set is_done = false")
    try:
        assert find_tuned(settings, ByLength.name, as_of) is None
    finally:
        with connect(settings) as warehouse:
            warehouse.execute("update ops.tunings set is_done = true")


def test_training_takes_the_best_parameters_and_the_version_says_which(run, features, search, mlflow_server):
    found = search(107, 4)
    best = find_tuned(run.settings, ByLength.name, run.as_of)
    version = pipeline.train(run, features, ByLength.name)
    record = mlflow_client.client(run.settings).get_run(version.facts["mlflow_run_id"])
    assert json.loads(record.data.params["tuned"]) == best.parameters
    assert record.data.params["tuning_id"] == best.tuning_id
    assert record.data.metrics["words"] == best.parameters["words"] > 700
    assert version.facts["tuned"] == best.sentence
    assert found.id  # any of the searches above may be the best of equals
    untuned = replace(run, settings=run.settings.model_copy(update={"tuned_max_age_days": 0}))
    plain = pipeline.train(untuned, features, ByLength.name)
    assert plain.facts["tuned"] == "Not tuned."
    assert plain.id != version.id


def runs_of(settings, search):
    """The runs of a search in MLflow: its own, and those of its trials by number."""
    client = mlflow_client.client(settings)
    experiment = client.get_experiment_by_name("daybreak").experiment_id
    found = client.search_runs([experiment], f"tags.tuning_id = '{search.id}'")
    (parent,) = (one for one in found if "trial" not in one.data.tags)
    return parent, {int(one.data.tags["trial"]): one for one in found if one is not parent}


def test_each_trial_is_a_run_below_that_of_its_search(run, search, mlflow_server):
    found = search(109, 3)
    parent, trials = runs_of(mlflow_server, found)
    kept = {one.number: one for one in tuning.find_trials(run.settings, found.id)}
    assert trials.keys() == kept.keys() == {0, 1, 2}
    for number, one in trials.items():
        assert one.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert one.data.metrics == {"ndcg": kept[number].score}
        assert {name: float(value) for name, value in one.data.params.items()} == kept[number].parameters
        lasted = (one.info.end_time - one.info.start_time) / 1000
        assert lasted == pytest.approx(kept[number].seconds, abs=0.01)
        assert one.info.status == "FINISHED"
    best = mlflow_client.client(mlflow_server).get_metric_history(parent.info.run_id, "ndcg")
    assert [one.value for one in best] == [max(kept[n].score for n in range(last + 1)) for last in range(3)]
    assert (parent.info.status, parent.data.tags["who"]) == ("FINISHED", "tests")


def test_a_search_goes_on_without_mlflow_and_its_trials_are_shown_once_it_answers(run, features, mlflow_server):
    said = []
    seed = mlflow_server.model_copy(update={"seed": 110})
    away = replace(run, settings=seed.model_copy(update={"mlflow_port": servers.free_port()}))
    found = pipeline.tune(away, features, ByLength.name, 2, 60, said.append)
    assert sum(sentence.startswith("not shown in MLflow: MLflow at ") for sentence in said) == 1
    for trials in (2, 3, 3):
        pipeline.tune(replace(run, settings=seed), features, ByLength.name, trials, 60, print)
        assert runs_of(mlflow_server, found)[1].keys() == set(range(trials))


def test_a_trial_whose_run_was_cut_off_by_a_kill_gets_the_rest_of_it(run, search, mlflow_server):
    found = search(111, 2)
    _, trials = runs_of(mlflow_server, found)
    mlflow_client.client(mlflow_server).set_terminated(trials[1].info.run_id, "RUNNING")
    search(111, 2)
    assert {one.info.status for one in runs_of(mlflow_server, found)[1].values()} == {"FINISHED"}


def test_the_word_searches_the_last_window_and_says_what_it_found(run, features):
    words = ("tune", "--model", "factors", "--trials", "2", "--as-of", tiny.AS_OF.isoformat())
    answer = cli.say(run.settings, *words)
    assert answer.code == 0, answer.err
    assert "0 of 2 trials are done" in answer.err
    assert answer.out.startswith("Tuned as of 2025-03-09 00:00 UTC on snapshot ")
    again = cli.say(run.settings, *words)
    assert "2 of 2 trials are done" in again.err
    assert again.out == answer.out


@pytest.mark.parametrize("end", ["low", "high"])
def test_the_default_models_trees_are_grown_as_chosen_up_to_the_ends_of_its_ranges(end):
    chosen = {name: getattr(one, end) for name, one in ranges_of("two_stage").items()}
    chosen |= {name: int(chosen[name]) for name, one in ranges_of("two_stage").items() if one.is_whole}
    model = models.make_model("two_stage", chosen)
    parts = fit_ranker(make_examples(2_000, 1), 1, model.chosen)
    for trees in (parts["reading"], parts["dwell"]):
        assert trees.get_params().items() >= chosen.items()
        assert trees.n_iter_ == chosen["max_iter"]


def test_parameters_of_another_code_are_refused_by_name(run):
    with pytest.raises(SettingsError, match=r"by_length was tuned in depth; it takes noise, words\."):
        models.make_model(ByLength.name, {"depth": 3})


def test_outcomes_of_nobody_are_one_clear_error(run, features, search, monkeypatch):
    from include.core.errors import SourceError

    nothing = tuning.open_outcomes(Path(features.uri)).slice(0, 0)
    monkeypatch.setattr(tuning, "open_outcomes", lambda build: pa.table(nothing))
    with pytest.raises(SourceError, match="There are 0 outcomes to learn from"):
        search(108, 2)
