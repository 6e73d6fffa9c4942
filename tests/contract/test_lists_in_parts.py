"""Lists are made for so many readers at once, so that memory does not grow with all of them: the same lists."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include import scoring
from include.features import open_scenes, open_scenes_in_parts
from include.lists import make_lists
from include.models import model_class
from tests import worlds

AT_ONCE = 64


@pytest.fixture(scope="module")
def build(serverless, known_world):
    return worlds.build(serverless, known_world, "scoring")


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
    expected = make_lists(serverless, model, scenes, pq.read_table(build / "articles"))
    assert readers == scenes.requests.num_rows
    assert pq.read_table(tmp_path / "lists.parquet").equals(expected)
