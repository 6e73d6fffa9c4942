"""The outbox on a real PostgreSQL and a real SMTP server: nothing is lost, nothing is mailed twice, nothing breaks."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from datetime import UTC, datetime

import pytest
from aiosmtpd.controller import Controller

from include.adapters import smtp
from include.adapters.warehouse import connect
from include.alerts import outbox
from include.alerts.wording import Alert, Failure
from include.core.errors import ServiceError

FAILURE = Failure(
    dag_id="retrain", run_id="manual__1", run_type="manual", task_id="validate", tries=1, fact="Bad rows."
)


def an_alert(number=1):
    return Alert(f"retrain/run-{number}", "page", f"[page] number {number}", f"Body of number {number}: é, 10 %.\n")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mailbox:
    """A mail server that can be switched on, off, and made to refuse."""

    def __init__(self):
        self.port = free_port()
        self.refuses = ""
        self.controller = None
        self._mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.refuses and self.refuses.encode() in envelope.content:
            return "554 5.6.0 not this one"
        self._mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def send(self, alert):
        server = smtp.MailServer("127.0.0.1", self.port, "daybreak@localhost", timeout_seconds=5)
        smtp.send(server, "oncall@localhost", alert.subject, alert.body, incident=alert.incident)

    @property
    def mails(self):
        return [mail for _, mail in self._mails]

    @property
    def subjects(self):
        return [mail["Subject"] for mail in self.mails]

    @property
    def recipients(self):
        return [to for to, _ in self._mails]


@pytest.fixture
def mailbox():
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture
def settings(warehouse, tmp_path):
    """Settings with an empty outbox and an empty state folder."""
    with connect(warehouse) as connection:
        connection.execute("delete from ops.alerts")
    return warehouse.model_copy(update={"home": tmp_path})


@pytest.fixture
def no_warehouse(settings):
    """The same installation while its database does not answer."""
    return settings.model_copy(update={"postgres_port": free_port()})


def rows(settings):
    with connect(settings) as connection:
        return connection.execute(
            "select incident, sent_at is not null, attempts, last_error from ops.alerts order by alert_id"
        ).fetchall()


def test_an_alert_is_mailed_as_it_was_written_and_marked(settings, mailbox):
    assert outbox.raise_alert(settings, an_alert())
    assert outbox.deliver_pending(settings, mailbox.send) == (1, 0)
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == ("[page] number 1", "daybreak@localhost", "oncall@localhost")
    assert mail.get_content().replace("\r\n", "\n") == an_alert().body
    assert rows(settings) == [("retrain/run-1", True, 1, None)]


def test_the_same_incident_is_one_row_and_one_mail(settings, mailbox):
    assert outbox.raise_alert(settings, an_alert())
    assert not outbox.raise_alert(settings, an_alert())
    outbox.deliver_pending(settings, mailbox.send)
    assert not outbox.raise_alert(settings, an_alert())
    assert outbox.deliver_pending(settings, mailbox.send) == (0, 0)
    assert len(mailbox.mails) == 1


def test_the_first_report_of_a_run_wins(settings, mailbox):
    assert outbox.report(settings, FAILURE, mailbox.send)
    assert not outbox.report(settings, Failure(dag_id="retrain", run_id="manual__1"), mailbox.send)
    assert mailbox.subjects == ["[ticket] retrain failed at validate: Bad rows."]


def test_a_broken_mail_server_raises_nothing_and_loses_nothing(settings, mailbox):
    mailbox.stop()
    assert outbox.report(settings, FAILURE, mailbox.send)
    assert outbox.deliver_pending(settings, mailbox.send) == (0, 1)
    ((incident, is_sent, attempts, error),) = rows(settings)
    assert (incident, is_sent, attempts) == ("retrain/manual__1", False, 2)
    assert f"127.0.0.1:{mailbox.port}" in error

    mailbox.start()
    assert outbox.deliver_pending(settings, mailbox.send) == (1, 0)
    assert rows(settings) == [("retrain/manual__1", True, 3, None)]
    assert len(mailbox.mails) == 1


def test_one_mail_that_is_refused_does_not_hold_up_the_others(settings, mailbox):
    mailbox.refuses = "number 1"
    for number in (1, 2, 3):
        outbox.raise_alert(settings, an_alert(number))
    assert outbox.deliver_pending(settings, mailbox.send) == (0, 3)
    assert outbox.deliver_pending(settings, mailbox.send) == (2, 1)
    assert mailbox.subjects == ["[page] number 2", "[page] number 3"]


def test_two_deliverers_at_once_mail_different_alerts(settings):
    for number in (1, 2):
        outbox.raise_alert(settings, an_alert(number))
    both_are_sending = threading.Barrier(2, timeout=20)
    sent = []

    def send(alert):
        both_are_sending.wait()
        sent.append(alert.incident)

    deliverers = [threading.Thread(target=outbox.deliver_pending, args=(settings, send)) for _ in range(2)]
    for thread in deliverers:
        thread.start()
    for thread in deliverers:
        thread.join(30)
    assert sorted(sent) == ["retrain/run-1", "retrain/run-2"]
    assert [row[1:3] for row in rows(settings)] == [(True, 1), (True, 1)]


def test_an_alert_that_somebody_is_mailing_is_left_to_them(settings):
    outbox.raise_alert(settings, an_alert())

    def send_while_another_tries(alert):
        assert outbox.deliver_pending(settings, lambda _: pytest.fail("mailed twice")) == (0, 1)

    assert outbox.deliver_pending(settings, send_while_another_tries) == (1, 0)


def test_a_deliverer_that_dies_while_mailing_leaves_the_alert_waiting(settings):
    outbox.raise_alert(settings, an_alert())

    def die(alert):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.deliver_pending(settings, die)
    assert rows(settings) == [("retrain/run-1", False, 0, None)]


def test_the_mail_says_what_readers_see(settings, mailbox):
    with connect(settings) as connection:
        connection.execute(
            "insert into recs.batches"
            " (batch_id, as_of, model_version, snapshot_id, run_id, list_length, status, readers)"
            " values ('b-17', %s, 17, 's', 'r', 10, 'audited', 3000)",
            [datetime(2026, 11, 20, 4, 10, tzinfo=UTC)],
        )
        connection.execute("insert into recs.live (batch_id, stale_after_minutes) values ('b-17', 150)")
    outbox.report(settings, FAILURE, mailbox.send)
    (mail,) = mailbox.mails
    assert "Lists of 2026-11-20 04:10 UTC, champion v17, " in mail.get_content()
    assert "for 3,000 readers (batch b-17)" in mail.get_content()


def test_without_a_warehouse_the_mail_goes_out_all_the_same_and_once(settings, no_warehouse, mailbox):
    assert outbox.report(no_warehouse, FAILURE, mailbox.send)
    assert not outbox.report(no_warehouse, FAILURE, mailbox.send)
    (mail,) = mailbox.mails
    assert "Unknown: the warehouse does not answer" in mail.get_content()

    assert not outbox.report(settings, FAILURE, mailbox.send), "the run's own report comes when the warehouse is back"
    assert rows(settings) == [("retrain/manual__1", True, 0, None)]
    assert len(mailbox.mails) == 1
    assert not list(outbox.waiting_room(settings).iterdir())


def test_without_warehouse_and_mail_server_the_alert_waits_in_the_state_folder(settings, no_warehouse, mailbox):
    mailbox.stop()
    assert outbox.report(no_warehouse, FAILURE, mailbox.send)
    mailbox.start()
    assert outbox.deliver_pending(settings, mailbox.send) == (1, 0)
    assert mailbox.subjects == ["[page] retrain failed at validate: Bad rows."]


def test_a_warehouse_that_is_broken_in_another_way_costs_no_alert(settings, mailbox, monkeypatch):
    monkeypatch.setattr(outbox, "query", lambda name: "select * from ops.not_there")
    assert outbox.report(settings, FAILURE, mailbox.send)
    assert len(mailbox.mails) == 1


def test_a_kept_alert_that_was_cut_short_is_set_aside_and_stops_nothing(settings, mailbox):
    room = outbox.waiting_room(settings)
    room.mkdir()
    (room / "half.json").write_text('{"alert": {"incident"')
    outbox.raise_alert(settings, an_alert())
    assert outbox.deliver_pending(settings, mailbox.send) == (1, 0)
    assert [file.name for file in room.iterdir()] == ["half.damaged"]


def test_a_state_folder_that_cannot_be_written_keeps_no_mail_from_going_out(no_warehouse, mailbox, monkeypatch):
    monkeypatch.setattr(outbox, "waiting_room", lambda settings: settings.home / "file" / "alerts")
    (no_warehouse.home / "file").write_text("in the way")
    assert outbox.report(no_warehouse, FAILURE, mailbox.send)
    assert len(mailbox.mails) == 1


def test_a_kept_alert_holds_what_was_known(no_warehouse, mailbox):
    outbox.report(no_warehouse, FAILURE, mailbox.send)
    (file,) = outbox.waiting_room(no_warehouse).iterdir()
    content = json.loads(file.read_text())
    assert content["alert"]["incident"] == "retrain/manual__1"
    assert content["sent_at"] >= content["raised_at"]


def test_the_roles_that_only_read_cannot_touch_the_outbox(settings):
    for role in ("daybreak_extract", "daybreak_api"):
        with pytest.raises(Exception, match="permission denied"), connect(settings, role, "warehouse") as reader:
            reader.execute("select * from ops.alerts")


def test_a_server_that_takes_nothing_is_one_clear_error():
    server = smtp.MailServer("127.0.0.1", free_port(), "daybreak@localhost", timeout_seconds=2)
    with pytest.raises(ServiceError, match=r"did not accept '\[page\] x'.*Hint: the alert is kept"):
        smtp.send(server, "oncall@localhost", "[page] x", "body", incident="i")


def test_a_server_that_wants_no_login_but_is_given_one_is_one_clear_error(mailbox):
    server = smtp.MailServer("127.0.0.1", mailbox.port, "daybreak@localhost", login="ada", password="secret-word")
    with pytest.raises(ServiceError) as caught:
        smtp.send(server, "oncall@localhost", "s", "b", incident="i")
    assert "secret-word" not in str(caught.value)
    assert "secret-word" not in repr(server)


def test_a_server_without_tls_is_refused_when_tls_is_asked_for(mailbox):
    for safe in ({"is_ssl": True}, {"is_starttls": True}):
        server = smtp.MailServer("127.0.0.1", mailbox.port, "daybreak@localhost", timeout_seconds=5, **safe)
        with pytest.raises(ServiceError):
            smtp.send(server, "oncall@localhost", "s", "b", incident="i")
    assert not mailbox.mails


def test_several_people_on_call_all_get_it(mailbox):
    server = smtp.MailServer("127.0.0.1", mailbox.port, "daybreak@localhost")
    smtp.send(server, "ada@localhost, bob@localhost", "s", "b", incident="i")
    assert mailbox.recipients == [["ada@localhost", "bob@localhost"]]
