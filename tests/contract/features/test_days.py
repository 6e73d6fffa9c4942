"""Days of features: found when they would come out the same, computed when not, whole whatever happens."""

from __future__ import annotations

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from include.core.contract import MOMENT
from include.data.store import digest_file
from include.features import build as builds
from include.features import days
from include.features.build import compute_features
from include.features.days import OF_DAY, known_as
from tests.worlds import tiny

AS_OF, DAY = tiny.AS_OF, timedelta(days=1)
TABLES = [known_as(query) for query in OF_DAY]
READ_IN = AS_OF - timedelta(hours=60)  # on the first of the three days


@pytest.fixture(scope="module")
def prompt():
    """The tiny world without late rows: what a night knew of a day, the next night knows."""
    world = tiny.tiny()
    events = world["reading_events"]
    place = events.column_names.index("ingested_at")
    known_at = pc.add(events.column("occurred_at"), pa.scalar(timedelta(minutes=1), pa.duration("us")))
    return {**world, "reading_events": events.set_column(place, "ingested_at", known_at.cast(MOMENT))}


@pytest.fixture
def settings(serverless, tmp_path):
    return serverless.model_copy(update={"home": tmp_path})


def night(settings, world, as_of=AS_OF, name="", kept=None):
    """The build of a night, with what a snapshot of the window holds."""
    taken = tiny.store(settings, tiny.known_at(world, as_of, settings.window_days), as_of, settings.window_days)
    folder = settings.home / "builds" / f"{as_of:%d}{name}-{len(list(settings.home.glob('builds/*')))}"
    compute_features(settings, taken, "training", folder, folder, kept)
    return folder


def found(caplog):
    """How many days of the last build were found."""
    *_, last = (record for record in caplog.records if record.name == builds.__name__)
    return last.args[0]


@pytest.fixture(autouse=True)
def told(caplog):
    caplog.set_level("INFO", logger=builds.__name__)


def contents(build):
    return {f"{table}/{path.name}": digest_file(path) for table in TABLES for path in sorted((build / table).iterdir())}


def kept(settings):
    return sorted((settings.home / "features" / "days").iterdir())


def test_a_night_pays_for_its_new_day(settings, prompt, caplog):
    last_night = night(settings, prompt, AS_OF - DAY)
    assert found(caplog) == 0
    tonight = night(settings, prompt)
    assert (found(caplog), len(kept(settings))) == (2, 4)
    anew = night(settings, prompt, name="-anew", kept=settings.home / "nothing kept")
    assert found(caplog) == 0
    assert contents(tonight) == contents(anew)
    assert len(contents(tonight)) == 3 * len(TABLES)
    same = {name for name, digest in contents(last_night).items() if contents(tonight).get(name) == digest}
    assert len(same) == 2 * len(TABLES)


def test_a_late_event_is_paid_for_by_the_days_that_see_it(settings, prompt, caplog):
    """Of the two days in common, the first sees its own day and the two before it, the second this one, too."""
    night(settings, prompt, AS_OF - DAY)
    second = AS_OF - 2 * DAY
    rows = prompt["reading_events"].filter(pc.field("occurred_at") > pa.scalar(second, MOMENT)).slice(0, 1).to_pylist()
    late = tiny.changed(prompt, "reading_events", [{**rows[0], "event_id": 999_999}])
    night(settings, late)
    assert found(caplog) == 1


def change(world, table, column, value, where):
    """The world with another value in the rows that `where` names."""
    rows = world[table]
    place = rows.column_names.index(column)
    asked = pc.is_in(rows.column(0 if table != "reading_events" else 1), pa.array(where, pa.int64()))
    values = pc.if_else(asked, pa.scalar(value, rows.schema.field(column).type), rows.column(column))
    return {**world, table: rows.set_column(place, rows.schema.field(column), values)}


def an_article_read_lately(world):
    read = world["reading_events"].filter(pc.field("kind") == "read")
    between = (pc.field("occurred_at") > pa.scalar(READ_IN, MOMENT)) & (
        pc.field("occurred_at") < pa.scalar(AS_OF, MOMENT)
    )
    return read.filter(between).column("article_id")[0].as_py()


