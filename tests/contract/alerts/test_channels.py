"""Channels on a real PostgreSQL, with a mail server, a webhook receiver and an Alertmanager: each on its own."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from pydantic import SecretStr

from include.adapters.receivers import Alertmanager, sign
from include.adapters.warehouse import connect
from include.alerts import incidents, outbox, reporting
from include.alerts.channels import find_channels, name_of_installation
from include.alerts.incidents import Success
from include.alerts.wording import Alert
from include.core.clock import now
from include.core.errors import ServiceError
from tests.parts import cli
from tests.parts.receivers import Receiver, StandIn, alertmanager, find_firing, find_silenced
from tests.parts.servers import free_port, write_env_file
from tests.worlds.failures import SHORT_LISTS

SECRET = "whsec_" + base64.b64encode(b"a secret of the receiver").decode()
SUCCESS = Success("recommend", "scheduled__2", None, is_past=False)
ALERT = Alert("retrain/run-1", "ticket", "[ticket] number 1", "Body.\n")


@pytest.fixture
def receiver():
    """A webhook's receiver."""
    found = Receiver().start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    """The address of an Alertmanager."""
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as url:
        yield url


@pytest.fixture
def both(settings, mailbox, receiver):
    """An installation that mails and calls a webhook."""
    return settings.model_copy(
        update={
            "smtp_port": mailbox.port,
            "webhook_url": SecretStr(f"{receiver.url}/hook"),
            "webhook_secret": SecretStr(SECRET),
        }
    )


@pytest.fixture
def managed(settings, mailbox, manager):
    """An installation that mails, and shows its incidents in an Alertmanager."""
    return settings.model_copy(update={"smtp_port": mailbox.port, "alertmanager_url": manager})


def labels_of(settings):
    """Cause, subject and severity of what fires for this installation."""
    return [
        (labels["alertname"], labels["subject"], labels["severity"])
        for labels in find_firing(settings.alertmanager_url)
        if labels["instance"] == name_of_installation(settings)
    ]


def deliver(settings):
    return outbox.deliver_pending(settings, find_channels(settings))


def age(settings, length):
    with connect(settings) as warehouse:
        warehouse.execute("update ops.alerts set raised_at = raised_at - %s", [length])


def deliveries(settings):
    with connect(settings) as warehouse:
        return warehouse.execute(
            "select channel, sent_at is not null, attempts from ops.deliveries order by alert_id, channel"
        ).fetchall()


