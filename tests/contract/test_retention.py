"""Retention: what is old goes, what readers see or a person may need stays."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from include import batch as batches
from include.adapters.warehouse import connect
from include.retention import sweep
from tests import worlds
from tests.contract.test_batch import about, lists

AS_OF = worlds.AS_OF
DAY = timedelta(days=1)


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse.model_copy(update={"keep_days": 14})


def write(settings, batch_id, as_of, *, live=False):
    with connect(settings) as warehouse:
        batches.write(warehouse, lists(readers=2), about(batch_id, as_of))
        batches.set_status(warehouse, batch_id, "audited")
        if live:
            batches.switch(warehouse, batch_id, as_of, 150)


def held(settings):
    with connect(settings) as warehouse:
        return [b for (b,) in warehouse.execute("select distinct batch_id from recs.recommendations order by 1")]


def aged(path, days, *, folder=False):
    """A file or folder that was last changed so many days before AS_OF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if folder else path.write_text("x")
    moment = (AS_OF - days * DAY).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_old_batches_go_and_young_ones_stay(settings):
    write(settings, "old", AS_OF - 15 * DAY)
    write(settings, "young", AS_OF - 13 * DAY)
    assert sweep(settings, AS_OF)["batches"] == 1
    assert held(settings) == ["young"]


def test_the_live_batch_stays_however_old(settings):
    write(settings, "live", AS_OF - 100 * DAY, live=True)
    assert sweep(settings, AS_OF)["batches"] == 0
    assert held(settings) == ["live"]


def test_that_a_batch_was_there_is_remembered(settings):
    write(settings, "old", AS_OF - 15 * DAY)
    sweep(settings, AS_OF)
    with connect(settings) as warehouse:
        assert warehouse.execute("select batch_id, row_count from recs.batches").fetchall() == [("old", 20)]


def test_figures_are_kept_as_long_as_charts_and_history_want_them(settings):
    with connect(settings) as warehouse:
        for days in (89, 90, 91):
            values = [AS_OF - days * DAY]
            warehouse.execute("insert into ops.profiles values (%s, 'articles', '', 'rows', 1, 's')", values)
    assert sweep(settings, AS_OF)["figures"] == 1


@pytest.mark.parametrize("kind", ["features", "lists"])
def test_old_builds_and_lists_go_and_young_ones_stay(settings, kind):
    old = aged(settings.home / kind / "20250201T000000Z-x", 15, folder=True)
    young = aged(settings.home / kind / "20250301T000000Z-x", 13, folder=True)
    sweep(settings, AS_OF)
    assert (old.exists(), young.exists()) == (False, True)


def test_the_build_that_is_served_stays_however_old(settings):
    served = aged(settings.home / "features" / "20250201T000000Z-x", 15, folder=True)
    (settings.home / "features" / "latest").symlink_to(served)
    sweep(settings, AS_OF)
    assert served.exists()


def test_old_reports_and_strays_go(settings):
    old = [aged(settings.home / "reports" / "drift" / "a.html", 15), aged(settings.home / "tmp" / "part-1", 2)]
    young = [aged(settings.home / "reports" / "drift" / "b.html", 13), aged(settings.home / "tmp" / "part-2", 0.5)]
    old.append(aged(settings.home / "backtests" / "steps" / "a.parquet", 15))
    young.append(aged(settings.home / "backtests" / "steps" / "b.parquet", 13))
    found = sweep(settings, AS_OF)
    assert (found["reports"], found["strays"], found["backtests"]) == (1, 1, 1)
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)


def test_snapshots_and_models_are_not_touched(settings):
    kept = [aged(settings.home / "snapshots" / "20250101T000000Z-x" / "manifest.json", 60)]
    kept.append(aged(settings.home / "models" / "digest" / "two_stage.skops", 60))
    sweep(settings, AS_OF)
    assert all(path.exists() for path in kept)


def test_days_without_a_verdict_are_named_since_the_first_one(settings):
    with connect(settings) as warehouse:
        for days in (4, 2, 0):
            warehouse.execute(
                "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_seq, decision,"
                " checks, metrics) values (%s, %s, 'r', 1, 0, 'keep', '[]', '{}')",
                [str(days), AS_OF - days * DAY],
            )
    assert sweep(settings, AS_OF)["gaps"] == ["2025-03-06", "2025-03-08"]


def test_before_the_first_verdict_no_day_is_missing(settings):
    assert sweep(settings, AS_OF)["gaps"] == []
