"""Feast's join is real: a value counts from its moment until it is stale, and the newest one wins."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.adapters.feast_store import seal
from include.core.contract import MOMENT
from include.core.errors import ArtifactDamaged
from include.features.scenes import open_scenes
from tests.worlds import tiny

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
THEN = tiny.AS_OF - 12 * HOUR
PLANTED = 424_242
VIEWS = {
    "reader_activity": ("reader_id", "readers", "impression_count"),
    "article_stats": ("article_id", "articles", "impression_count_1d"),
}


@pytest.fixture(params=VIEWS)
def view(request):
    return request.param


@pytest.fixture
def build(training_build, tmp_path):
    """A function that gives the scenes of the build after a change to the rows of one view."""

    def changed(view, change):
        folder = tmp_path / "build"
        shutil.copytree(training_build, folder, ignore=shutil.ignore_patterns("registry.db"))
        rows = pq.read_table(folder / view)
        shutil.rmtree(folder / view)
        (folder / view).mkdir()
        pq.write_table(change(rows), folder / view / "all.parquet")
        seal(folder, folder, 3 * HOUR)
        return open_scenes(folder)

    return changed


def at(moment):
    return pc.field("event_timestamp") == pa.scalar(moment, MOMENT)


def moved(rows, by, view):
    """The rows of THEN at another time and with a value that no row has."""
    rows = rows.filter(at(THEN))
    place = rows.column_names.index("event_timestamp")
    rows = rows.set_column(place, "event_timestamp", pa.repeat(pa.scalar(THEN + by, MOMENT), rows.num_rows))
    name = VIEWS[view][2]
    return rows.set_column(
        rows.column_names.index(name), name, pa.repeat(pa.scalar(PLANTED, pa.int64()), rows.num_rows)
    )


def answers(scenes, view):
    """What a model is told, by entity, of the moment THEN."""
    key, table, name = VIEWS[view]
    rows = getattr(scenes, table).filter(pc.field("list_at") == pa.scalar(THEN, MOMENT)).to_pylist()
    assert len(rows) > 20
    return {row[key]: row[name] for row in rows}


def come(training_build):
    """When the readers of the moment THEN came, and all of the next moment, by reader."""
    requests = pq.read_table(training_build / "requests").filter(pc.field("list_at") == pa.scalar(THEN, MOMENT))
    return dict(zip(requests.column("reader_id").to_pylist(), requests.column("asked_at").to_pylist(), strict=True))


def test_readers_are_asked_for_when_they_came(training_build):
    asked = come(training_build)
    assert len(set(asked.values())) > 20
    assert all(THEN <= moment < THEN + 3 * HOUR for moment in asked.values())
    assert not all(moment == THEN for moment in asked.values())


def test_the_values_are_those_of_the_list_time(training_build, view):
    key, _, name = VIEWS[view]
    told = {row[key]: row[name] for row in pq.read_table(training_build / view).filter(at(THEN)).to_pylist()}
    assert answers(open_scenes(training_build), view) == told


def test_a_value_of_later_does_not_get_in(training_build, build, view):
    """Of the end of the step, when all readers had come."""
    before = answers(open_scenes(training_build), view)
    later = max(come(training_build).values()) - THEN + SECOND
    assert later < 3 * HOUR
    after = answers(build(view, lambda rows: pa.concat_tables([rows, moved(rows, later, view)])), view)
    assert after == before


def test_the_newest_value_before_the_asking_wins(training_build, build, view):
    """Readers who came after the planted value get it, the others do not."""
    asked = come(training_build)
    middle = sorted(asked.values())[len(asked) // 2] - THEN
    found = answers(build(view, lambda rows: pa.concat_tables([rows, moved(rows, middle, view)])), view)
    got = {key for key, value in found.items() if value == PLANTED}
    if view == "reader_activity":
        assert got == {reader for reader, moment in asked.items() if moment >= THEN + middle}
        assert 0 < len(got) < len(found)
    else:
        assert got == set()  # articles are asked for as soon as the first reader comes


def test_a_value_of_the_step_before_is_stale(build):
    """The reader's own row of the moment is gone; the one of three hours ago does not stand in for it."""
    gone, view = 7, "reader_activity"
    found = answers(build(view, lambda rows: _without(rows, [gone])), view)
    assert found[gone] is None
    assert sum(value is None for value in found.values()) == 1


def _without(rows, readers):
    """The rows without those of THEN of these readers, of whom rows of the step before are there."""
    step_before = rows.filter(at(THEN)).filter(pc.field("reader_id").isin(readers))
    place = rows.column_names.index("event_timestamp")
    earlier = pa.repeat(pa.scalar(THEN - 3 * HOUR, MOMENT), step_before.num_rows)
    return pa.concat_tables(
        [
            rows.filter(~(at(THEN) & pc.field("reader_id").isin(readers))),
            step_before.set_column(place, "event_timestamp", earlier),
        ]
    )


def test_a_build_with_many_stale_values_is_refused(build):
    with pytest.raises(ArtifactDamaged, match=r"Feast has no fresh readers_v3 for [0-9,]+ of [0-9,]+ rows"):
        build("reader_activity", _older)


def _older(rows):
    """Every row as of a month before."""
    place = rows.column_names.index("event_timestamp")
    times = pc.subtract(rows.column("event_timestamp"), pa.scalar(720 * HOUR, pa.duration("us")))
    return rows.set_column(place, "event_timestamp", times)
