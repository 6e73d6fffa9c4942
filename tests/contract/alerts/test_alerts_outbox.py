"""The outbox on a real PostgreSQL and a real SMTP server: nothing is lost, nothing is mailed twice, nothing breaks."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr

from include.adapters import smtp
from include.adapters.warehouse import connect
from include.alerts import outbox
from include.alerts.wording import Alert
from include.core.errors import ServiceError
from tests.parts.servers import free_port


def an_alert(number=1):
    return Alert(f"retrain/run-{number}", "page", f"[page] number {number}", f"Body of number {number}: é, 10 %.\n")


def mail(send):
    return {"mail": outbox.Channel(send)}


def rows(settings):
    with connect(settings) as connection:
        return connection.execute(
            "select incident, sent_at is not null, attempts, last_error"
            " from ops.alerts join ops.deliveries using (alert_id) order by alert_id, channel"
        ).fetchall()


def test_an_alert_is_mailed_as_it_was_written_and_marked(settings, mailbox):
    assert outbox.raise_alert(settings, an_alert())
    assert outbox.deliver_pending(settings, mailbox.channels) == (1, 0)
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == ("[page] number 1", "daybreak@localhost", "oncall@localhost")
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == an_alert().body
    assert "10 %" in mail.get_body(("html",)).get_content()
    assert rows(settings) == [("retrain/run-1", True, 1, None)]


def test_the_same_incident_is_one_row_and_one_mail(settings, mailbox):
    assert outbox.raise_alert(settings, an_alert())
    assert not outbox.raise_alert(settings, an_alert())
    outbox.deliver_pending(settings, mailbox.channels)
    assert not outbox.raise_alert(settings, an_alert())
    assert outbox.deliver_pending(settings, mailbox.channels) == (0, 0)
    assert len(mailbox.mails) == 1


def test_a_broken_mail_server_raises_nothing_and_loses_nothing(settings, mailbox):
    mailbox.stop()
    outbox.raise_alert(settings, an_alert())
    for _ in range(2):
        assert outbox.deliver_pending(settings, mailbox.channels) == (0, 1)
    ((incident, is_sent, attempts, error),) = rows(settings)
    assert (incident, is_sent, attempts) == ("retrain/run-1", False, 2)
    assert f"127.0.0.1:{mailbox.port}" in error

    mailbox.start()
    assert outbox.deliver_pending(settings, mailbox.channels) == (1, 0)
    assert rows(settings) == [("retrain/run-1", True, 3, None)]
    assert len(mailbox.mails) == 1


def test_one_mail_that_is_refused_does_not_hold_up_the_others(settings, mailbox):
    mailbox.refuses = "number 1"
    for number in (1, 2, 3):
        outbox.raise_alert(settings, an_alert(number))
    assert outbox.deliver_pending(settings, mailbox.channels) == (0, 3)
    assert outbox.deliver_pending(settings, mailbox.channels) == (2, 1)
    assert mailbox.subjects == ["[page] number 2", "[page] number 3"]


def test_an_error_of_our_own_in_one_channel_holds_up_no_other_alert_and_no_other_channel(settings, mailbox):
    settings = settings.model_copy(update={"webhook_url": SecretStr("https://receiver/hook")})
    for number in (1, 2):
        outbox.raise_alert(settings, an_alert(number))
    tried = []

    def break_down(alert):
        tried.append(alert.subject)
        raise ValueError("not an address")

    channels = {"webhook": outbox.Channel(break_down), **mailbox.channels}
    assert outbox.deliver_pending(settings, channels) == (2, 2)
    assert outbox.deliver_pending(settings, channels) == (0, 2)
    assert tried == ["[page] number 1", "[page] number 2"], "the one that was tried less often comes first"
    assert ("retrain/run-1", False, 1, "ValueError: not an address") in rows(settings)


def test_an_answer_waits_for_the_first_mail_of_its_thread_but_not_for_ever(settings, mailbox):
    mailbox.refuses = "number 1"
    outbox.raise_alert(settings, an_alert(1))
    for _ in range(2):
        outbox.deliver_pending(settings, mailbox.channels)
    outbox.raise_alert(settings, replace(an_alert(2), thread=an_alert(1).incident))
    for _ in range(8):
        assert outbox.deliver_pending(settings, mailbox.channels) == (0, 2)
    with connect(settings) as connection:
        connection.execute("update ops.alerts set raised_at = raised_at - interval '6 hours'")
    assert outbox.deliver_pending(settings, mailbox.channels) == (1, 1)
    assert mailbox.subjects == ["[page] number 2"]


def test_two_deliverers_at_once_mail_different_alerts(settings):
    for number in (1, 2):
        outbox.raise_alert(settings, an_alert(number))
    both_are_sending = threading.Barrier(2, timeout=20)
    sent = []

    def send(alert):
        both_are_sending.wait()
        sent.append(alert.incident)

    deliverers = [threading.Thread(target=outbox.deliver_pending, args=(settings, mail(send))) for _ in range(2)]
    for thread in deliverers:
        thread.start()
    for thread in deliverers:
        thread.join(30)
    assert sorted(sent) == ["retrain/run-1", "retrain/run-2"]
    assert [row[1:3] for row in rows(settings)] == [(True, 1), (True, 1)]


def test_an_alert_that_somebody_is_mailing_is_left_to_them(settings):
    outbox.raise_alert(settings, an_alert())

    def send_while_another_tries(alert):
        assert outbox.deliver_pending(settings, mail(lambda _: pytest.fail("mailed twice"))) == (0, 1)

    assert outbox.deliver_pending(settings, mail(send_while_another_tries)) == (1, 0)


def test_a_deliverer_that_dies_while_mailing_leaves_the_alert_waiting(settings):
    outbox.raise_alert(settings, an_alert())

    def die(alert):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outbox.deliver_pending(settings, mail(die))
    assert rows(settings) == [("retrain/run-1", False, 0, None)]


@contextmanager
def going_away(settings):
    """Let the warehouse refuse connections and end those that it has; it comes back in the end."""
    with connect(settings, "postgres", "postgres", autocommit=True) as admin:
        try:
            admin.execute("alter database warehouse allow_connections false")
            admin.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'warehouse'")
            yield
        finally:
            admin.execute("alter database warehouse allow_connections true")


def test_a_warehouse_that_goes_away_between_two_channels_raises_nothing_and_loses_nothing(settings, caplog):
    settings = settings.model_copy(update={"webhook_url": SecretStr("https://receiver/hook")})
    outbox.raise_alert(settings, an_alert())
    mails, posts = [], []
    with ExitStack() as away:

        def find_nothing_more(alert):
            posts.append(alert.subject)
            away.enter_context(going_away(settings))

        channels = {"webhook": outbox.Channel(find_nothing_more), "mail": outbox.Channel(mails.append)}
        assert outbox.deliver_pending(settings, channels) == (0, None)
        assert (len(posts), mails) == (1, []), "without the outbox, what waits for the next channel is not known"
        assert "How webhook did is not noted." in caplog.text
    assert [row[1:] for row in rows(settings)] == [(False, 0, None)] * 2

    channels["webhook"] = outbox.Channel(lambda alert: posts.append(alert.subject))
    assert outbox.deliver_pending(settings, channels) == (2, 0)
    assert outbox.deliver_pending(settings, channels) == (0, 0)
    assert (len(posts), len(mails)) == (2, 1), "a delivery that could not be marked is made again, under the same key"


def test_a_warehouse_that_goes_away_before_the_turn_raises_nothing(settings, no_warehouse, mailbox):
    outbox.raise_alert(settings, an_alert())
    assert outbox.deliver_pending(no_warehouse, mailbox.channels) == (0, None)
    assert outbox.deliver_pending(settings, mailbox.channels) == (1, 0)
    assert len(mailbox.mails) == 1


def test_a_warehouse_that_goes_away_after_the_last_delivery_leaves_nothing_to_do_twice(settings, mailbox, monkeypatch):
    outbox.raise_alert(settings, an_alert())
    with ExitStack() as away:
        deliver = outbox._deliver_next

        def deliver_then_lose(*given):
            found = deliver(*given)
            if found is None:
                away.enter_context(going_away(settings))
            return found

        monkeypatch.setattr(outbox, "_deliver_next", deliver_then_lose)
        assert outbox.deliver_pending(settings, mailbox.channels) == (1, None)
    monkeypatch.undo()
    assert rows(settings) == [("retrain/run-1", True, 1, None)]
    assert outbox.deliver_pending(settings, mailbox.channels) == (0, 0)
    assert len(mailbox.mails) == 1


def test_the_roles_that_only_read_cannot_touch_the_outbox(settings):
    for role in ("daybreak_extract", "daybreak_api"):
        with pytest.raises(Exception, match="permission denied"), connect(settings, role, "warehouse") as reader:
            reader.execute("select * from ops.alerts")


def test_a_server_that_takes_nothing_is_one_clear_error():
    server = smtp.MailServer("127.0.0.1", free_port(), "daybreak@localhost", timeout_seconds=2)
    with pytest.raises(
        ServiceError, match=r"did not accept '\[page\] x'.*Hint: check Airflow's connection smtp_default"
    ):
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
