"""Retention: what is old goes, what readers see or a person may need stays."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import timedelta

import pytest

from include.adapters.warehouse import connect
from include.judging import champion as champions
from include.lists import batch as batches
from include.operations import retention
from tests.worlds import tiny
from tests.worlds.batches import about, lists

AS_OF = tiny.AS_OF
DAY = timedelta(days=1)


@pytest.fixture
def settings(fresh_warehouse):
    return fresh_warehouse.model_copy(update={"keep_days": 14})


def write(settings, batch_id, as_of, *, live=False):
    with connect(settings) as warehouse:
        batches.write(warehouse, lists(readers=2).to_batches(), about(batch_id, as_of))
        batches.set_status(warehouse, batch_id, "audited")
        if live:
            batches.switch(warehouse, batch_id, as_of, 150)


def sweep(settings, as_of, **options):
    """How many of each kind went; none of a kind is 0."""
    return defaultdict(int, retention.sweep(settings, as_of, **options).facts)


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


def record(settings, run_id, days, stage="audit", reference=None):
    """A stage of a run, and a check that it made, so many days before AS_OF."""
    moment = AS_OF - days * DAY
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.runs (run_id, stage, as_of, status, started_at, reference)"
            " values (%s, %s, %s, 'done', %s, %s)",
            [run_id, stage, moment, moment, reference],
        )
        warehouse.execute(
            "insert into ops.checks (run_id, stage, subject, code, title, severity, outcome, sentence, checked_at)"
            " values (%s, %s, 'lists', 'PB101', 't', 'block', 'passed', 's', %s)",
            [run_id, stage, moment],
        )


def test_what_runs_did_is_remembered_for_a_season_and_of_champions_and_kept_versions_for_good(settings):
    for days in (89, 91):
        record(settings, f"recommend {days}", days)
    for number, run_id in enumerate(("of a version", "of one removed"), start=1):
        record(settings, run_id, 200, "train")
        with connect(settings) as warehouse:
            warehouse.execute(
                "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of,"
                " run_id, mlflow_run_id, removed_at) values (%s, 'd', 'm', 'v', 'f', 's', %s, %s, 'r', %s)",
                [number, AS_OF, run_id, None if number == 1 else AS_OF],
            )
    record(settings, "of a rollback", 200, "roll_back")
    with connect(settings) as warehouse:
        champions.append(warehouse, after_seq=0, version=1, from_version=None, why="w", actor="a",
                         run_id="of a rollback", snapshot_id="s")  # fmt: skip
    record(settings, "newest features", 91, "build_features", '{"id": "x-scoring-y"}')
    record(settings, "older features", 92, "build_features", '{"id": "x-scoring-z"}')

    def remembered(table):
        with connect(settings) as warehouse:
            return {run_id for (run_id,) in warehouse.execute(TABLES[table])}

    before = remembered("runs")
    told = sweep(settings, AS_OF, dry_run=True)
    assert remembered("runs") == remembered("checks") == before
    done = sweep(settings, AS_OF)
    assert [found[kind] for found in (told, done) for kind in ("records of stages", "kept checks")] == [3, 4, 3, 4]
    stay = {"recommend 89", "of a version", "of a rollback"}
    assert (remembered("checks"), remembered("runs")) == (stay, {*stay, "newest features"})


TABLES = {"runs": "select run_id from ops.runs", "checks": "select run_id from ops.checks"}


def test_old_windows_of_drift_and_refused_forms_go_but_not_those_that_the_next_window_counts_on(settings):
    with connect(settings, "postgres") as warehouse:
        warehouse.execute(
            "insert into ops.champions (seq, version, action, why, actor, run_id, snapshot_id)"
            " values (1, 2, 'promote', 'w', 'a', 'r', 's')"
        )
        for version, age in ((1, 1), (1, 91), (2, 92), (2, 93), (2, 94), (2, 95)):
            warehouse.execute(
                "insert into ops.drift (window_end, model_version, subject, method, observed, limit_is, is_drifted)"
                " select %s, %s, subject, 'm', 1, 1, true from (values ('window'), ('reads.category')) a (subject)",
                [AS_OF - age * DAY, version],
            )
        for run_id, age in (("young", 1), ("old", 91)):
            warehouse.execute("insert into ops.refused_runs values ('retrain', %s, %s)", [run_id, AS_OF - age * DAY])

    told = [sweep(settings, AS_OF, dry_run=True), sweep(settings, AS_OF)]
    assert [(one["measures of drift"], one["refused forms"]) for one in told] == [(4, 1), (4, 1)]
    with connect(settings) as warehouse:
        kept = warehouse.execute("select model_version, count(*) from ops.drift group by 1 order by 1").fetchall()
        assert kept == [(1, 2), (2, 6)]
        assert warehouse.execute("select run_id from ops.refused_runs").fetchall() == [("young",)]


@pytest.fixture
def record_of_alerts(settings):
    """Incidents by how many days ago they closed, each with a run and the first alert of its thread, 500 days old."""

    def add(warehouse, name, closed_days, *, sent=True, thread=None, raised_days=500):
        if closed_days != "none":
            warehouse.execute(
                "insert into ops.incidents (cause, subject, title, severity, trouble, thread, opened_at, last_at,"
                " closed_at) values ('c', %(name)s, 't', 'ticket', '{}', %(name)s, %(at)s, %(at)s, %(closed)s)",
                {"name": name, "at": AS_OF - 500 * DAY, "closed": closed_days and AS_OF - closed_days * DAY},
            )
            warehouse.execute(
                "insert into ops.incident_runs (incident_id, dag_id, run_id, task_id, kind, failed_at)"
                " select incident_id, 'd', 'r', 't', 'live', opened_at from ops.incidents where subject = %s",
                [name],
            )
        warehouse.execute(
            "with raised as (insert into ops.alerts (incident, severity, subject, body, thread, raised_at)"
            " values (%(name)s, 'ticket', 's', 'b', %(thread)s, %(raised)s) returning alert_id)"
            " insert into ops.deliveries (alert_id, channel, sent_at) select alert_id, 'mail', %(sent)s from raised",
            {
                "name": name,
                "thread": thread or "",
                "raised": AS_OF - raised_days * DAY,
                "sent": AS_OF - raised_days * DAY if sent else None,
            },
        )

    with connect(settings) as warehouse:
        add(warehouse, "closed long ago", 401)
        add(warehouse, "closed lately", 399)
        add(warehouse, "open", None)
        add(warehouse, "answer to open", "none", thread="open")
        add(warehouse, "digest", "none", raised_days=401)
        add(warehouse, "young digest", "none", raised_days=399)
        add(warehouse, "undelivered", "none", sent=False)
        add(warehouse, "closed, but its end waits", 401)
        add(warehouse, "end", "none", thread="closed, but its end waits", sent=False)
    return settings


def column(settings, statement):
    with connect(settings) as warehouse:
        return [value for (value,) in warehouse.execute(statement)]


def test_closed_incidents_and_sent_alerts_go_but_nothing_that_is_open_or_waits(record_of_alerts):
    settings = record_of_alerts
    told = [sweep(settings, AS_OF, dry_run=True), sweep(settings, AS_OF), sweep(settings, AS_OF)]
    assert [(one["incidents"], one["alerts"]) for one in told] == [(2, 2), (2, 2), (0, 0)]
    kept = ["closed lately", "open"]
    assert column(settings, "select subject from ops.incidents order by 1") == kept
    assert (
        column(settings, "select subject from ops.incident_runs join ops.incidents using (incident_id) order by 1")
        == kept
    )
    alerts = {
        "closed lately",
        "open",
        "answer to open",
        "young digest",
        "undelivered",
        "closed, but its end waits",
        "end",
    }
    assert set(column(settings, "select incident from ops.alerts")) == alerts
    assert set(column(settings, "select incident from ops.alerts join ops.deliveries using (alert_id)")) == alerts


def test_an_alert_that_only_a_channel_waits_for_that_is_not_set_any_more_goes(record_of_alerts):
    with connect(record_of_alerts) as warehouse:
        warehouse.execute("update ops.deliveries set channel = 'webhook' where sent_at is null")
    assert sweep(record_of_alerts, AS_OF)["alerts"] == 5
    assert not {"undelivered", "end"} & set(column(record_of_alerts, "select incident from ops.alerts"))


def test_what_was_served_stays_as_long_as_the_batches_it_names(settings):
    with connect(settings) as warehouse:
        for days in (13, 15):
            warehouse.execute("insert into recs.served values (%s, %s, 'b1')", [AS_OF - days * DAY, days])
    told = [sweep(settings, AS_OF, dry_run=True), sweep(settings, AS_OF)]
    assert [one["records of what was served"] for one in told] == [1, 1]
    assert column(settings, "select reader_id from recs.served") == [13]


def test_old_mutes_requests_and_measures_of_reading_go_but_not_what_a_rollback_compares(settings):
    with connect(settings, "postgres") as warehouse:
        warehouse.execute(
            "insert into ops.champions (seq, version, from_version, action, why, actor, run_id, snapshot_id)"
            " values (1, 2, 1, 'promote', 'w', 'a', 'r', 's'), (2, 4, 2, 'promote', 'w', 'a', 'r', 's')"
        )
        for days in (399, 401):
            moment = AS_OF - days * DAY
            warehouse.execute("insert into ops.mutes values ('c', %s, %s, 'r', 'a', %s)", [str(days), moment, moment])
            warehouse.execute(
                "insert into ops.retrain_requests (window_end, reason, requested_at) values (%s, 'r', %s)",
                [moment, moment],
            )
            for version in (1, 2, 3, 4):
                warehouse.execute("insert into ops.health values (%s, 24, %s, 'all', 1, 1, 1, 1)", [moment, version])
    kinds = ("mutes", "requests for training", "measures of reading")
    told = [sweep(settings, AS_OF, dry_run=True), sweep(settings, AS_OF)]
    assert [[one[kind] for kind in kinds] for one in told] == [[1, 1, 2], [1, 1, 2]]
    assert column(settings, "select subject from ops.mutes") == ["399"]
    assert column(settings, "select requested_at from ops.retrain_requests") == [AS_OF - 399 * DAY]
    assert sorted(column(settings, "select model_version from ops.health")) == [1, 2, 2, 3, 4, 4]


def test_old_landings_go_but_for_the_newest_that_a_run_took(settings):
    def keep(days, run):
        with connect(settings) as warehouse:
            row = [AS_OF - days * DAY, run]
            warehouse.execute("insert into ops.landings (until_at, run_id) values (%s, %s)", row)

    keep(120, "retrain/1")
    keep(91, None)
    sweep(settings, AS_OF)
    assert len(column(settings, "select until_at from ops.landings")) == 2, "no run took a newer one"
    keep(89, "retrain/2")
    sweep(settings, AS_OF)
    assert column(settings, "select until_at from ops.landings") == [AS_OF - 89 * DAY]


BOUND = {  # swept by age, with what they describe, or together with their parent
    *("runs", "checks", "health", "drift", "retrain_requests", "alerts", "deliveries", "profiles", "snapshots"),
    *("snapshot_days", "late_rows", "incidents", "incident_runs", "mutes", "refused_runs", "landings"),
}
FOR_GOOD = {  # a row per decision or artifact, or one per channel and migration
    *(
        "models",
        "verdicts",
        "champions",
        "audit",
        "holds",
        "answers",
        "tunings",
        "tuning_trials",
        "channels",
        "takedowns",
    ),
}


def test_every_table_of_the_record_has_a_bound_or_stays_for_good_on_purpose(settings):
    tables = set(column(settings, "select tablename from pg_tables where schemaname = 'ops'"))
    assert tables == BOUND | FOR_GOOD


@pytest.mark.parametrize("kind", ["features", "features/days", "lists"])
def test_old_builds_and_lists_go_and_young_ones_stay(settings, kind):
    old = aged(settings.home / kind / "20250201T000000Z-x", 15, folder=True)
    young = aged(settings.home / kind / "20250301T000000Z-x", 13, folder=True)
    sweep(settings, AS_OF)
    assert (old.exists(), young.exists()) == (False, True)


def test_the_newest_build_for_lists_stays_however_old(settings):
    older = aged(settings.home / "features" / "20250201T000000Z-scoring-x", 15, folder=True)
    newest = aged(settings.home / "features" / "20250202T000000Z-scoring-x", 15, folder=True)
    training = aged(settings.home / "features" / "20250203T000000Z-training-x", 15, folder=True)
    sweep(settings, AS_OF)
    assert [path.exists() for path in (older, newest, training)] == [False, True, False]


def test_old_reports_and_strays_go(settings):
    old = [aged(settings.home / "reports" / "drift" / "a.html", 15), aged(settings.home / "tmp" / "part-1", 2)]
    young = [aged(settings.home / "reports" / "drift" / "b.html", 13), aged(settings.home / "tmp" / "part-2", 0.5)]
    old.append(aged(settings.home / "backtests" / "steps" / "a.parquet", 15))
    young.append(aged(settings.home / "backtests" / "steps" / "b.parquet", 13))
    found = sweep(settings, AS_OF)
    assert (found["reports"], found["strays"], found["backtests"]) == (1, 1, 1)
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)


@pytest.mark.parametrize(
    ("kind", "place", "days"),
    [
        ("conditions", "validation/ab/abc.json", 14 + 5),
        ("logs", "airflow/logs/dag_id=retrain/run_id=x/task_id=train/attempt=1.log", 30),
        ("rejects", "rejects/abc.csv", 90),
    ],
)
def test_what_nobody_else_sweeps_goes_when_it_is_old(settings, kind, place, days):
    old = aged(settings.home / place, days + 1)
    young = aged(settings.home / f"{place}.log.json", days - 1)
    assert sweep(settings, AS_OF, dry_run=True)[kind] == 1
    assert old.exists()
    assert sweep(settings, AS_OF)[kind] == 1
    assert (old.exists(), young.exists()) == (False, True)


def test_folders_of_logs_in_which_nothing_is_left_go_too(settings):
    log = aged(settings.home / "airflow" / "logs" / "dag_id=retrain" / "run_id=x" / "attempt=1.log", 31)
    moment = log.stat().st_mtime
    os.utime(log.parent, (moment, moment))
    sweep(settings, AS_OF)
    os.utime(log.parent, (moment, moment)) if log.parent.exists() else None
    sweep(settings, AS_OF)
    assert not log.parent.exists()
    assert (settings.home / "airflow" / "logs").exists()


def test_cards_and_the_page_of_an_open_question_stay_however_old(settings):
    with connect(settings) as warehouse:
        warehouse.execute(
            "insert into ops.verdicts (verdict_id, as_of, run_id, challenger_version, champion_seq, decision, checks,"
            " metrics, asked_at) values ('open', %s, 'r', 1, 0, 'ask', '[]', '{}', now())",
            [AS_OF - 20 * DAY],
        )
    kept = [aged(settings.home / "reports" / name, 20) for name in ("cards/v1.md", "verdicts/open.html")]
    gone = aged(settings.home / "reports" / "verdicts" / "answered.html", 20)
    sweep(settings, AS_OF)
    assert ([path.exists() for path in kept], gone.exists()) == ([True, True], False)


def test_without_mlflow_the_rest_is_swept_and_the_report_says_so(settings):
    write(settings, "old", AS_OF - 15 * DAY)
    found = retention.sweep(settings, AS_OF)
    assert found.facts["batches"] == 1
    assert f"Versions were not checked: MLflow at {settings.mlflow_url} does not answer" in found.sentence
