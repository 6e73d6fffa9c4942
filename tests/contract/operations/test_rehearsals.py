"""The way back from a rehearsal, on a real PostgreSQL: from any state, twice, and proven by the fingerprint."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import psycopg
import pytest

from include.adapters import airflow_api, mlflow_client, mlflow_registry
from include.adapters.airflow_api import Airflow
from include.adapters.warehouse import connect, conninfo, query
from include.alerts import rehearsing
from include.alerts.outbox import Channel, deliver_pending, raise_alert
from include.alerts.rehearsing import PREFIX
from include.alerts.wording import Alert
from include.core.clock import now
from include.core.errors import FormRefused, ServiceError
from include.operations.demo import newsroom as demo
from include.operations.demo.newsroom import tables
from include.operations.demo.rehearsals import breakage, mending
from include.operations.demo.rehearsals.descriptions import REHEARSALS
from include.operations.demo.rehearsals.fingerprint import compare, look
from include.operations.demo.rehearsals.mending import mend
from include.operations.demo.rehearsals.rehearse import clean, having_the_demo
from include.operations.demo.rehearsals.stage import Stage
from tests.parts.servers import free_port


@pytest.fixture(scope="module")
def played(warehouse, tmp_path_factory):
    """A demo of one day, with nothing running beside PostgreSQL."""
    ports = {name: free_port() for name in ("airflow_port", "smtp_port", "mailbox_port", "mlflow_port")}
    settings = warehouse.model_copy(update={"home": tmp_path_factory.mktemp("rehearsals"), **ports})
    demo.play(settings, until=now(), days=1, readers=60, articles_per_day=48, say=lambda line: None)
    with connect(settings) as connection:
        for batch, run in (("before", "recommend/scheduled__1"), ("newer", f"recommend/{PREFIX}bad-data__1")):
            connection.execute(
                "insert into recs.batches (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status,"
                " readers, published_at) values (%s, now(), 17, 's', %s, 10, 'audited', 1, now())",
                [batch, run],
            )
            connection.execute(
                psycopg.sql.SQL("create table {} partition of recs.recommendations for values in ({})").format(
                    psycopg.sql.Identifier("recs", f"batch_{batch}"), psycopg.sql.Literal(batch)
                )
            )
            connection.execute("insert into recs.recommendations values (%s, 7, 1, 1, 0.5, '')", [batch])
        connection.execute("insert into recs.live (batch_id, stale_after_minutes) values ('before', 150)")
    return settings


@pytest.fixture
def newsroom(played):
    with having_the_demo(played) as connection:
        yield connection


class IdleAirflow:
    """Airflow while no run goes on."""

    def __init__(self, settings):
        pass

    def get(self, path, **parameters):
        return {"dag_runs": [], "queued_events": [], "asset_events": []}


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    monkeypatch.setattr(mending, "Airflow", IdleAirflow)


def begun(settings, challenger=None):
    mark = rehearsing.Rehearsal("bad-data", "bad data", (), now(), now(), "before", challenger)
    rehearsing.begin(settings, mark)


def others(settings, newsroom, before):
    """What is not as before."""
    return [one.name for one in compare(before, look(settings, newsroom)) if one.counts]


def everything(settings, newsroom):
    """Break all that a rehearsal may break."""
    assert breakage.break_readers(newsroom, 200, 3) == 200
    (story,) = newsroom.execute("select max(story_no) from newsroom.stories").fetchone()
    assert breakage.dispute(newsroom, story, now())
    breakage.hold_back_deliveries(newsroom)
    for role in breakage.LOGINS:
        breakage.shut_out(settings, role)
    with connect(settings) as connection:
        connection.execute("update recs.live set batch_id = 'newer'")
        connection.execute(
            "insert into quarantine.reading_events (snapshot_id, check_code, primary_key, file_sha256, row_no, reason,"
            " run_id, original) values ('s', 'EVT105', '1', 'f', 1, '', %s, '{}')",
            [f"recommend/{PREFIX}bad-data__1"],
        )
        connection.execute(
            "insert into ops.snapshots (snapshot_id, as_of, window_start, source) values ('s', now(), now(), '{}')"
            " on conflict do nothing"
        )
        connection.execute(
            "insert into ops.runs (run_id, stage, as_of, status, started_at, reference)"
            " values (%s, 'extract', now(), 'done', now(), '{\"id\": \"taken when the run was cleared\"}')"
            " on conflict (run_id, stage) do update set as_of = excluded.as_of",
            [f"retrain/{PREFIX}bad-data__1"],
        )
        connection.execute(
            "insert into ops.late_rows (snapshot_id, model_version, as_of, before_count, late_count, corrected_count,"
            " gone_count, share, limit_share, is_retrain_due, sentence)"
            " values ('s', 17, now(), 9, 0, 1, 0, 0.1, 0.02, true, 'One of nine was corrected.')"
        )


def test_everything_that_breaks_is_seen_and_mended(played, newsroom):
    before = look(played, newsroom)
    begun(played)
    everything(played, newsroom)
    with pytest.raises(ServiceError), connect(played, "daybreak_extract"):
        pass
    assert others(played, newsroom, before) == [
        *("live lists", "late rows", "quarantine", "articles", "reading", "deliveries", "shut out"),
    ]
    for _ in range(2):
        mend(played, newsroom, lambda line: None)
        assert others(played, newsroom, before) == []
    assert rehearsing.going_on(played) is None
    with connect(played, "daybreak_extract"):
        pass


def test_a_kill_before_anything_broke_and_one_in_the_middle_of_mending_are_mended(played, newsroom):
    before = look(played, newsroom)
    begun(played)
    mend(played, newsroom, lambda line: None)
    begun(played)
    everything(played, newsroom)
    breakage.let_in(played)
    breakage.mend_publisher(played, newsroom)  # and then it was killed
    assert others(played, newsroom, before) == ["live lists", "late rows", "quarantine"]
    mend(played, newsroom, lambda line: None)
    assert others(played, newsroom, before) == []


def test_what_breaks_breaks_whole_or_not_at_all(played, newsroom):
    """A second breakage finds the first one's rows kept, and is refused before it takes any."""
    before = look(played, newsroom)
    breakage.break_readers(newsroom, 50, 3)
    with pytest.raises(psycopg.errors.DuplicateTable):
        breakage.break_readers(newsroom, 50, 3)
    breakage.mend_publisher(played, newsroom)
    assert others(played, newsroom, before) == []


