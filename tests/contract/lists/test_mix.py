"""The mix of the champion's lists against its first ones, measured by the real Evidently on the files of batches."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.adapters.warehouse import connect
from include.core.references import Reference
from include.core.settings import Settings
from include.lists import mix
from include.models import RANKED
from tests.worlds import tiny

AS_OF = tiny.AS_OF
HOUR = timedelta(hours=1)
CATALOGUE = {1: "politics", 2: "sport", 3: "science", 4: "culture"}


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path, **tiny.TINY)


def batch(home, number, articles=(1, 2), score=1.0, reason="Read by many", age_hours=2):
    """A batch an hour after the one before: 500 readers with these articles, all of one age."""
    lists, scored, at = home / "lists" / f"b{number}", home / "features" / f"f{number}", AS_OF + number * HOUR
    rows = [
        {"reader_id": reader, "list_at": at, "rank": place, "article_id": article, "reason": reason}
        | {"score": score / place + reader / 1000}
        for reader in range(500)
        for place, article in enumerate(articles, 1)
    ]
    known = [
        {
            "article_id": article,
            "category": category,
            "publisher": f"of {category}",
            "published_at": at - age_hours * HOUR,
        }
        for article, category in CATALOGUE.items()
    ]
    for folder, table in (
        (lists, pa.Table.from_pylist(rows, RANKED)),
        (scored / "articles", pa.Table.from_pylist(known)),
    ):
        folder.mkdir(parents=True)
        pq.write_table(table, folder / ("part.parquet" if folder.name == "articles" else "lists.parquet"))
    return mix.PublishedLists(lists, scored, at, "trained")


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({}, set()),
        ({"articles": (3, 4)}, {"category", "publisher"}),
        ({"score": 2.0}, {"score"}),
        ({"reason": "Just in"}, {"reason"}),
        ({"age_hours": 9}, {"article_age_hours_log"}),
    ],
    ids=["the same", "other articles", "other scores", "other reasons", "older"],
)
def test_each_change_of_the_lists_moves_what_it_concerns_and_nothing_else(settings, change, moved):
    found = mix.compare_mix(settings, 3, [batch(settings.home, 0), batch(settings.home, 1, **change)])
    assert {column.column for column in found.moved} == moved
    assert {column.column for column in found.columns} == {*mix.NUMERIC, *mix.CATEGORICAL}
    assert found.about == (
        "places of v3's lists of 2025-03-09 01:00 UTC",
        "places of its first lists, of 2025-03-09 00:00 UTC",
    )


def test_a_quoted_title_does_not_make_a_reason_another(settings):
    first = batch(settings.home, 0, reason="Like “Late winner”")
    assert mix.compare_mix(settings, 3, [first, batch(settings.home, 1, reason="Like “Early loser”")]).moved == []


def test_the_first_lists_have_nothing_to_be_compared_with(settings):
    found = mix.compare_mix(settings, 3, [batch(settings.home, 0)])
    assert found.note == "the lists of v3 are compared from its second batch on."


def test_the_champions_published_batches_with_files_are_found_oldest_first(fresh_warehouse):
    home = fresh_warehouse.home
    ours, gone, other, waiting, later = (batch(home, number) for number in range(5))
    with connect(fresh_warehouse) as warehouse:
        for number, (made, version, is_published) in enumerate(
            [(ours, 3, True), (gone, 3, True), (other, 2, True), (waiting, 3, False), (later, 3, True)]
        ):
            lists = Reference(
                "lists", f"b{number}", str(made.lists), made.as_of, "", (), {"features": str(made.scored)}
            )
            warehouse.execute(
                "insert into recs.batches (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status,"
                " published_at) values (%s, %s, %s, 's', 'r', 10, 'audited', %s)",
                [f"b{number}", made.as_of, version, made.as_of if is_published else None],
            )
            for run in ("first", "cleared"):
                warehouse.execute(
                    "insert into ops.runs (run_id, stage, as_of, status, started_at, finished_at, reference)"
                    " values (%s, 'score', %s, 'done', %s, %s, %s)",
                    [f"{run} {number}", made.as_of, made.as_of, made.as_of, json.dumps(lists.to_dict())],
                )
        for version in (2, 3):
            warehouse.execute(
                "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of,"
                " run_id, mlflow_run_id) values (%s, 'd', 'm', 'f', %s, 's', %s, 'r', 'm')",
                [version, f"build of {version}", AS_OF],
            )
        (gone.lists / "lists.parquet").unlink()
        gone.lists.rmdir()
        found = mix.find_published(warehouse, 3, AS_OF + 3 * HOUR)
        assert found == [replace(ours, trained_on="build of 3")]
        assert len(mix.find_published(warehouse, 3, AS_OF + 4 * HOUR)) == 2
