"""Incidents on a real PostgreSQL and a real SMTP server: one cause is one thread of mails, and nothing is lost."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.warehouse import connect
from include.alerts import outbox, reporting, waiting_room
from include.alerts.incidents import Success, open_incidents
from include.alerts.wording import Alert, Failure
from include.core.clock import now

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
FAILURE = Failure(
    dag_id="retrain", run_id="manual__1", run_type="manual", task_id="validate", tries=1, fact="Bad rows."
)
DAMAGE = Failure(
    dag_id="recommend",
    run_id="scheduled__04",
    run_type="scheduled",
    as_of=MONDAY,
    task_id="score",
    kind="ArtifactDamaged",
    fact="The files of version 3 have changed.",
    about="v3",
)
LATE = replace(DAMAGE, kind="AuditFailed", about="", task_id="audit", fact="12 lists are short.")


def damage(dag_id, hour, **more):
    """The same cause, met by the run of an hour."""
    run = {"dag_id": dag_id, "run_id": f"scheduled__{hour:02}", "as_of": MONDAY + timedelta(hours=hour)}
    return replace(DAMAGE, **run, **more)


def success(dag_id, hour, *, is_past=False, run_id=None):
    return Success(dag_id, run_id or f"scheduled__{hour:02}", MONDAY + timedelta(hours=hour), is_past)


def publish(settings, age, at=None):
    """Make lists live that are this old."""
    at = at or now()
    with connect(settings) as connection:
        connection.execute(
            "insert into recs.batches"
            " (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status, readers, published_at)"
            " values ('b-' || %s::text, %s, 17, 's', 'r', 10, 'audited', 3000, %s)",
            [at, at - age, at],
        )
        connection.execute(
            "insert into recs.live (batch_id, stale_after_minutes) values ('b-' || %s::text, 150)"
            " on conflict (only_row) do update set batch_id = excluded.batch_id",
            [at],
        )


def rows(settings):
    with connect(settings) as connection:
        return connection.execute(
            "select incident, sent_at is not null, attempts, last_error"
            " from ops.alerts join ops.deliveries using (alert_id) order by alert_id, channel"
        ).fetchall()


def all_open(settings):
    """The open incidents."""
    with connect(settings) as connection:
        return open_incidents(connection)


def only(settings):
    """The only open incident."""
    (found,) = all_open(settings)
    return found


def earlier(settings, age):
    """Move everything that happened into the past."""
    moved = {"opened_at", "last_at", "recovered_at", "closed_at"}
    with connect(settings) as connection:
        sets = ", ".join(f"{column} = {column} - %(age)s" for column in sorted(moved))
        connection.execute(f"update ops.incidents set {sets}", {"age": age})
        connection.execute("update ops.incident_runs set failed_at = failed_at - %s", [age])


def test_one_cause_met_by_three_dags_all_night_is_one_page_and_one_recovery(settings, mailbox):
    publish(settings, timedelta(minutes=10))
    for hour in range(6):
        for dag_id in ("recommend", "monitor"):
            assert reporting.report(settings, damage(dag_id, hour), mailbox.channels)
    assert reporting.report(settings, damage("retrain", 3), mailbox.channels)
    reporting.review(settings, mailbox.channels)
    assert mailbox.subjects == ["[page] v3: recommend failed at score: The files of version 3 have changed."]
    assert only(settings).stopped == {"monitor": 6, "recommend": 6, "retrain": 1}

    reporting.report_success(settings, success("monitor", 6), mailbox.channels)
    reporting.report_success(settings, success("recommend", 6), mailbox.channels)
    page, recovery = mailbox.mails
    assert recovery["Subject"] == "[recovered] v3: recommend failed at score: The files of version 3 have changed."
    assert recovery["References"] == recovery["In-Reply-To"] == page["Message-ID"]
    text = recovery.get_body(("plain",)).get_content()
    assert "13 failed runs (monitor 6, recommend 6, retrain 1)" in text
    assert "Lists up to 10 min old; they count as stale after 150 min." in text
    with connect(settings) as connection:
        assert open_incidents(connection) == []


def test_the_first_report_of_a_run_wins(settings, mailbox):
    assert reporting.report(settings, FAILURE, mailbox.channels)
    killed = Failure(dag_id="retrain", run_id="manual__1", is_of_run=True)
    assert not reporting.report(settings, killed, mailbox.channels)
    assert mailbox.subjects == ["[ticket] retrain failed at validate: Bad rows."]
    assert only(settings).runs == 1


def test_a_run_whose_task_could_not_report_opens_an_incident_itself(settings, mailbox):
    killed = replace(LATE, kind="", task_id="score", fact="", is_of_run=True)
    assert reporting.report(settings, killed, mailbox.channels)
    assert only(settings).cause == "killed"


def test_a_run_that_was_cleared_and_failed_again_counts_once(settings, mailbox):
    for _ in range(3):
        reporting.report(settings, DAMAGE, mailbox.channels)
    assert (only(settings).runs, len(mailbox.mails)) == (1, 1)


def test_a_refused_form_is_no_incident_when_the_run_reports_it(settings, mailbox):
    reporting.refuse(settings, "rollback", "manual__1")
    refused = Failure(dag_id="rollback", run_id="manual__1", run_type="manual", is_of_run=True)
    assert not reporting.report(settings, refused, mailbox.channels)
    assert mailbox.mails == []


def test_a_ticket_becomes_a_page_when_the_next_run_fails_too(settings, mailbox):
    publish(settings, timedelta(minutes=10))
    reporting.report(settings, LATE, mailbox.channels)
    reporting.report(settings, replace(LATE, run_id="scheduled__05"), mailbox.channels)
    reporting.report(settings, replace(LATE, run_id="scheduled__06"), mailbox.channels)
    ticket, page = mailbox.mails
    assert (ticket["Subject"][:8], page["Subject"][:6]) == ("[ticket]", "[page]")
    assert page["References"] == ticket["Message-ID"]
    assert "2 failed runs (recommend 2)" in page.get_body(("plain",)).get_content()


def test_two_runs_in_a_row_are_a_page_whatever_stopped_each(settings, mailbox):
    publish(settings, timedelta(minutes=10))
    reporting.report(settings, LATE, mailbox.channels)
    reporting.report(
        settings, replace(LATE, run_id="scheduled__05", kind="ServiceError", about="MLflow"), mailbox.channels
    )
    assert [subject.partition(" failed")[0] for subject in mailbox.subjects] == [
        "[ticket] recommend",
        "[page] MLflow: recommend",
    ]


def test_a_ticket_becomes_a_page_when_lists_grow_stale_though_nothing_runs(settings, mailbox):
    publish(settings, timedelta(minutes=160))
    reporting.report(settings, replace(LATE, dag_id="monitor"), mailbox.channels)
    publish(settings, timedelta(minutes=10))
    reporting.report(settings, LATE, mailbox.channels)
    reporting.review(settings, mailbox.channels)
    assert [subject[:8] for subject in mailbox.subjects] == ["[ticket]", "[ticket]"]
    publish(settings, timedelta(minutes=160))
    reporting.review(settings, mailbox.channels)
    assert mailbox.subjects[2:] == ["[page] recommend failed at audit: 12 lists are short."]


def test_one_that_comes_and_goes_says_so_once_and_ends_when_it_is_quiet(settings, mailbox):
    for hour in range(0, 8, 2):
        reporting.report(settings, damage("monitor", hour), mailbox.channels)
        reporting.report_success(settings, success("monitor", hour + 1), mailbox.channels)
        reporting.review(settings, mailbox.channels)
    assert [subject.partition("]")[0] for subject in mailbox.subjects] == ["[ticket", "[recovered", "[ticket"]
    assert only(settings).is_quiet
    earlier(settings, timedelta(minutes=settings.incident_quiet_minutes))
    reporting.review(settings, mailbox.channels)
    assert mailbox.subjects[3].startswith("[recovered] v3")
    assert "came back 1 time" in mailbox.mails[3].get_body(("plain",)).get_content()
    assert len({mail["References"] for mail in mailbox.mails[1:]}) == 1


def test_one_that_came_back_is_over_although_every_hour_succeeds_after_it(settings, mailbox):
    publish(settings, timedelta(minutes=10))
    reporting.report(settings, damage("recommend", 0), mailbox.channels)
    reporting.report_success(settings, success("recommend", 1), mailbox.channels)
    reporting.report(settings, damage("recommend", 2), mailbox.channels)
    for hour in range(3, 7):
        reporting.report_success(settings, success("recommend", hour), mailbox.channels)
        earlier(settings, timedelta(hours=1))
        reporting.review(settings, mailbox.channels)
    assert [subject.split("]")[0] for subject in mailbox.subjects] == ["[page", "[recovered", "[page", "[recovered"]
    with connect(settings) as connection:
        assert open_incidents(connection) == []


def test_the_same_cause_after_a_quiet_time_is_another_incident(settings, mailbox):
    reporting.report(settings, damage("monitor", 0), mailbox.channels)
    reporting.report_success(settings, success("monitor", 1), mailbox.channels)
    earlier(settings, timedelta(minutes=settings.incident_quiet_minutes + 1))
    reporting.report(settings, damage("monitor", 9), mailbox.channels)
    assert "References" not in mailbox.mails[2]


def test_a_success_as_of_an_earlier_moment_ends_nothing(settings, mailbox):
    reporting.report(settings, damage("recommend", 5), mailbox.channels)
    reporting.report_success(settings, success("recommend", 4), mailbox.channels)
    reporting.report_success(settings, success("recommend", 9, is_past=True), mailbox.channels)
    assert only(settings).closed_at is None
    reporting.report_success(settings, success("recommend", 5), mailbox.channels)
    assert len(mailbox.mails) == 2


def test_a_past_day_has_an_incident_of_its_own_that_only_its_own_run_ends(settings, mailbox):
    past = damage("retrain", 3, is_past=True, run_type="backfill")
    reporting.report(settings, past, mailbox.channels)
    reporting.report_success(settings, success("retrain", 9), mailbox.channels)
    reporting.report_success(settings, success("retrain", 9, is_past=True), mailbox.channels)
    assert only(settings).subject == "v3 (past days)"
    reporting.report_success(settings, success("retrain", 3, is_past=True), mailbox.channels)
    assert mailbox.subjects[1].startswith("[recovered] v3 (past days)")


def test_past_days_are_over_when_the_last_of_them_works(settings, mailbox):
    for hour in (0, 24, 48):
        reporting.report(settings, damage("retrain", hour, is_past=True, run_type="backfill"), mailbox.channels)
    for hour in (24, 0):
        reporting.report_success(settings, success("retrain", hour, is_past=True), mailbox.channels)
        assert only(settings).closed_at is None
    reporting.report_success(settings, success("retrain", 48, is_past=True), mailbox.channels)
    assert [subject.split("]")[0] for subject in mailbox.subjects] == ["[ticket", "[recovered"]


def test_a_run_that_its_mode_ended_early_ends_its_own_failure_and_no_other(settings, mailbox):
    early = replace(success("retrain", 9), ended_early=True)
    reporting.report(settings, damage("retrain", 3), mailbox.channels)
    reporting.report_success(settings, early, mailbox.channels)
    reporting.report(settings, damage("retrain", 9), mailbox.channels)
    reporting.report_success(settings, early, mailbox.channels)
    assert only(settings).closed_at is None, "the run of three o'clock has not been repeated"
    reporting.report_success(settings, success("retrain", 10), mailbox.channels)
    reporting.report(settings, damage("retrain", 9, about="v4"), mailbox.channels)
    reporting.report_success(settings, early, mailbox.channels)
    assert [subject[:11] for subject in mailbox.subjects] == [
        "[ticket] v3",
        "[recovered]",
        "[ticket] v4",
        "[recovered]",
    ]


def test_two_processes_that_meet_the_same_cause_at_once_open_one_incident(settings, mailbox):
    ready = threading.Barrier(6, timeout=20)

    def fail(hour):
        ready.wait()
        reporting.report(settings, damage("recommend", hour), mailbox.channels)

    reporters = [threading.Thread(target=fail, args=[hour]) for hour in range(6)]
    for thread in reporters:
        thread.start()
    for thread in reporters:
        thread.join(30)
    assert (only(settings).runs, len(mailbox.mails)) == (6, 1)


class Killed(BaseException):
    """What no handler of errors catches, as nothing catches kill -9."""


def die(*given):
    raise Killed


@pytest.mark.parametrize("place", ["keep_alert", "save"])
def test_a_process_that_dies_before_its_transaction_ends_leaves_nothing_half_told(
    settings, mailbox, monkeypatch, place
):
    with monkeypatch.context() as patch:
        patch.setattr(reporting, place, die)
        with pytest.raises(Killed):
            reporting.report(settings, DAMAGE, mailbox.channels)
    with connect(settings) as connection:
        assert open_incidents(connection) == []
    assert rows(settings) == []
    reporting.report(settings, DAMAGE, mailbox.channels)
    assert len(mailbox.mails) == 1


def test_a_broken_mail_server_raises_nothing_and_loses_no_part_of_the_thread(settings, mailbox):
    mailbox.stop()
    publish(settings, timedelta(minutes=10))
    assert reporting.report(settings, LATE, mailbox.channels)
    assert reporting.report(settings, replace(LATE, run_id="scheduled__05"), mailbox.channels)
    reporting.report_success(settings, replace(success("recommend", 6)), mailbox.channels)
    mailbox.start()
    assert reporting.review(settings, mailbox.channels) == (3, 0)
    assert [subject.partition("]")[0] for subject in mailbox.subjects] == ["[ticket", "[page", "[recovered"]


def test_the_mail_says_what_readers_see(settings, mailbox):
    publish(settings, timedelta(hours=3))
    reporting.report(settings, FAILURE, mailbox.channels)
    text = mailbox.mails[0].get_body(("plain",)).get_content()
    assert ", champion v17, 3 h old, STALE, for 3,000 readers" in " ".join(text.split())


def test_without_a_warehouse_the_mail_goes_out_all_the_same_and_once(settings, no_warehouse, mailbox):
    for hour in (4, 5):
        assert reporting.report(no_warehouse, damage("recommend", hour), mailbox.channels)
        assert not reporting.report(no_warehouse, damage("recommend", hour, is_of_run=True), mailbox.channels)
    (mail,) = mailbox.mails
    assert "Unknown: the warehouse does not answer" in mail.get_body(("plain",)).get_content()

    assert reporting.review(settings, mailbox.channels) == (0, 0)
    assert not reporting.report(settings, damage("recommend", 5, is_of_run=True), mailbox.channels)
    assert rows(settings) == [(only(settings).thread, True, 0, None)]
    assert only(settings).stopped == {"recommend": 2}
    assert not list(waiting_room.waiting_room(settings).iterdir())
    reporting.report_success(settings, success("recommend", 6), mailbox.channels)
    assert mailbox.mails[1]["References"] == mail["Message-ID"]


def test_without_a_warehouse_a_ticket_can_become_a_page(settings, no_warehouse, mailbox):
    reporting.report(no_warehouse, damage("monitor", 4), mailbox.channels)
    reporting.report(no_warehouse, damage("recommend", 4), mailbox.channels)
    ticket, page = mailbox.mails
    assert (page["Subject"][:6], page["References"]) == ("[page]", ticket["Message-ID"])
    assert reporting.review(settings, mailbox.channels) == (0, 0)
    assert len(rows(settings)) == 2


def test_without_warehouse_and_mail_server_the_alert_waits_in_the_state_folder(settings, no_warehouse, mailbox):
    mailbox.stop()
    assert reporting.report(no_warehouse, DAMAGE, mailbox.channels)
    mailbox.start()
    assert reporting.review(settings, mailbox.channels) == (1, 0)
    assert mailbox.subjects == ["[page] v3: recommend failed at score: The files of version 3 have changed."]


def test_a_success_counts_for_a_failure_that_still_waits_as_a_file(settings, no_warehouse, mailbox):
    publish(settings, timedelta(minutes=10))
    reporting.report(no_warehouse, damage("recommend", 4), mailbox.channels)
    reporting.report_success(settings, success("recommend", 5), mailbox.channels)
    assert [subject.split("]")[0] for subject in mailbox.subjects] == ["[page", "[recovered"]


def test_a_file_that_outlived_its_incident_does_not_open_it_again(settings, no_warehouse, mailbox, monkeypatch):
    publish(settings, timedelta(minutes=10))
    reporting.report(no_warehouse, damage("recommend", 4), mailbox.channels)
    with monkeypatch.context() as killed:
        killed.setattr(waiting_room.Kept, "forget", lambda kept: None)
        reporting.report_success(settings, success("recommend", 5), mailbox.channels)
    reporting.review(settings, mailbox.channels)
    assert [subject.split("]")[0] for subject in mailbox.subjects] == ["[page", "[recovered"]
    assert list(waiting_room.kept(settings)) == []


def test_reports_at_once_without_a_warehouse_lose_no_file_and_raise_nothing(no_warehouse, mailbox):
    def meet(number):
        for hour in range(10):
            failure = damage("monitor", 10 * number + hour, about=f"v{number % 2}")
            reporting.report(no_warehouse, failure, {"mail": outbox.Channel(lambda alert: None)})

    threads = [threading.Thread(target=meet, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = [path.suffix for path in waiting_room.waiting_room(no_warehouse).iterdir()]
    assert files == [".json"] * 40
    assert len(list(waiting_room.kept(no_warehouse))) == 40


def test_a_mail_that_the_release_before_kept_as_a_file_is_sent(settings, mailbox):
    room = waiting_room.waiting_room(settings)
    room.mkdir()
    mail = {"incident": "recommend/x", "severity": "page", "subject": "[page] of before", "body": "b\n"}
    (room / "old.json").write_text(json.dumps({"alert": mail, "raised_at": now().isoformat(), "sent_at": None}))
    reporting.review(settings, mailbox.channels)
    assert (mailbox.subjects, list(room.iterdir())) == (["[page] of before"], [])


def test_a_failure_that_the_release_before_channels_kept_as_a_file_joins_its_incident(settings, no_warehouse, mailbox):
    mailbox.stop()
    reporting.report(no_warehouse, DAMAGE, mailbox.channels)
    (file,) = waiting_room.waiting_room(settings).iterdir()
    content = json.loads(file.read_text())
    del content["sent"], content["refused"], content["trouble"]["rehearsal"]
    del content["alert"]["facts"], content["alert"]["only"]
    file.write_text(json.dumps(content | {"sent_at": None}))
    mailbox.start()
    reporting.review(settings, mailbox.channels)
    with connect(settings) as connection:
        assert len(open_incidents(connection)) == len(mailbox.mails) == 1
    assert list(file.parent.iterdir()) == []


def test_a_failure_that_was_moved_into_the_warehouse_twice_is_told_once(settings, no_warehouse, mailbox):
    """As after kill -9 between the transaction and the removal of the file."""
    reporting.report(no_warehouse, DAMAGE, mailbox.channels)
    (file,) = waiting_room.waiting_room(settings).iterdir()
    content = file.read_text()
    reporting.review(settings, mailbox.channels)
    reporting.report_success(settings, success("recommend", 6), mailbox.channels)
    file.write_text(content)
    reporting.review(settings, mailbox.channels)
    assert len(mailbox.mails) == 2
    with connect(settings) as connection:
        assert open_incidents(connection) == []


def test_a_warehouse_that_is_broken_in_another_way_costs_no_alert(settings, mailbox, monkeypatch):
    monkeypatch.setattr(reporting, "query", lambda name: "select * from ops.not_there")
    assert reporting.report(settings, FAILURE, mailbox.channels)
    assert len(mailbox.mails) == 1


def test_a_kept_alert_that_was_cut_short_is_set_aside_and_stops_nothing(settings, mailbox):
    room = waiting_room.waiting_room(settings)
    room.mkdir()
    (room / "half.json").write_text('{"alert": {"incident"')
    outbox.raise_alert(settings, Alert("ask/1", "ticket", "[ticket] one", "Body.\n"))
    assert reporting.review(settings, mailbox.channels) == (1, 0)
    assert [file.name for file in room.iterdir()] == ["half.damaged"]


def test_a_state_folder_that_cannot_be_written_keeps_no_mail_from_going_out(no_warehouse, mailbox, monkeypatch):
    monkeypatch.setattr(waiting_room, "waiting_room", lambda settings: settings.home / "file" / "alerts")
    (no_warehouse.home / "file").write_text("in the way")
    assert reporting.report(no_warehouse, FAILURE, mailbox.channels)
    assert len(mailbox.mails) == 1


def test_a_kept_alert_holds_what_was_known(no_warehouse, mailbox):
    reporting.report(no_warehouse, DAMAGE, mailbox.channels)
    (file,) = waiting_room.waiting_room(no_warehouse).iterdir()
    content = json.loads(file.read_text())
    assert content["run"]["run_id"] == "scheduled__04"
    assert content["sent"]["mail"] >= content["run"]["failed_at"]
    assert waiting_room.Kept.read(file).run.as_of == MONDAY


def test_the_roles_that_only_read_cannot_touch_the_incidents(settings):
    for role in ("daybreak_extract", "daybreak_api"):
        with pytest.raises(Exception, match="permission denied"), connect(settings, role, "warehouse") as reader:
            reader.execute("select * from ops.incidents")


def test_the_success_of_another_dag_ends_the_incident_and_says_no_more(settings, mailbox):
    away = {"kind": "ServiceError", "about": "MLflow"}
    for dag_id in ("monitor", "retrain"):
        reporting.report(settings, damage(dag_id, 3, **away), mailbox.channels)
    reporting.report_success(settings, success("monitor", 4), mailbox.channels)
    text = mailbox.mails[1].get_body(("plain",)).get_content()
    assert "a run of monitor succeeded. It had also stopped retrain; whether that works again is not known yet." in text


def test_the_success_of_another_dag_does_not_make_failures_in_a_row_begin_anew(settings, mailbox):
    publish(settings, timedelta(minutes=10))
    away = {"kind": "ServiceError", "about": "MLflow"}
    for night in (1, 2, 3):
        for dag_id in ("monitor", "retrain"):
            reporting.report(settings, damage(dag_id, night, **away), mailbox.channels)
        if night < 3:
            reporting.report_success(settings, success("monitor", night + 1), mailbox.channels)
            earlier(settings, timedelta(days=1))
    assert only(settings).severity == "page", "retrain failed for the third night in a row"


def test_a_success_of_its_own_makes_failures_in_a_row_begin_anew(settings, mailbox):
    publish(settings, timedelta(minutes=10))
    for night in (1, 2, 3, 4):
        reporting.report(settings, damage("retrain", night, about=f"v{night}"), mailbox.channels)
        if night == 2:
            reporting.report_success(settings, success("retrain", night), mailbox.channels)
        earlier(settings, timedelta(days=1))
    assert {incident.severity for incident in all_open(settings)} == {"ticket"}