def test_only_the_process_that_is_meant_is_killed(played):
    """Another process that publishes at the same moment waits for the same lock."""
    publish = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute('select 1 from recs.live for update')"
    words = [sys.executable, "-c", publish, conninfo(played, "daybreak_run")]
    with breakage.holding_live_lists(played) as holder, subprocess.Popen(words) as other:
        with connect(played, autocommit=True) as connection:  # a transaction sees one state of sessions
            while not connection.execute(
                "select 1 from pg_stat_activity where %s = any(pg_blocking_pids(pid))", [holder]
            ).fetchone():
                time.sleep(0.1)
        with subprocess.Popen(["sleep", "60"]) as idle:
            assert not breakage.kill_waiting(played, holder, idle.pid)
            assert (idle.poll(), other.poll()) == (None, None)
            idle.kill()
        assert breakage.kill_waiting(played, holder, other.pid)
        assert not breakage.kill_waiting(played, holder, other.pid)
        assert other.wait() == -9


def measured(settings, run_id, minutes, words, request=None):
    """Let `monitor` have measured a window that ended so many minutes ago; return its end."""
    end = now() - timedelta(minutes=minutes)
    with connect(settings) as connection:
        connection.execute(
            "insert into ops.runs (run_id, stage, as_of, status, started_at) values (%s, 'watch', %s, 'done', %s)",
            [f"monitor/{run_id}", end, end],
        )
        connection.execute(query("monitoring/keep_drift"), drift_row(end, "window", words > 600, None))
        connection.execute(query("monitoring/keep_drift"), drift_row(end, "reads.word_count", words > 600, words))
        shown = {"window_end": end, "window_hours": 24, "model_version": 17, "slice": "all", "readers": 1}
        connection.execute(query("monitoring/keep_health"), {**shown, "impressions": 9, "reads": 1, "read_seconds": 5})
        if request:
            asked = {"window_end": end, "reason": request, "columns": ["reads.word_count"]}
            connection.execute(query("monitoring/keep_request"), asked)
    return end


