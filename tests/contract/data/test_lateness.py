"""What comes late for days that were taken is noticed, told and acted on; the old version of the day stays."""

from __future__ import annotations

from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from include import pipeline
from include.adapters.warehouse import connect
from include.core.run import Run
from include.data.lateness import Lateness, compare
from include.data.snapshot import keep_snapshot, take_snapshot
from include.data.store import manifest_uri, object_path, read_manifest
from include.monitoring.trigger import ask_for_retraining
from include.validation.broken_rows import leave_out
from tests.contract.data.test_snapshot import add_events, edit
from tests.worlds import tiny

AS_OF, DAYS = tiny.AS_OF, timedelta(days=5)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MODEL = {
    "version": 1, "digest": "d", "model": "two_stage", "feature_version": "v1", "features_id": "f", "as_of": AS_OF,
    "run_id": "r", "mlflow_run_id": "m",
}  # fmt: skip


@pytest.fixture
def trained(publisher):
    """The snapshot that version 1 learnt from as of AS_OF, through a clean one."""
    raw = take_snapshot(publisher, AS_OF, DAYS)
    clean = keep_snapshot(publisher, leave_out(publisher, raw, []))
    with connect(publisher) as warehouse:
        names = ", ".join([*MODEL, "snapshot_id"])
        values = ", ".join(f"%({name})s" for name in [*MODEL, "snapshot_id"])
        warehouse.execute(f"insert into ops.models ({names}) values ({values})", {**MODEL, "snapshot_id": clean.id})
    return raw


def ask(settings, text, *values):
    with connect(settings) as warehouse:
        return warehouse.execute(text, values).fetchall()


def come_late(settings, *, happened=AS_OF - 2 * DAY, arrived=AS_OF + HOUR, count=5):
    add_events(
        settings,
        *({"event_id": 810_000 + n, "occurred_at": happened, "ingested_at": arrived} for n in range(count)),
    )


def extract_later(settings, hours=6):
    return pipeline.extract(Run(settings, "later", AS_OF + hours * HOUR, "tests"), DAYS.days)


def ask_to_retrain(settings, hours):
    """What a monitoring run without drift decides."""
    with connect(settings) as warehouse:
        return ask_for_retraining(settings, warehouse, AS_OF + hours * HOUR, 1, []).reason


def test_rows_that_came_late_are_counted_among_those_that_both_looked_at(publisher, trained):
    quiet = compare(publisher, take_snapshot(publisher, AS_OF + 6 * HOUR, DAYS), trained)
    come_late(publisher)
    come_late(publisher, happened=AS_OF + HOUR, arrived=AS_OF + HOUR, count=7)  # news of today is not late
    come_late(publisher, happened=AS_OF - DAYS, count=9)  # before the later window begins
    found = compare(publisher, take_snapshot(publisher, AS_OF + 6 * HOUR, DAYS), trained)
    assert found == Lateness(quiet.before_count, quiet.late_count + 5)
    (before,) = ask(
        publisher,
        "select count(*) from ops.snapshot_days where snapshot_id = %s and table_name = 'reading_events'",
        trained.id,
    )[0]
    assert before == 5
    assert 0 < quiet.before_count < trained.rows("reading_events")


def test_a_row_that_changed_is_a_correction_and_a_row_that_went_is_gone(publisher, trained):
    edit(publisher, "update newsroom.reading_events set position = 99 where event_id in (30000, 30001, 30002)")
    edit(publisher, "delete from newsroom.reading_events where event_id = 30003")
    found = compare(publisher, take_snapshot(publisher, AS_OF, DAYS), trained)
    assert (found.late_count, found.corrected_count, found.gone_count) == (0, 3, 4)
    assert found.before_count == trained.rows("reading_events")
    assert found.share == 3 / found.before_count


def test_nothing_differs_from_itself(publisher, trained):
    assert compare(publisher, trained, trained) == Lateness(trained.rows("reading_events"))


def test_a_correction_makes_a_version_that_names_the_one_before_and_shares_the_days_that_did_not_change(
    publisher, trained
):
    edit(publisher, "update newsroom.reading_events set position = 99 where event_id = 30000")
    second = take_snapshot(publisher, AS_OF, DAYS)
    assert (trained.replaces, second.replaces) == (None, trained.id)
    assert read_manifest(manifest_uri(publisher, second.id))["replaces"] == trained.id
    assert len(set(trained.files) - set(second.files)) == 1
    assert all(object_path(publisher, file.sha256).exists() for file in trained.files)
    assert ask(publisher, "select replaces_id from ops.snapshots where snapshot_id = %s", second.id) == [(trained.id,)]


