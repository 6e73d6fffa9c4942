"""`bin/daybreak alerts` and the lines of `status`: who looks after an incident, and what it does to its mails."""

from __future__ import annotations

import getpass
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from include.adapters.warehouse import connect
from include.alerts import reporting
from include.alerts.incidents import Success
from include.operations import silencing
from include.operations.status import gather, render_status
from tests.parts import cli
from tests.parts.servers import free_port, write_env_file
from tests.worlds.failures import SHORT_LISTS

ME = getpass.getuser()


@pytest.fixture
def settings(fresh_warehouse, mailbox):
    settings = fresh_warehouse.model_copy(update={"smtp_port": mailbox.port})
    write_env_file(settings)
    return settings


def listed(settings, *words):
    return json.loads(cli.say(settings, "alerts", "list", "--json", *words).out)["incidents"]


def lines_of_status(settings):
    found = gather(settings, {})
    lines = render_status(found, reporting.now()).splitlines()
    return [line for line in lines if line.startswith("incident ")], found["incidents"]


def succeed(settings, mailbox):
    reporting.report_success(settings, Success("recommend", "scheduled__2", None, is_past=False), mailbox.channels)


def test_an_incident_is_listed_acknowledged_in_a_name_and_silent_from_then_on(settings, mailbox):
    assert cli.say(settings, "alerts", "list").out == "No incident is open.\n"
    reporting.report(settings, SHORT_LISTS, mailbox.channels)
    (found,) = listed(settings)
    assert (found["severity"], found["runs"], found["stopped"]) == ("ticket", 1, {"recommend": 1})
    assert found["links"]["Runbook"].endswith("/daybreak/runbook/audit-failed")

    number = str(found["incident_id"])
    told = cli.say(settings, "alerts", "ack", number).out
    assert told.startswith(f"#{number} [ticket] recommend failed at score: 12 lists are short. Open for 0 min")
    assert told.endswith(f"Acknowledged by {ME}.\n")
    succeed(settings, mailbox)
    assert len(mailbox.mails) == 1
    assert listed(settings) == []
    assert [one["incident_id"] for one in listed(settings, "--closed-within", "1h")] == [int(number)]
    with connect(settings) as warehouse:
        assert warehouse.execute("select actor, action from ops.audit").fetchall() == [
            (ME, f"acknowledge incident {number}")
        ]


def test_a_double_click_acknowledges_and_mutes_once(settings, mailbox):
    reporting.report(settings, SHORT_LISTS, mailbox.channels)
    number, moment = listed(settings)[0]["incident_id"], reporting.now()
    for _ in range(2):
        taken = silencing.acknowledge(settings, number, "ada", moment, "I look")
        muted = silencing.mute(settings, number, "ada", moment, moment + timedelta(hours=1), "known")
    assert (taken.acknowledged_by, muted.muted_by, muted.mute_reason) == ("ada", "ada", "known.")
    with connect(settings) as warehouse:
        audit = warehouse.execute("select actor, action, detail ->> 'reason' from ops.audit order by 2").fetchall()
    assert [(actor, action.split(" until")[0], reason) for actor, action, reason in audit] == [
        ("ada", f"acknowledge incident {number}", "I look"),
        ("ada", f"mute incident {number}", "known"),
    ]


def test_a_mute_has_a_reason_and_an_end_and_what_is_open_then_is_mailed(settings, mailbox):
    reporting.report(settings, SHORT_LISTS, mailbox.channels)
    number = str(listed(settings)[0]["incident_id"])
    told = cli.say(settings, "alerts", "mute", number, "--for", "8h", "--reason", "known").out
    assert told.endswith(f"UTC by {ME}: known.\n")
    succeed(settings, mailbox)
    with connect(settings) as warehouse:
        warehouse.execute("update ops.incidents set closed_at = closed_at - interval '1 day'")
    reporting.report(settings, replace(SHORT_LISTS, run_id="scheduled__3"), mailbox.channels)
    assert len(mailbox.mails) == 1
    ((line,), (facts,)) = lines_of_status(settings)
    assert line.endswith(f"by {ME}: known.")
    assert facts["mute_reason"] == "known."

    with connect(settings) as warehouse:
        warehouse.execute("update ops.mutes set until = now()")
    reporting.review(settings, mailbox.channels)
    reporting.review(settings, mailbox.channels)
    assert len(mailbox.mails) == 2
    assert "References" not in mailbox.mails[1]


def test_status_has_a_line_for_each_open_incident_pages_first(settings, mailbox):
    reporting.report(settings, replace(SHORT_LISTS, dag_id="monitor", run_id="m"), mailbox.channels)
    reporting.report(settings, SHORT_LISTS, mailbox.channels)
    with connect(settings) as warehouse:
        warehouse.execute("update ops.incidents set severity = 'page' where subject = 'recommend'")
    lines, facts = lines_of_status(settings)
    assert [line.split("[")[1].split(" failed")[0] for line in lines] == ["page] recommend", "ticket] monitor"]
    assert [one["subject"] for one in facts] == ["recommend", "monitor"]


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (("ack", "7"), "There is no open incident 7. Hint: none is open."),
        (("mute", "7", "--for", "1h", "--reason", "x"), "There is no open incident 7."),
        (("mute", "7", "--for", "32d", "--reason", "x"), "A mute of 32 days is not allowed. Hint: give at most 31d."),
        (("mute", "7", "--for", "long", "--reason", "x"), "'long' is not a length of time."),
    ],
)
def test_what_cannot_be_is_one_line(settings, words, fact):
    answer = cli.say(settings, "alerts", *words)
    assert answer.code != 0
    assert fact in answer.err


def test_a_test_mail_reaches_on_call_or_says_why_not(settings, mailbox):
    answer = cli.say(settings, "alerts", "test")
    assert answer.out == f"mail: sent to oncall@localhost through 127.0.0.1:{mailbox.port}.\n"
    assert mailbox.subjects == ["[test] Daybreak: alerts reach you"]
    write_env_file(settings.model_copy(update={"smtp_port": free_port()}))
    answer = cli.say(settings, "alerts", "test")
    assert (answer.code, "did not accept" in answer.err) == (4, True)