def drift_row(end, subject, is_drifted, observed):
    where = {"window_end": end, "model_version": 17, "subject": subject, "name": "", "row_count": None}
    usual = None if observed is None else 510
    found = {"method": "plain", "observed": observed or 0, "limit_is": 600, "usual": usual, "is_drifted": is_drifted}
    return {**where, **found}


def learnt(settings):
    """What the next window learns from those before it."""
    end = now() + timedelta(minutes=1)
    with connect(settings) as connection:
        windows = {"window_end": end, "model_version": 17, "windows": 3}
        asked = {"window_end": end, "since": end - timedelta(days=7)}
        return (
            connection.execute(query("monitoring/last_windows"), windows).fetchall(),
            connection.execute(query("monitoring/last_requests"), asked).fetchall(),
            connection.execute("select window_end, impressions from ops.health order by 1").fetchall(),
        )


@pytest.fixture
def drifting(played):
    """A rehearsal of drift that begins after a window was measured."""
    measured(played, "scheduled__1", minutes=50, words=515)
    begun_at = now() - timedelta(minutes=40)
    mark = rehearsing.Rehearsal("drift", "drift", REHEARSALS["drift"].causes, begun_at, now(), "before", None)
    yield lambda: rehearsing.begin(played, mark)
    with connect(played) as connection:
        for statement in ("delete from ops.drift", "delete from ops.health", "delete from ops.runs"):
            connection.execute(statement)


@pytest.mark.parametrize("measured_by", [f"{PREFIX}drift__2", "scheduled__2"], ids=["its own run", "a scheduled run"])
def test_no_later_window_learns_from_one_that_was_rehearsed(played, newsroom, drifting, measured_by):
    before, then = look(played, newsroom), learnt(played)
    drifting()
    measured(played, f"{PREFIX}drift__1", minutes=30, words=1500)
    measured(played, measured_by, minutes=20, words=1500, request="Rehearsal: Drift in 2 of the last 3 windows.")
    assert others(played, newsroom, before) == ([] if measured_by == "scheduled__2" else ["windows"])
    assert learnt(played)[:2] != then[:2]
    for _ in range(2):
        mend(played, newsroom, lambda line: None)
        assert others(played, newsroom, before) == []
        assert learnt(played) == then


def test_longer_articles_are_mended_wherever_it_was_killed(played, newsroom, drifting):
    before = look(played, newsroom)
    drifting()
    (words,) = newsroom.execute("select sum(words) from newsroom.stories").fetchone()
    assert breakage.lengthen(newsroom, 3, 30) > 0
    assert newsroom.execute("select sum(words) from newsroom.stories").fetchone() == (3 * words,)
    with pytest.raises(psycopg.errors.DuplicateTable):
        breakage.lengthen(newsroom, 3, 30)
    assert others(played, newsroom, before) == ["articles"]
    breakage.mend_publisher(played, newsroom)  # and then it was killed
    assert others(played, newsroom, before) == []
    mend(played, newsroom, lambda line: None)
    assert others(played, newsroom, before) == []


def train_the_third(settings, run_id, challenger):
    """Let MLflow have three versions, of which a run has just trained the third; this one is challenger."""
    mlflow = mlflow_client.client(settings)
    trained = mlflow.create_run("0").info.run_id
    for _ in range(3):
        mlflow.create_model_version(mlflow_client.MODEL, f"runs:/{trained}/model", run_id=trained)
    mlflow.set_registered_model_alias(mlflow_client.MODEL, "challenger", str(challenger))
    with connect(settings) as connection:
        connection.execute("delete from ops.models where version = 3")
        connection.execute(
            "insert into ops.models (version, digest, model, feature_version, features_id, snapshot_id, as_of, run_id,"
            " mlflow_run_id) values (3, 'd', 'most_read', '1', 'f', 's', now(), %s, 'm')",
            [run_id],
        )


