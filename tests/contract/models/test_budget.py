"""The training budget on a real build: what a model learns from is what the budget says, never more."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.core.settings import load_settings
from include.features.scenes import open_outcomes, open_scenes, rows_between
from include.models.budget import find_budget
from include.models.training import EVER, fit_model, holdout_start, parameters, training_end
from tests.worlds import tiny

AS_OF = tiny.AS_OF


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return load_settings().model_copy(update={"home": tmp_path_factory.mktemp("budget"), **tiny.TINY})


@pytest.fixture(scope="module")
def build(settings):
    return tiny.build(settings, tiny.tiny(), "training")


@pytest.fixture(scope="module")
def learnt_from(settings, build):
    """All outcomes that come before the hold-out."""
    return rows_between(open_outcomes(build), AS_OF - EVER, training_end(settings, AS_OF))


def find(settings, build, **limits):
    return find_budget(settings.model_copy(update=limits), build, training_end(settings, AS_OF))


def test_with_room_for_all_everybody_with_an_outcome_before_the_holdout_is_in(settings, build, learnt_from):
    found = find(settings, build)
    assert found.readers.to_pylist() == sorted(learnt_from.column("reader_id").unique().to_pylist())
    assert (found.rows, found.left_out_rows) == (learnt_from.num_rows, 0)
    assert set(found.regions) == set(tiny.REGIONS)


def test_whole_readers_are_out_and_their_rows_are_counted(settings, build, learnt_from):
    found = find(settings, build, max_train_rows=5_000)
    rows = learnt_from.filter(pc.is_in(learnt_from.column("reader_id"), found.readers))
    assert 4_500 < rows.num_rows == found.rows <= 5_000
    assert found.left_out_rows == learnt_from.num_rows - found.rows


def test_a_cap_on_bytes_works_like_one_on_rows(settings, build, learnt_from):
    names = ("outcomes", "requests", "reader_profile", "reader_activity", "reader_taste")
    size = sum(pq.read_table(build / name).nbytes for name in names)
    found = find(settings, build, max_train_mb=1)
    assert found.max_rows == pytest.approx(open_outcomes(build).num_rows * 1e6 / size, rel=0.01)
    assert 0 < found.rows <= found.max_rows < learnt_from.num_rows


def test_of_two_caps_the_smaller_one_holds(settings, build):
    by_bytes = find(settings, build, max_train_mb=1).max_rows
    assert find(settings, build, max_train_mb=1, max_train_rows=by_bytes - 1).max_rows == by_bytes - 1
    assert find(settings, build, max_train_mb=1, max_train_rows=by_bytes + 1).max_rows == by_bytes


def test_a_model_learns_from_the_readers_in_the_budget_and_says_who_was_not(settings, build, tmp_path):
    found = find(settings, build, max_train_rows=5_000)
    seen = replace(found, readers=found.readers.slice(0, 10))
    scenes, outcomes = open_scenes(build), open_outcomes(build)
    trained = fit_model(settings, "two_stage", scenes, outcomes, seen, AS_OF, tmp_path, build, {})
    rows = open_outcomes(build).filter(pc.field("reader_id").isin(seen.readers))
    assert trained.facts["example_rows"] == rows_between(rows, AS_OF - EVER, training_end(settings, AS_OF)).num_rows
    assert trained.facts["left_out_rows"] == found.left_out_rows
    assert parameters(settings, "two_stage", found, {})["training_data"] == found.sentence


def test_a_model_that_found_nothing_to_learn_from_has_seen_nothing_of_the_hold_out(settings, build, tmp_path):
    """Else the verdict on a first challenger would say that it knows the answers."""
    found = find(settings, build)
    nobody = replace(found, readers=found.readers.slice(0, 0))
    scenes, outcomes = open_scenes(build), open_outcomes(build)
    trained = fit_model(settings, "most_read", scenes, outcomes, nobody, AS_OF, tmp_path, build, {})
    assert trained.trained_until == holdout_start(settings, AS_OF)
