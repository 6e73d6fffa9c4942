"""Retention of snapshots: those that nothing refers to go, with the day files, answers and rows that only they held."""

from __future__ import annotations

import os
from datetime import timedelta

import pyarrow as pa
import pytest

from include.adapters.warehouse import connect
from include.core.contract import TABLES
from include.core.errors import ArtifactDamaged
from include.data.day_files import store_by_day
from include.data.snapshot import Snapshot, find_snapshot, keep_snapshot, verify_files
from include.lists import batch as batches
from include.operations import retention
from include.operations.retention import snapshots
from include.operations.retention.items import drop
from tests.worlds import tiny
from tests.worlds.batches import about, lists

AS_OF = tiny.AS_OF
DAY = timedelta(days=1)
READERS = TABLES[0]


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse.model_copy(update={"keep_days": 14})


def take(settings, days, readers, parent=None):
    """A snapshot of so many days ago, last used then, with a file per reader."""
    files = []
    for reader in readers:
        row = {"reader_id": reader, "region": "Africa", "plan": "full", "signed_up_at": AS_OF, "interests": []}
        rows = pa.Table.from_pylist([row], READERS.columns)
        files += store_by_day(settings, READERS, rows.to_batches())
    moment = AS_OF - days * DAY
    kept = keep_snapshot(settings, Snapshot(moment, moment - DAY, tuple(files), parent))
    with connect(settings) as warehouse:
        warehouse.execute("update ops.snapshots set used_at = %s where snapshot_id = %s", [moment, kept.id])
    for path in (settings.home / "snapshots").rglob("*"):
        os.utime(path, ((AS_OF - 2 * DAY).timestamp(),) * 2)
    return kept


def registered(settings, version, snapshot_id):
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id) values (%s, 'd', 'most_read', 'v2', 'f', %s, %s, 'r', 'm')",
            [version, snapshot_id, AS_OF - 60 * DAY],
        )


def whole(settings, *kept):
    for one in kept:
        verify_files(settings, find_snapshot(settings, one.id))


def reasons(swept):
    return {item.name: (item.is_kept, item.why) for item in swept.items if item.kind == "snapshots"}


def objects(settings):
    return sorted(path.stem for path in (settings.home / "snapshots" / "objects").rglob("*.parquet"))


def known(settings):
    with connect(settings) as warehouse:
        return {name for (name,) in warehouse.execute("select snapshot_id from ops.snapshots")}


def test_what_nothing_refers_to_goes_and_what_something_does_stays_whole(settings):
    old = take(settings, 40, [1, 2])
    raw = take(settings, 30, [2, 3, 4])
    clean = take(settings, 30, [3, 4], parent=raw.id)
    listed, young = take(settings, 20, [5]), take(settings, 13, [6])
    registered(settings, 1, clean.id)
    with connect(settings) as warehouse:
        batch = {**about("held", AS_OF - 3 * DAY), "snapshot_id": listed.id}
        batches.write(warehouse, lists(readers=2).to_batches(), batch)
        warehouse.execute(
            "insert into quarantine.subscribers (snapshot_id, check_code, file_sha256, row_no, reason, run_id,"
            " original) select s, 'SUB101', 'f', 1, '', 'r', '{}' from unnest(%s::text[]) s",
            [[old.id, raw.id]],
        )
    plan = retention.sweep(settings, AS_OF, dry_run=True)
    assert len(objects(settings)) == 6
    done = retention.sweep(settings, AS_OF)
    assert reasons(plan) == reasons(done)
    assert reasons(done) == {
        old.id: (False, "last used 2025-01-28, nothing refers to it"),
        raw.id: (True, f"its clean version {clean.id} is kept"),
        clean.id: (True, "v1 learnt from it"),
        listed.id: (True, "lists made from it are kept"),
        young.id: (True, "younger than 14 days"),
    }
    whole(settings, raw, clean, listed, young)
    assert len(objects(settings)) == 5  # reader 1's was held by the old one alone, reader 2's by another, too
    assert known(settings) == {raw.id, clean.id, listed.id, young.id}
    assert not (settings.home / "snapshots" / old.id).exists()
    with connect(settings) as warehouse:
        left = warehouse.execute("select snapshot_id from quarantine.subscribers").fetchall()
    assert left == [(raw.id,)]


def test_a_snapshot_that_a_run_has_just_met_again_stays(settings):
    old = take(settings, 40, [1])
    keep_snapshot(settings, old)
    retention.sweep(settings, AS_OF)
    whole(settings, old)


def test_a_day_file_that_was_just_written_or_met_again_stays(settings):
    old = take(settings, 40, [1])
    rows = pa.Table.from_pylist(
        [{"reader_id": 1, "region": "Africa", "plan": "full", "signed_up_at": AS_OF, "interests": []}], READERS.columns
    )
    list(store_by_day(settings, READERS, rows.to_batches()))  # a snapshot in the making: no manifest yet
    assert retention.sweep(settings, AS_OF).facts.get("day files", 0) == 0
    assert objects(settings) == [old.files[0].sha256]


def test_what_a_dry_replay_left_goes(settings):
    young = take(settings, 3, [1])
    row = {"reader_id": 9, "region": "Africa", "plan": "full", "signed_up_at": AS_OF, "interests": []}
    (left,) = store_by_day(settings, READERS, pa.Table.from_pylist([row], READERS.columns).to_batches())
    for path in (settings.home / "snapshots").rglob("*"):
        os.utime(path, ((AS_OF - 2 * DAY).timestamp(),) * 2)
    assert retention.sweep(settings, AS_OF).facts["day files"] == 1
    assert left.sha256 not in objects(settings)
    whole(settings, young)


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_kill_in_the_middle_is_made_good_by_the_next_sweep(settings, monkeypatch, done):
    old, young = take(settings, 40, [1, 2]), take(settings, 3, [2, 3])

    class Killed(BaseException):
        pass

    left = [done]

    def killed(path, dry_run):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return drop(path, dry_run)

    monkeypatch.setattr(snapshots, "drop", killed)
    if done < 2:  # two things go: the folder of the snapshot, and the file of reader 1
        with pytest.raises(Killed):
            retention.sweep(settings, AS_OF)
        whole(settings, young)
        assert old.id in known(settings)
    monkeypatch.undo()
    retention.sweep(settings, AS_OF)
    assert known(settings) == {young.id}
    assert len(objects(settings)) == 2
    whole(settings, young)
    with pytest.raises(ArtifactDamaged):
        find_snapshot(settings, old.id)


def test_a_folder_that_the_warehouse_does_not_know_goes_when_it_is_old(settings):
    lost = take(settings, 40, [1])
    with connect(settings) as warehouse:
        warehouse.execute("delete from ops.snapshot_days")
        warehouse.execute("delete from ops.snapshots")
    manifest = settings.home / "snapshots" / lost.id / "manifest.json"
    retention.sweep(settings, AS_OF)
    whole(settings, lost)  # it was changed two days ago
    os.utime(manifest, ((AS_OF - 15 * DAY).timestamp(),) * 2)
    retention.sweep(settings, AS_OF)
    retention.sweep(settings, AS_OF)
    assert (manifest.exists(), objects(settings)) == (False, [])