class AskedAirflow(IdleAirflow):
    """Airflow in which a window's request is queued, then started its run, which ends later."""

    states = ("queued", "running", "success")
    asked = 0

    def get(self, path, **parameters):
        found = super().get(path)
        if path == "dags/retrain/assets/queuedEvents" and not type(self).asked:
            type(self).asked = 1
            return {**found, "queued_events": [{"created_at": now().isoformat()}]}
        if path == "assets/events":
            state = self.states[min(self.asked, 2)]
            type(self).asked += 1
            run = {"dag_id": "retrain", "run_id": "asset_triggered__1", "state": state}
            real = {"extra": {"reason": "Drift in 2 windows"}, "created_dagruns": [{**run, "state": "running"}]}
            return {
                **found,
                "asset_events": [{"extra": {"reason": "Rehearsal: Drift"}, "created_dagruns": [run]}, real],
            }
        return found


def test_a_kill_between_the_request_and_its_run_is_waited_out_and_what_it_trained_is_known(
    played, newsroom, drifting, mlflow_server, own_model, monkeypatch
):
    monkeypatch.setattr(mending, "Airflow", AskedAirflow)
    monkeypatch.setattr(mending, "POLL_SECONDS", 0)
    settings = played.model_copy(update={"mlflow_port": mlflow_server.mlflow_port})
    drifting()
    train_the_third(settings, "retrain/asset_triggered__1", challenger=3)
    told = []
    mend(settings, newsroom, told.append)
    assert told == ["waiting for a request for retrain to end"]
    assert AskedAirflow.asked > 2
    assert mlflow_registry.read_alias(settings, "challenger") is None, "no version was challenger before"


def test_late_rows_that_a_scheduled_run_measured_meanwhile_stay(played, newsroom):
    before = look(played, newsroom)
    begun(played)
    with connect(played) as connection:
        connection.execute(
            "insert into ops.snapshots (snapshot_id, as_of, window_start, source) values ('real', now(), now(), '{}')"
        )
        connection.execute(
            "insert into ops.runs (run_id, stage, as_of, status, started_at, reference)"
            " values ('retrain/scheduled__3', 'extract', now(), 'done', now(), '{\"id\": \"real\"}')"
        )
        connection.execute(
            "insert into ops.late_rows (snapshot_id, model_version, as_of, before_count, late_count, corrected_count,"
            " gone_count, share, limit_share, is_retrain_due, sentence)"
            " values ('real', 17, now(), 9, 0, 2, 0, 0.2, 0.02, true, 'Two of nine were corrected.')"
        )
    mend(played, newsroom, lambda line: None)
    [late] = [one for one in compare(before, look(played, newsroom)) if one.before != one.after]
    assert (late.name, late.after, late.counts) == ("late rows", "Two of nine were corrected.", False)


@pytest.mark.parametrize(("named", "after"), [(3, 1), (2, 2)])
def test_the_challenger_of_before_is_the_challenger_again(played, newsroom, mlflow_server, own_model, named, after):
    """Version 3 is of a rehearsal; version 2, which a scheduled run trained meanwhile, stays."""
    settings = played.model_copy(update={"mlflow_port": mlflow_server.mlflow_port})
    begun(settings, challenger=1)
    train_the_third(settings, f"retrain/{PREFIX}worse-model__1", challenger=named)
    mend(settings, newsroom, lambda line: None)
    assert mlflow_registry.read_alias(settings, "challenger") == after


def test_a_rehearsal_stays_marked_while_airflow_cannot_say_whether_its_runs_have_ended(played, newsroom, monkeypatch):
    monkeypatch.setattr(mending, "Airflow", Airflow)
    monkeypatch.setattr(airflow_api, "RETRY_SECONDS", 0)
    begun(played)
    with pytest.raises(ServiceError, match="does not answer"):
        mend(played, newsroom, lambda line: None)
    assert rehearsing.going_on(played) is not None
    rehearsing.end(played)