def test_what_a_day_does_not_see_costs_nothing(settings, prompt, caplog):
    """A reader's plan is of no day, a title of no feature, and a new reader has not been there."""
    night(settings, prompt)
    other = change(prompt, "subscribers", "plan", "gold", list(range(1, 50)))
    other = change(other, "articles", "title", "another title", [an_article_read_lately(prompt)])
    newcomer = {**prompt["subscribers"].to_pylist()[0], "reader_id": 5000, "signed_up_at": AS_OF - DAY}
    build = night(settings, tiny.changed(other, "subscribers", [newcomer]))
    assert found(caplog) == 3
    profiles = pq.read_table(build / "reader_profile").to_pylist()
    assert {row["plan"] for row in profiles if row["reader_id"] == 7} == {"gold"}


@pytest.mark.parametrize("what", ["category", "reader", "query", "step"])
def test_what_a_day_sees_makes_another_day(settings, prompt, caplog, monkeypatch, what):
    night(settings, prompt)
    if what == "category":
        prompt = change(prompt, "articles", "category", "chess", [an_article_read_lately(prompt)])
    if what == "reader":
        prompt = {**prompt, "subscribers": prompt["subscribers"].filter(pc.field("reader_id") != 7)}
    if what == "query":
        real = days.duck.query
        monkeypatch.setattr(days.duck, "query", lambda name: real(name) + "\n" * (name == "features/reader_taste"))
    if what == "step":
        settings = settings.model_copy(update={"list_step_hours": 6})
    night(settings, prompt)
    assert found(caplog) < 3


def test_training_sees_as_far_back_as_scoring(settings):
    """A moment of training cannot look back further than the window has days before the first one."""
    assert builds.find_lookback_days(settings) == 2
    default = type(settings)(home=settings.home)
    assert builds.find_lookback_days(default) == default.window_days - default.train_days - 1
    assert builds.find_lookback_days(default.model_copy(update={"window_days": 40})) == default.lookback_days
    assert builds.find_lookback_days(default.model_copy(update={"window_days": 2})) == 1


def test_a_build_holds_its_days_when_the_kept_ones_are_gone(settings, prompt):
    build = night(settings, prompt)
    assert all((build / name).stat().st_nlink == 2 for name in contents(build))
    before = contents(build)
    shutil.rmtree(settings.home / "features" / "days")
    assert contents(build) == before


def test_on_another_file_system_a_build_holds_copies(settings, prompt, monkeypatch):
    linked = contents(night(settings, prompt))

    def refuse(self, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    copied = night(settings, prompt)
    assert contents(copied) == linked
    assert {(copied / name).stat().st_nlink for name in linked} == {1}


def test_a_day_of_which_a_file_is_missing_is_computed_again(settings, prompt, caplog):
    whole = contents(night(settings, prompt))
    (kept(settings)[1] / "outcomes.parquet").unlink()
    assert contents(night(settings, prompt)) == whole
    assert found(caplog) == 2
    assert contents(night(settings, prompt)) == whole
    assert found(caplog) == 3


def test_a_run_that_dies_while_it_writes_leaves_no_half_day(settings, prompt, caplog, monkeypatch):
    real, written = days.write_table, []

    def die(path, *rest):
        written.append(path)
        if path.name == "outcomes.parquet" and len(written) > 12:
            raise KeyboardInterrupt
        return real(path, *rest)

    monkeypatch.setattr(days, "write_table", die)
    with pytest.raises(KeyboardInterrupt):
        night(settings, prompt)
    monkeypatch.undo()
    caplog.set_level("INFO", logger=builds.__name__)
    assert len(kept(settings)) == 2
    assert len(contents(night(settings, prompt))) == 3 * len(TABLES)
    assert found(caplog) == 2


def test_two_runs_at_once_get_the_same(settings, prompt):
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda name: contents(night(settings, prompt, name=name)), ("-one", "-two"))
    assert first == second
    assert len(kept(settings)) == 3


def test_a_found_day_counts_as_used(settings, prompt):
    night(settings, prompt)
    for path in kept(settings):
        os.utime(path, (0, 0))
    night(settings, prompt)
    assert all(path.stat().st_mtime > 0 for path in kept(settings))
