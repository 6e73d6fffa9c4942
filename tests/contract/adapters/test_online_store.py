"""The online store in a real PostgreSQL: it serves what the newest build holds, however often it is filled."""

from __future__ import annotations

from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from include.adapters import feast_store
from include.adapters.warehouse import connect
from include.features.build import compute_features
from include.features.scenes import VERSION
from tests.worlds import tiny

AS_OF = tiny.AS_OF
EARLIER = AS_OF - timedelta(hours=12)
READERS = [{"reader_id": reader} for reader in (*range(1, tiny.READERS + 1), *tiny.COLD_READERS)]


@pytest.fixture(scope="module")
def settings(warehouse, tmp_path_factory):
    settings = warehouse.model_copy(update={"home": tmp_path_factory.mktemp("online")})
    feast_store.apply_shared(settings)
    return settings


def build(settings, as_of, name, world=None):
    world = tiny.known_at(world or tiny.tiny(), as_of, days=2)
    folder = settings.home / "features" / name
    compute_features(settings, tiny.store(settings, world, as_of, days=2), "scoring", folder, folder)
    return folder


@pytest.fixture(scope="module")
def newest(settings):
    return build(settings, AS_OF, "20250309T000000Z-scoring-bbbb")


@pytest.fixture(scope="module")
def older(settings):
    return build(settings, EARLIER, "20250308T120000Z-scoring-aaaa")


@pytest.fixture
def served(settings, newest):
    """The installation while it serves the newest build."""
    feast_store.serve_build(settings, newest, AS_OF)
    return settings


def online(settings, service, entities):
    key = next(iter(entities[0]))
    return {row[key]: row for row in feast_store.read_online(settings, service, entities).to_pylist()}


def offline(build, *views):
    """The values of a build's files, by entity; what a view does not know is None."""
    found, names = {}, set()
    for view in views:
        for row in pq.read_table(build / view).to_pylist():
            values = {name: value for name, value in row.items() if name not in ("event_timestamp", "created")}
            names |= values.keys()
            found.setdefault(next(iter(values.values())), {}).update(values)
    return {entity: dict.fromkeys(names) | values for entity, values in found.items()}


def test_the_online_store_serves_every_reader_as_the_build_has_it(served, newest):
    expected = offline(newest, "reader_activity", "reader_taste")
    found = online(served, f"readers_{VERSION}", READERS)
    assert found.keys() == expected.keys()
    for reader, values in expected.items():
        assert found[reader] == values


def test_the_online_store_serves_every_live_article_as_the_build_has_it(served, newest):
    expected = offline(newest, "article_stats")
    assert online(served, f"articles_{VERSION}", [{"article_id": article} for article in expected]) == expected


def test_an_entity_that_nobody_knows_has_no_values(served):
    (row,) = online(served, f"readers_{VERSION}", [{"reader_id": 999_999}]).values()
    assert (row.pop("reader_id"), set(row.values())) == (999_999, {None})


def counted(settings):
    with connect(settings, "feast", "feast") as feast:
        tables = feast.execute("select tablename from pg_tables where schemaname = 'online' order by 1").fetchall()
        return [
            (
                table,
                feast.execute(
                    f"select count(*), count(distinct (entity_key, feature_name)) from online.{table}"
                ).fetchone(),
            )
            for (table,) in tables
        ]


def test_serving_a_build_again_changes_nothing(served, newest):
    before = counted(served), online(served, f"readers_{VERSION}", READERS)
    feast_store.serve_build(served, newest, AS_OF)
    assert (counted(served), online(served, f"readers_{VERSION}", READERS)) == before
    assert all(rows == distinct for _, (rows, distinct) in counted(served))


def test_an_older_build_does_not_replace_a_newer_one(served, older):
    before = online(served, f"readers_{VERSION}", READERS)
    feast_store.serve_build(served, older, EARLIER)
    assert online(served, f"readers_{VERSION}", READERS) == before
    assert (served.home / "features" / "latest").resolve().name.startswith("20250309")


def test_a_newer_build_replaces_an_older_one(settings, older, newest):
    (settings.home / "features" / "latest").unlink(missing_ok=True)
    feast_store.serve_build(settings, older, EARLIER)
    before = online(settings, f"readers_{VERSION}", READERS)
    feast_store.serve_build(settings, newest, AS_OF)
    assert online(settings, f"readers_{VERSION}", READERS) != before


@pytest.mark.parametrize("name", ["20250309T000000Z-scoring-aaaa", "20250309T000000Z-scoring-cccc"])
def test_a_corrected_build_of_the_same_moment_replaces_the_first(served, name):
    """Whatever its name ends in, for that is a digest."""
    corrected = build(served, AS_OF, name, tiny.tiny(seed=int(name[-4:], 16)))
    feast_store.serve_build(served, corrected, AS_OF)
    found = online(served, f"readers_{VERSION}", READERS)
    expected = offline(corrected, "reader_activity", "reader_taste")
    assert {r: v["impression_count"] for r, v in found.items()} == {
        r: v["impression_count"] for r, v in expected.items()
    }
    assert {r: v["read_seconds"] for r, v in found.items()} == {r: v["read_seconds"] for r, v in expected.items()}
