"""An installation in which everything has happened once, so that every figure has a value."""

from __future__ import annotations

import json
from datetime import timedelta

from include.adapters.warehouse import connect
from include.alerts import outbox
from include.alerts.wording import Alert
from include.core.clock import now
from include.core.settings import Settings
from include.operations.launcher import files

HOUR = timedelta(hours=1)


def fill(settings: Settings) -> None:
    """Let everything happen; Airflow's database has its tables."""
    moment = now()
    stage = (
        "insert into ops.runs (run_id, stage, as_of, status, started_at, finished_at, seconds, cpu_seconds, peak_mb,"
        " reference) values (%s, %s, %s, %s, %s, %s, 60, 55, 300, %s)"
    )
    usage = {"readers_shown": 30, "readers_others": 10, "reads": 200, "list_reads": 50}
    usage |= {"seconds_shown": 9000.0, "seconds_others": 2000.0}
    watched = json.dumps({"facts": {"usage": {"all": usage, "Africa": usage}}})
    facts = {"reading_events": 900, "articles": 90, "subscribers": 9, "quarantined_by": {"articles": {"Gazette": 4}}}
    validated = json.dumps({"facts": facts})
    with connect(settings, "postgres") as warehouse:
        warehouse.execute("set role daybreak_run")
        for run, name, hours, status in (
            ("retrain/scheduled__1", "validate", 5, "done"),
            ("retrain/scheduled__1", "train", 4, "done"),
            ("retrain/manual__1", "extract", 1, "done"),
            ("recommend/scheduled__1", "score", 2, "failed"),
            ("cli/recommend/1", "publish", 1, "done"),
        ):
            at = moment - hours * HOUR
            warehouse.execute(stage, [run, name, at, status, at, at + timedelta(minutes=1), validated])
        window = ["monitor/scheduled__1", "watch", moment, "done", moment - HOUR, moment]
        warehouse.execute(stage, [*window, watched])
        warehouse.execute("update ops.runs set mode = 'data' where run_id = 'retrain/manual__1'")
        warehouse.execute(
            "insert into recs.batches (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status,"
            " readers, published_at) values ('b', %s, 3, 's', 'r', 10, 'audited', 3000, %s)",
            [moment - HOUR, moment],
        )
        warehouse.execute("insert into recs.live (batch_id, stale_after_minutes) values ('b', 150)")
        warehouse.execute(
            "insert into ops.checks (run_id, stage, subject, code, title, severity, outcome, observed, sentence)"
            " values ('r', 'audit', 'lists', 'PB102', 't', 'block', 'passed', 2999, 's')"
        )
        warehouse.execute(
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id) values (3, 'd', 'm', 'f', 'f', 's', %s, 'r', 'm')",
            [moment - 48 * HOUR],
        )
        warehouse.execute(
            "insert into ops.champions (seq, version, action, why, actor, run_id, snapshot_id, at)"
            " values (1, 3, 'promote', 'w', 'a', 'r', 's', %s)",
            [moment - 24 * HOUR],
        )
        warehouse.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_version, champion_seq,"
            " decision, checks, metrics, of_record_at, asked_at) values ('v', %s, 'r', 4, 3, 1, 'keep', '[]', '{}', %s,"
            " %s)",
            [moment, moment, moment],
        )
        warehouse.execute(
            "insert into ops.drift (window_end, model_version, subject, method, observed, limit_is, is_drifted, usual)"
            " values (%(at)s, 3, 'reads.word_count', 'plain', 1200, 480, true, 412),"
            " (%(at)s, 3, 'window', 'columns that moved', 1, 0, true, null)",
            {"at": moment},
        )
        warehouse.execute(
            "insert into ops.health (window_end, window_hours, model_version, slice, readers, impressions, reads,"
            " read_seconds) values (%s, 24, 3, 'all', 10, 200, 20, 900)",
            [moment],
        )
        warehouse.execute("insert into ops.channels values ('mail', %s, %s, null)", [moment, moment])
    with connect(settings, "airflow") as database:
        database.execute(
            "insert into job (job_type, state, latest_heartbeat) values ('SchedulerJob', 'running', %s)", [moment]
        )
    outbox.raise_alert(settings, Alert("retrain/1", "ticket", "[ticket] one", "Body.\n"), raised_at=moment - HOUR)
    (settings.home / files.SENTINEL_BEAT).touch()
    (settings.home / "models").mkdir(exist_ok=True)