def test_lists_that_a_scheduled_run_made_meanwhile_stay(played, newsroom):
    before = look(played, newsroom)
    begun(played)
    with connect(played) as connection:
        connection.execute("update recs.live set batch_id = 'newer'")
        connection.execute("update recs.batches set run_id = 'recommend/scheduled__2' where batch_id = 'newer'")
    mend(played, newsroom, lambda line: None)
    [lists] = [one for one in compare(before, look(played, newsroom)) if one.before != one.after]
    assert (lists.name, lists.counts) == ("live lists", False)
    assert "made meanwhile by recommend/scheduled__2" in lists.tell()
    with connect(played) as connection:
        connection.execute("update recs.live set batch_id = 'before'")
        connection.execute(
            "update recs.batches set run_id = %s where batch_id = 'newer'", [f"recommend/{PREFIX}bad-data__1"]
        )


def test_one_rehearsal_at_a_time_and_the_demo_waits(played, newsroom):
    with pytest.raises(FormRefused, match="Another rehearsal is going on"):
        clean(played, lambda line: None)
    with pytest.raises(demo.Busy, match="rehearsing on it"):
        demo.play(played, until=now() + timedelta(hours=1), say=lambda line: None)


def test_mails_are_found_when_they_were_sent_and_when_they_had_to_wait(played, newsroom, mailbox):
    def refuse(alert):
        raise ServiceError("The mail server does not answer.", hint="wait.")

    def mail(subject, channels):
        raise_alert(played, Alert(subject, "ticket", subject, "Nothing to do."))
        deliver_pending(played, channels)
        return stage.subjects(), stage.subjects(had_to_wait=True)

    stage = Stage(played, Airflow(played), newsroom, "mail-away", "mail server away", now(), lambda line: None)
    first, second = "[ticket] Rehearsal: one", "[ticket] Rehearsal: two"
    assert mail(first, {"mail": Channel(refuse)}) == ([], [first])
    assert mail(second, mailbox.channels) == ([second, first], [first])
    assert mail("[ticket] A real one", mailbox.channels) == ([second, first], [first])


def test_clean_says_what_it_mended(played):
    assert clean(played, lambda line: None) == "No rehearsal was left; nothing had to be mended."
    begun(played)
    assert clean(played, lambda line: None) == "Rehearsal “bad data” is mended."


def test_clean_removes_a_mark_that_cannot_be_read(played):
    mark = played.home / rehearsing.FILE
    mark.write_text("{")
    clean(played, lambda line: None)
    assert not mark.exists()


def test_a_publisher_that_is_not_the_demo_is_refused(played):
    own = played.with_databases(source="postgresql://reader:secret@db.example/news")
    with pytest.raises(
        FormRefused, match=r"another publisher's database \(db.example:5432/news\), and rehearsals break"
    ):
        clean(own, lambda line: None)
    with connect(played, "newsroom") as publisher:
        publisher.execute("create table loaded.log (event_id bigint)")
        publisher.execute("drop view source.reading_events")
        publisher.execute("create view source.reading_events as select * from loaded.log")
    try:
        with pytest.raises(FormRefused, match="The views show another log than the demo's"):
            clean(played, lambda line: None)
    finally:
        tables.show(played)
        with connect(played, "newsroom") as publisher:
            publisher.execute("drop table loaded.log")


def test_a_publisher_that_airflow_alone_knows_is_refused(played):
    with connect(played, "airflow") as database:
        database.execute("create table connection (conn_id text, host text, port int, login text, schema text)")
        database.execute("insert into connection values ('daybreak_source', 'db.example', 5432, 'reader', 'news')")
    try:
        with pytest.raises(FormRefused, match=r"db\.example:5432/news"):
            clean(played, lambda line: None)
    finally:
        with connect(played, "airflow") as database:
            database.execute("drop table connection")


def test_an_empty_installation_is_refused(fresh_warehouse):
    with pytest.raises(FormRefused, match="There is no demo newsroom"):
        clean(fresh_warehouse, lambda line: None)