def test_a_snapshot_that_is_taken_again_stays_as_it_was_whatever_came_between(publisher, trained):
    edit(publisher, "update newsroom.reading_events set position = position + 50 where event_id = 30000")
    assert take_snapshot(publisher, AS_OF, DAYS).id != trained.id
    edit(publisher, "update newsroom.reading_events set position = position - 50 where event_id = 30000")
    assert take_snapshot(publisher, AS_OF, DAYS) == trained


def test_a_model_leads_to_the_versions_of_the_days_it_learnt_from_in_one_query(publisher, trained):
    edit(publisher, "update newsroom.reading_events set position = 99 where event_id = 30000")
    take_snapshot(publisher, AS_OF, DAYS)
    days = ask(
        publisher,
        "select day, sha256, row_count from ops.model_days"
        " where model_version = 1 and table_name = 'reading_events' order by day",
    )
    assert [day for day, _, _ in days] == [(AS_OF - n * DAY).date().isoformat() for n in (5, 4, 3, 2, 1)]
    for _, sha256, count in days:
        assert pq.ParquetFile(object_path(publisher, sha256)).metadata.num_rows == count


def test_the_manifest_says_which_database_it_was_and_through_which_views(publisher, trained):
    before = trained.source
    assert set(before) == {"system_identifier", "database", "server_version", "views_md5"}
    assert all(before.values())
    edit(
        publisher,
        """drop view source.subscribers; create view source.subscribers as
        select * from newsroom.subscribers where reader_id > 0""",
    )
    after = take_snapshot(publisher, AS_OF + HOUR, DAYS).source
    assert {name for name in before if before[name] != after[name]} == {"views_md5"}


def test_a_few_late_rows_are_told_and_do_not_ask_for_a_retrain(publisher, trained):
    come_late(publisher)
    told = extract_later(publisher).facts["late"]
    assert told.startswith("For days v1 learnt from, ")
    assert told.endswith("a retrain needs 2 %.")
    assert ask(publisher, "select is_retrain_due, sentence from ops.late_rows") == [(False, told)]
    assert ask_to_retrain(publisher, 6) is None


def test_enough_late_rows_ask_for_a_retrain_the_way_drift_does_until_there_was_one(publisher, trained):
    settings = publisher.model_copy(update={"late_share_for_retrain": 0.0001, "drift_cooldown_hours": 2})
    come_late(settings)
    told = extract_later(settings, 2).facts["late"]
    assert told.endswith("enough for a retrain (limit 0.01 %).")
    assert ask_to_retrain(settings, 2) == told
    assert ask(settings, "select reason from ops.retrain_requests") == [(told,)]
    assert ask_to_retrain(settings, 3) is None
    assert ask_to_retrain(settings, 4) == told
    with connect(settings) as warehouse:
        warehouse.execute(AGAIN, [AS_OF + 4 * HOUR])
    assert ask_to_retrain(settings, 6) is None


AGAIN = """insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,
    mlflow_run_id)
select 2, digest, model, feature_version, features_id, snapshot_id, %s, run_id, mlflow_run_id from ops.models
"""


def test_before_the_first_training_nothing_is_late(publisher):
    assert extract_later(publisher).facts["late"] == "No version has been trained yet, so late rows do not matter."
    assert ask(publisher, "select * from ops.late_rows") == []


def test_a_snapshot_that_is_gone_cannot_be_compared_with_which_is_said(publisher, trained):
    for file in trained.files:
        object_path(publisher, file.sha256).unlink()
    come_late(publisher)
    assert extract_later(publisher).facts["late"].startswith("Late rows for v1 cannot be counted: The file ")


def test_a_day_without_events_is_reported_and_does_not_stop_the_run(publisher):
    gone = (AS_OF - 3 * DAY).date()
    edit(publisher, "delete from newsroom.reading_events where occurred_at::date = %s", gone)
    run = Run(publisher, "night", AS_OF, "tests")
    assert pipeline.extract(run, DAYS.days).facts["missing_days"] == [gone.isoformat()]
