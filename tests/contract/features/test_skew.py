"""Training against scoring, on builds made by the real queries."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.adapters.warehouse import connect
from include.features import skew
from include.features.build import VIEWS


@pytest.fixture(scope="module")
def settings(tiny_world, tmp_path_factory):
    return tiny_world.model_copy(update={"home": tmp_path_factory.mktemp("skew")})


@pytest.fixture(scope="module")
def trained(settings, features):
    """The id of the training build, of which this installation has the profile and nothing else."""
    skew.keep_profile(settings, Path(features.uri))
    return features.id


@pytest.fixture(scope="module")
def builds(scoring_features, tmp_path_factory):
    """A function that gives the scoring build with one column of one view changed."""
    made = tmp_path_factory.mktemp("builds")

    def changed(view=None, column=None, change=None):
        folder = made / f"{len(list(made.iterdir()))}"
        shutil.copytree(scoring_features.uri, folder)
        if view:
            table = pq.read_table(folder / view / "part.parquet")
            table = table.set_column(table.column_names.index(column), column, change(table.column(column)))
            pq.write_table(table, folder / view / "part.parquet")
        return folder

    return changed


def failed(settings, trained, build):
    return {(c.code, c.subject): c for c in skew.check(settings, trained, build) if c.outcome == "failed"}


def test_what_is_scored_with_the_same_code_on_the_same_readers_is_like_what_was_trained_on(settings, trained, builds):
    checks = skew.check(settings, trained, builds())
    assert [check for check in checks if check.outcome == "failed"] == []
    assert {check.subject for check in checks if check.outcome == "passed"} == set(VIEWS)
    assert not [check for check in checks if check.blocks]


def test_seconds_that_became_milliseconds_are_noticed(settings, trained, builds):
    build = builds("reader_activity", "mean_read_seconds", lambda column: pc.multiply(column, 1000.0))
    (found,) = failed(settings, trained, build).items()
    assert found[0] == ("SKW101", "reader_activity")
    assert "mean_read_seconds" in found[1].sentence
    assert found[1].severity == "warn"


def test_words_that_were_spelled_otherwise_are_noticed(settings, trained, builds):
    build = builds("reader_activity", "region", pc.utf8_upper)
    assert set(failed(settings, trained, build)) == {("SKW102", "reader_activity")}


def test_a_feature_that_went_missing_is_noticed(settings, trained, builds):
    build = builds("reader_activity", "tenure_days", lambda column: pa.nulls(len(column), column.type))
    assert set(failed(settings, trained, build)) == {("SKW103", "reader_activity")}


def test_a_feature_of_another_kind_is_noticed(settings, trained, builds):
    build = builds("article_stats", "read_count_1h", lambda column: column.cast(pa.string()))
    found = failed(settings, trained, build)
    assert set(found) == {("SKW104", "article_stats")}
    assert "read_count_1h" in found["SKW104", "article_stats"].sentence


def test_the_profile_of_a_training_outlives_its_build(settings, trained):
    assert not (settings.home / "features" / trained / "reader_activity").exists()


def test_without_a_profile_nothing_is_claimed(settings, builds):
    checks = skew.check(settings, "20250101T000000Z-training-000000000000", builds())
    assert {(check.code, check.severity, check.outcome) for check in checks} == {("SKW104", "info", "not applicable")}


def test_a_real_recommend_keeps_the_checks_of_its_scoring(live_lists, tiny_world):
    with connect(tiny_world) as warehouse:
        kept = warehouse.execute("select code, subject, outcome from ops.checks where stage = 'score'").fetchall()
    assert {row[0] for row in kept} >= {"SKW101", "SKW103", "SKW104"}
    assert {row[2] for row in kept} <= {"passed", "not applicable"}
