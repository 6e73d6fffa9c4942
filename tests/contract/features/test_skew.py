"""Training against scoring, on builds made by the real queries."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters import duck
from include.adapters.warehouse import connect
from include.core.run import Run
from include.data.store import read_json
from include.features import skew
from include.features.days import VIEWS
from tests.worlds import tiny


@pytest.fixture(scope="module")
def settings(tiny_world, tmp_path_factory):
    return tiny_world.model_copy(update={"home": tmp_path_factory.mktemp("skew")})


@pytest.fixture(scope="module")
def trained(settings, features):
    """The id of the training build, of which this installation has the sample and nothing else."""
    skew.keep_sample(settings, Path(features.uri))
    return features.id


@pytest.fixture(scope="module")
def builds(scoring_features, tmp_path_factory):
    """A function that gives the scoring build with one column of one view changed."""
    made = tmp_path_factory.mktemp("builds")

    def changed(view=None, column=None, change=None):
        folder = made / f"{len(list(made.iterdir()))}"
        shutil.copytree(scoring_features.uri, folder)
        if view:
            (file,) = (folder / view).iterdir()
            table = pq.read_table(file)
            table = table.set_column(table.column_names.index(column), column, change(table.column(column)))
            pq.write_table(table, file)
        return folder

    return changed


def check(settings, trained, build):
    return skew.check(skew.compare_builds(settings, trained, build))


def failed(settings, trained, build):
    return {(c.code, c.subject): c for c in check(settings, trained, build) if c.outcome == "failed"}


def test_what_is_scored_with_the_same_code_on_the_same_readers_is_like_what_was_trained_on(settings, trained, builds):
    checks = check(settings, trained, builds())
    assert [check for check in checks if check.outcome == "failed"] == []
    assert {check.subject for check in checks if check.outcome == "passed"} == set(VIEWS)
    assert not [check for check in checks if check.blocks]


def test_the_numbers_are_those_that_evidently_measured(settings, trained, builds):
    profile, activity = skew.compare_builds(settings, trained, builds())[:2]
    assert (profile.view, activity.view) == ("reader_profile", "reader_activity")
    metrics = [*profile.drift.numbers["metrics"], *activity.drift.numbers["metrics"]]
    found = {metric["config"]["column"]: metric for metric in metrics if "method" in metric["config"]}
    assert {name: found[name]["config"]["method"] for name in ("tenure_days", "plan")} == {
        "tenure_days": "wasserstein",
        "plan": "jensenshannon",
    }
    observed = {column.column: column.observed for column in activity.drift.columns}
    assert observed["read_seconds"] == pytest.approx(found["read_seconds"]["value"])


@pytest.mark.parametrize(
    ("values", "limit_factor"), [([90.0, 110.0], 3.33), ([0.0, 0.0], 1000.0)], ids=["hardly varies", "never varied"]
)
def test_a_number_that_hardly_varied_in_training_has_not_moved_by_many_deviations(values, limit_factor):
    """By 100 from 90 and 110, a mean of 100: 10 deviations of its own, 3 of a third of the mean."""
    reference = pd.DataFrame({"x": values})
    drift = skew.ColumnDrift("x", "wasserstein", limit_factor, 1.0)
    assert skew._with_floor(drift, reference).observed == pytest.approx(1.0, abs=0.01)


def test_a_view_is_judged_by_deviations_with_that_floor():
    """Up by 30 from 90 and 110: 3 deviations of its own, 0.9 of a third of the mean."""
    with duck.connect() as connection:
        then, now = (
            connection.sql(f"select (90 + 20 * (n % 2) + {up})::double as x from range(2000) rows (n)")
            for up in (0, 30)
        )
        (column,) = skew._compare_view("reader_activity", now, then).drift.columns
    assert column.observed == pytest.approx(0.9, abs=0.01)
    assert not column.is_drifted


def test_seconds_that_became_milliseconds_are_noticed(settings, trained, builds):
    build = builds("reader_activity", "mean_read_seconds", lambda column: pc.multiply(column, 1000.0))
    (found,) = failed(settings, trained, build).items()
    assert found[0] == ("SKW101", "reader_activity")
    assert "mean_read_seconds" in found[1].sentence
    assert found[1].severity == "warn"


def test_words_that_were_spelled_otherwise_are_noticed(settings, trained, builds):
    build = builds("reader_profile", "region", pc.utf8_upper)
    assert set(failed(settings, trained, build)) == {("SKW102", "reader_profile")}


def test_a_feature_that_went_missing_is_noticed(settings, trained, builds):
    build = builds("reader_profile", "tenure_days", lambda column: pa.nulls(len(column), column.type))
    assert set(failed(settings, trained, build)) == {("SKW103", "reader_profile")}


def test_a_feature_of_another_kind_is_noticed(settings, trained, builds):
    build = builds("article_stats", "read_count_1h", lambda column: column.cast(pa.string()))
    found = failed(settings, trained, build)
    assert set(found) == {("SKW104", "article_stats")}
    assert "read_count_1h" in found["SKW104", "article_stats"].sentence


def test_the_sample_of_a_training_outlives_its_build(settings, trained):
    assert not (settings.home / "features" / trained / "reader_activity").exists()


def test_without_a_sample_nothing_is_claimed(settings, builds):
    checks = check(settings, "20250101T000000Z-training-000000000000", builds())
    assert {check.code for check in checks} == {"SKW101", "SKW102", "SKW103", "SKW104"}
    assert {(check.severity, check.outcome) for check in checks} == {("info", "not applicable")}


def test_with_a_build_of_an_earlier_release_nothing_is_claimed(settings, trained, builds):
    """It has the profile of readers within their activity."""
    build = builds()
    shutil.rmtree(build / "reader_profile")
    assert {(check.severity, check.outcome) for check in check(settings, trained, build)} == {
        ("info", "not applicable")
    }


def test_a_real_watch_compares_the_features_of_the_live_lists(live_lists, tiny_world):
    health = pipeline.watch(Run(tiny_world, "watch skew", tiny.AS_OF, "tests"))
    with connect(tiny_world) as warehouse:
        kept = warehouse.execute("select code, outcome from ops.checks where run_id = 'watch skew'").fetchall()
        drifts = warehouse.execute("select subject from ops.drift where subject like 'reader_activity.%'").fetchall()
    assert {code for code, _ in kept} == {"SKW101", "SKW102", "SKW103", "SKW104"}
    assert {outcome for _, outcome in kept} <= {"passed", "not applicable"}
    assert ("reader_activity.read_seconds",) in drifts
    numbers = read_json((tiny_world.home / "reports" / health.facts["report"]).with_suffix(".json"))
    assert set(numbers) == {
        "reading",
        "reader_profile",
        "reader_activity",
        "reader_taste",
    }  # of few articles nothing is said
