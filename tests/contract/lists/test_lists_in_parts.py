"""Lists are made for so many readers at once, so that memory does not grow with all of them: the same lists."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.adapters import duck
from include.core.contract import MOMENT
from include.features.scenes import open_scenes, open_scenes_in_parts
from include.lists import scoring
from include.lists.arrange import ListLimits, make_lists
from include.models import model_class
from include.models.kinds.queries import run
from include.models.kinds.two_stage import REASONS
from tests.worlds import tiny

AT_ONCE = 64


@pytest.fixture(scope="module")
def build(serverless, known_world):
    return tiny.build(serverless, known_world, "scoring")


def test_the_parts_of_a_build_hold_every_request_and_the_reads_of_those_who_ask(build):
    whole, parts = open_scenes(build), list(open_scenes_in_parts(build, AT_ONCE))
    assert len(parts) > 2
    assert {part.requests.num_rows for part in parts[:-1]} == {AT_ONCE}
    for name in ("requests", "readers", "reads", "shown"):
        rows = pa.concat_tables([getattr(part, name) for part in parts])
        assert rows.num_rows > len(parts)
        assert rows.to_pylist() == getattr(whole, name).to_pylist(), name
    for part in parts:
        asking = pc.unique(part.requests.column("reader_id"))
        assert pc.all(pc.is_in(part.reads.column("reader_id"), asking)).as_py()
        assert part.all_reads.equals(whole.all_reads)
        assert part.articles is parts[0].articles
        assert part.catalogue is parts[0].catalogue


@pytest.mark.parametrize("name", ["co_reading", "most_read_in_favourites"])
def test_lists_that_are_made_in_parts_are_those_that_are_made_at_once(serverless, build, name, monkeypatch, tmp_path):
    monkeypatch.setattr(scoring, "READERS_AT_ONCE", AT_ONCE)
    model, scenes = model_class(name)(), open_scenes(build)
    readers = scoring.list_all(serverless, build, model, tmp_path / "lists.parquet")
    expected = make_lists(ListLimits.of(serverless), model, scenes, pq.read_table(build / "articles"))
    assert readers == scenes.requests.num_rows
    assert pq.read_table(tmp_path / "lists.parquet").equals(expected)


def test_reasons_are_found_in_little_memory_however_many_articles_are_live():
    """1,500 requests by 90,000 live articles would be 135 million rows."""
    requests, live, depth, history = 1_500, 90_000, 40, 15
    random = np.random.default_rng(3)

    def at(hours, count):
        return pa.repeat(pa.scalar(tiny.AS_OF - timedelta(hours=hours), MOMENT), count)

    pairs = {
        "reader_id": np.repeat(np.arange(requests), depth),
        "article_id": random.integers(0, live, requests * depth),
    }
    seen = dict.fromkeys(
        ("score", "co_read_strongest", "category_share", "read_count_6h", "age_hours"), np.ones(60_000)
    )
    read = np.repeat(np.arange(requests), history)
    tables = {
        "ranked": pa.table(
            pairs | {"list_at": at(0, 60_000), "rank": np.tile(np.arange(1, depth + 1), requests)} | seen
        ),
        "reads": pa.table(
            {
                "reader_id": read,
                "article_id": random.integers(0, live, len(read)),
                **dict.fromkeys(("read_at", "known_at"), at(3, len(read))),
            }
        ),
        "articles": pa.table(
            {
                "list_at": at(0, live),
                "article_id": np.arange(live),
                **dict.fromkeys(("title", "category"), pa.repeat("news", live)),
            }
        ),
        "co_reads": pa.table(
            {"list_at": at(0, 1), "article_id": [1], "other_id": [2], "weight": pa.array([0.5], pa.float32())}
        ),
    }
    with duck.connect() as connection:
        for statement in ("set memory_limit = '300MB'", "set temp_directory = ''"):
            connection.execute(statement)
        for name, table in tables.items():
            connection.register(name, table)
        assert run(connection, "reasons", **REASONS).num_rows == requests * depth