def test_an_incident_is_told_to_the_webhook_as_signed_data_in_one_thread(both, receiver, mailbox):
    reporting.report(both, SHORT_LISTS, find_channels(both))
    reporting.report_success(both, SUCCESS, find_channels(both))
    opened, recovered = receiver.messages
    assert (opened["type"], recovered["type"]) == ("incident.opened", "incident.recovered")
    assert opened["data"]["key"] == opened["data"]["thread"] == recovered["data"]["thread"]
    assert recovered["data"]["key"] != opened["data"]["key"]
    told = opened["data"]["incident"]
    assert (told["cause"], told["subject"], told["severity"]) == ("AuditFailed", "recommend", "ticket")
    assert told["links"]["Runbook"].endswith("/daybreak/runbook/audit-failed")
    assert opened["data"]["title"] == mailbox.subjects[0]

    path, headers, body = receiver.got[0]
    name, at, signature = (headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature"))
    digest = hmac.new(b"a secret of the receiver", f"{name}.{at}.".encode() + body, sha256).digest()
    assert (path, signature) == ("/hook", f"v1,{base64.b64encode(digest).decode()}")
    assert abs(int(at) - time.time()) < 60


def test_a_signature_is_that_of_the_standards_own_example():
    """The example of the specification, standardwebhooks.com."""
    signed = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("away", ["mail", "webhook"])
def test_a_channel_that_is_away_holds_no_other_up_and_repeats_nothing(both, receiver, mailbox, away):
    {"mail": mailbox, "webhook": receiver}[away].stop()
    outbox.raise_alert(both, ALERT)
    assert [deliver(both), deliver(both)] == [(1, 1), (0, 1)]
    with connect(both) as warehouse:
        (line,) = outbox.tell_undelivered(warehouse, ["mail", "webhook"], now() - timedelta(days=1))
    assert line.startswith(f"{away}: 1 alert waits since ")
    assert f"127.0.0.1:{both.smtp_port if away == 'mail' else receiver.port}" in line
    {"mail": mailbox, "webhook": receiver}[away].start()
    assert deliver(both) == (1, 0)
    assert (len(mailbox.mails), len(receiver.got)) == (1, 1)


DIE = """
import os, sys
from include.alerts import outbox
from include.alerts.channels import find_channels
from include.core.settings import load_settings
settings = load_settings()
channels = find_channels(settings)
channels["webhook"] = outbox.Channel(lambda alert: os.kill(os.getpid(), 9))
outbox.deliver_pending(settings, channels)
"""


def test_a_process_that_is_killed_between_two_channels_repeats_none_and_loses_none(both, receiver, mailbox):
    write_env_file(both)
    outbox.raise_alert(both, ALERT)
    killed = subprocess.run(
        [sys.executable, "-c", DIE], env={**os.environ, "DAYBREAK_HOME": str(both.home)}, timeout=60
    )
    assert (killed.returncode, len(mailbox.mails), len(receiver.got)) == (-9, 1, 0)
    assert deliver(both) == (1, 0)
    assert (len(mailbox.mails), len(receiver.got)) == (1, 1)
    assert deliveries(both) == [("mail", True, 1), ("webhook", True, 1)]


def test_an_alert_that_is_posted_twice_has_one_id(both, receiver):
    channel = find_channels(both)["webhook"]
    channel.send(ALERT)
    channel.send(ALERT)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1


@pytest.mark.parametrize("status", [302, 400, 410, 500])
def test_what_a_receiver_does_not_accept_waits(both, receiver, status):
    receiver.status = status
    outbox.raise_alert(both, ALERT)
    assert deliver(both) == (1, 1)
    receiver.status = 200
    assert deliver(both) == (1, 0)


def test_an_alert_that_a_webhook_wants_none_of_holds_up_no_other_and_is_given_up_in_the_end(both, receiver):
    outbox.raise_alert(both, ALERT)
    receiver.status = 413
    deliver(both)
    age(both, timedelta(days=4))
    assert deliver(both) == (1, 0)
    with connect(both) as warehouse:
        (line,) = outbox.tell_undelivered(warehouse, ["webhook"], now() - timedelta(days=1))
    assert line.startswith(f"{receiver.url} did not get 1 alert, the last of ")
    assert line.endswith(": 413 Request Entity Too Large.")


def test_an_alert_from_before_a_channel_was_set_does_not_go_there(settings, both, receiver):
    outbox.raise_alert(settings, ALERT)
    assert deliver(both) == (1, 0)
    assert receiver.got == []


def test_the_secret_path_of_a_webhook_is_in_no_error(both, receiver):
    receiver.stop()
    with pytest.raises(ServiceError) as caught:
        find_channels(both)["webhook"].send(ALERT)
    assert "/hook" not in str(caught.value)
    assert SECRET not in repr(find_channels(both))
    assert "/hook" not in repr(both)


def test_an_incident_fires_in_the_alertmanager_changes_severity_and_ends_there(managed):
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    assert labels_of(managed) == [("AuditFailed", "recommend", "ticket")]
    with connect(managed) as warehouse:
        (found,) = incidents.open_incidents(warehouse)
        incidents.save(warehouse, replace(found, severity="page"))
    reporting.review(managed, find_channels(managed))
    assert labels_of(managed) == [("AuditFailed", "recommend", "page")]
    reporting.report_success(managed, SUCCESS, find_channels(managed))
    assert labels_of(managed) == []


def test_two_installations_at_the_same_address_end_no_incident_of_each_other(managed, tmp_path):
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    other = managed.model_copy(update={"home": tmp_path / "other"})
    other.home.mkdir()
    find_channels(other)["alertmanager"].follow(lambda: [])
    assert labels_of(managed) == [("AuditFailed", "recommend", "ticket")]


def silences_of(settings):
    """Cause, end and comment of each silence for this installation."""
    found = find_silenced(settings.alertmanager_url)
    instance = name_of_installation(settings)
    return [(labels["alertname"], end, comment) for labels, end, comment in found if labels["instance"] == instance]


def silence(settings, how, hours=8):
    """Acknowledge or mute the open incident; return when the silence ends that follows from it, at the latest."""
    moment = now()
    with connect(settings) as warehouse:
        (found,) = incidents.open_incidents(warehouse)
        if how == "acknowledge":
            incidents.acknowledge(warehouse, found.incident_id, "ada", moment)
            return moment + timedelta(days=2)
        until = moment + timedelta(hours=hours)
        incidents.mute(warehouse, found.incident_id, until, "known", "ada", moment)
        return until


@pytest.mark.parametrize(
    ("how", "comment"),
    [
        ("acknowledge", "ada acknowledged this incident in Daybreak."),
        ("mute", "ada muted it in Daybreak: known."),
    ],
)
def test_what_a_person_silences_goes_on_under_a_silence_until_it_is_over(managed, how, comment):
    """So it still holds back the rule about the same thing, and nobody is told."""
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    until = silence(managed, how)
    reporting.review(managed, find_channels(managed))
    assert labels_of(managed) == []
    [(cause, end, told)] = silences_of(managed)
    assert (cause, told) == ("AuditFailed", comment)
    assert until - timedelta(days=1) < end <= until + timedelta(seconds=1)
    reporting.review(managed, find_channels(managed))
    assert silences_of(managed) == [(cause, end, told)]
    reporting.report_success(managed, SUCCESS, find_channels(managed))
    assert (labels_of(managed), silences_of(managed)) == ([], [])


def test_a_silence_follows_a_later_mute_and_a_higher_severity(managed):
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    silence(managed, "mute", hours=1)
    reporting.review(managed, find_channels(managed))
    until = silence(managed, "mute", hours=24)
    with connect(managed) as warehouse:
        (found,) = incidents.open_incidents(warehouse)
        incidents.save(warehouse, replace(found, severity="page"))
    reporting.review(managed, find_channels(managed))
    [(_, end, _)] = silences_of(managed)
    assert labels_of(managed) == []
    assert until < end <= until + timedelta(seconds=1)


def test_what_is_no_longer_muted_fires_again_and_a_silence_made_there_stays(managed):
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    until = silence(managed, "mute")
    reporting.review(managed, find_channels(managed))
    manager = Alertmanager(managed.alertmanager_url)
    [ours] = manager.find_silences(name_of_installation(managed))
    manager.silence(
        replace(ours, silence_id=None, made_by="ada", comment="by hand", labels={**ours.labels, "alertname": "Other"})
    )
    with connect(managed) as warehouse:
        warehouse.execute("update ops.mutes set until = %s", [until - timedelta(hours=9)])
    reporting.review(managed, find_channels(managed))
    assert labels_of(managed) == [("AuditFailed", "recommend", "ticket")]
    assert [comment for _, _, comment in silences_of(managed)] == ["by hand"]


def test_an_alertmanager_that_was_away_learns_what_ended_meanwhile(managed):
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    away = managed.model_copy(update={"alertmanager_url": f"http://127.0.0.1:{free_port()}"})
    reporting.report_success(managed, SUCCESS, find_channels(away))
    with connect(managed) as warehouse:
        (line,) = outbox.tell_undelivered(warehouse, ["alertmanager"], now())
    assert line.startswith("alertmanager: it failed at ")
    assert labels_of(managed) == [("AuditFailed", "recommend", "ticket")]
    reporting.review(managed, find_channels(managed))
    assert labels_of(managed) == []


def test_an_alertmanager_that_takes_no_silence_still_shows_what_is_open_and_says_why_it_fails(settings, mailbox):
    manager = StandIn().start()
    manager.keep = lambda silence: {}["no silences here"]
    managed = settings.model_copy(update={"smtp_port": mailbox.port, "alertmanager_url": manager.url})
    reporting.report(managed, SHORT_LISTS, find_channels(managed))
    silence(managed, "mute")
    manager.alerts.clear()
    reporting.review(managed, find_channels(managed))
    assert labels_of(managed) == [("AuditFailed", "recommend", "ticket")]
    with connect(managed) as warehouse:
        (line,) = outbox.tell_undelivered(warehouse, ["alertmanager"], now())
    assert "400 Bad Request: 'no silences here'" in line
    manager.stop()


def test_what_a_person_silenced_before_it_was_told_does_not_fire(managed):
    channels = find_channels(managed)
    reporting.report(managed, SHORT_LISTS, channels)
    silence(managed, "mute")
    with connect(managed) as warehouse:
        warehouse.execute("update ops.incidents set closed_at = now() - interval '1 day'")
    reporting.report(managed, replace(SHORT_LISTS, run_id="scheduled__9"), channels)
    assert labels_of(managed) == []


def test_without_a_warehouse_every_channel_is_told_once(both, managed, receiver, mailbox):
    both = both.model_copy(update={"alertmanager_url": managed.alertmanager_url})
    away = both.model_copy(update={"postgres_port": free_port()})
    receiver.stop()
    assert reporting.report(away, SHORT_LISTS, find_channels(away))
    assert (len(mailbox.mails), labels_of(both)) == (1, [("AuditFailed", "recommend", "page")])
    receiver.start()
    reporting.review(both, find_channels(both))
    assert (len(mailbox.mails), len(receiver.got)) == (1, 1)
    assert [cause for cause, _, _ in labels_of(both)] == ["AuditFailed"]


def test_a_recipient_whom_the_server_refuses_is_shown_and_the_others_get_the_mail(settings, mailbox):
    mailbox.refused = {"bob@localhost": "550 5.1.1 no such person"}
    settings = settings.model_copy(update={"smtp_port": mailbox.port, "mail_to": "ada@localhost, bob@localhost"})
    write_env_file(settings)
    outbox.raise_alert(settings, ALERT)
    assert deliver(settings) == (1, 0)
    assert mailbox.recipients == [["ada@localhost"]]
    told = cli.say(settings, "alerts", "list").out
    assert "bob@localhost did not get 1 alert, the last of " in told
    assert told.endswith(": 550 5.1.1 no such person.\n")


def test_a_recipient_of_whom_the_server_says_later_gets_the_mail_later_and_the_others_once(settings, mailbox):
    mailbox.refused = {"bob@localhost": "450 4.2.0 greylisted"}
    settings = settings.model_copy(update={"smtp_port": mailbox.port, "mail_to": "ada@localhost, bob@localhost"})
    for number in (1, 2):
        outbox.raise_alert(settings, replace(ALERT, incident=f"run-{number}"))
    assert deliver(settings) == (0, 2)
    assert mailbox.recipients == [["ada@localhost"]] * 2, "one recipient holds up no other mail"
    mailbox.refused = {}
    assert deliver(settings) == (2, 0)
    assert mailbox.recipients[2:] == [["bob@localhost"]] * 2
    with connect(settings) as warehouse:
        assert outbox.tell_undelivered(warehouse, ["mail"], now() - timedelta(days=1)) == []


@pytest.mark.parametrize("end", ["550 5.1.1 no such person", "three days"])
def test_a_recipient_who_is_put_off_alone_does_not_make_the_channel_fail_and_is_given_up(settings, mailbox, end):
    mailbox.refused = {"bob@localhost": "450 4.2.0 greylisted"}
    settings = settings.model_copy(update={"smtp_port": mailbox.port, "mail_to": "ada@localhost, bob@localhost"})
    outbox.raise_alert(settings, ALERT)
    assert [deliver(settings), deliver(settings)] == [(0, 1), (0, 1)]
    with connect(settings) as warehouse:
        told = outbox.tell_undelivered(warehouse, ["mail"], now() - timedelta(days=1))
    assert "it failed" not in "".join(told)
    if end == "three days":
        age(settings, timedelta(days=4))
    else:
        mailbox.refused = {"bob@localhost": end}
    assert [deliver(settings), deliver(settings)] == [(1, 0), (0, 0)]
    assert mailbox.recipients == [["ada@localhost"]]


def test_a_recipient_who_is_put_off_while_the_warehouse_is_away_gets_the_mail_later(settings, mailbox):
    mailbox.refused = {"bob@localhost": "450 4.2.0 greylisted"}
    settings = settings.model_copy(update={"smtp_port": mailbox.port, "mail_to": "ada@localhost, bob@localhost"})
    away = settings.model_copy(update={"postgres_port": free_port()})
    reporting.report(away, SHORT_LISTS, find_channels(away))
    mailbox.refused = {}
    reporting.review(settings, find_channels(settings))
    assert mailbox.recipients == [["ada@localhost"], ["bob@localhost"]]


def test_a_failure_of_a_channel_is_past_when_nothing_waits_for_it(settings, mailbox):
    settings = settings.model_copy(update={"smtp_port": mailbox.port})
    mailbox.stop()
    outbox.raise_alert(settings, ALERT)
    deliver(settings)
    with connect(settings) as warehouse:
        warehouse.execute("delete from ops.alerts")
    deliver(settings)
    with connect(settings) as warehouse:
        assert outbox.tell_undelivered(warehouse, ["mail"], now()) == []


def test_the_test_tries_every_channel_and_says_which_failed(both, managed, receiver, mailbox):
    all_three = both.model_copy(update={"alertmanager_url": managed.alertmanager_url})
    write_env_file(all_three)
    answer = cli.say(all_three, "alerts", "test")
    assert answer.out.splitlines() == [
        f"mail: sent to oncall@localhost through 127.0.0.1:{mailbox.port}.",
        f"webhook: sent to {receiver.url}.",
        f"alertmanager: sent to {managed.alertmanager_url}.",
    ]
    assert (mailbox.subjects, receiver.messages[0]["type"]) == (["[test] Daybreak: alerts reach you"], "notice")
    reporting.review(all_three, find_channels(all_three))
    assert labels_of(all_three) == [("DaybreakTest", "alerts", "ticket")], "it ends by itself"
    receiver.stop()
    answer = cli.say(all_three, "alerts", "test")
    assert (answer.code, len(mailbox.mails)) == (4, 2)
    assert "webhook: The webhook at http://127.0.0.1:" in answer.err
    assert "mail: sent to" in answer.err


def test_doctor_looks_at_every_channel(both, managed, receiver):
    def find(settings):
        write_env_file(settings)
        found = json.loads(cli.say(settings, "doctor", "--json").out)
        return {one["code"]: (one["state"], one["found"]) for one in found if one["code"] in ("DR118", "DR119")}

    assert find(managed)["DR118"] == ("fine", "not set")
    assert find(managed)["DR119"][0] == "fine"
    unsigned = both.model_copy(update={"webhook_secret": SecretStr("")})
    assert find(unsigned)["DR118"] == ("note", f"{receiver.url} answers 200 OK; alerts are not signed")
    receiver.stop()
    assert find(both)["DR118"][0] == "FIX"
