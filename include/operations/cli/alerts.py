"""`bin/daybreak alerts list|ack|mute|test`: look after incidents, and try the way to on-call."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable

from include.adapters.warehouse import Connection, connect
from include.alerts import incidents
from include.alerts.incidents import Incident
from include.alerts.mail import mailer
from include.alerts.reporting import changing
from include.alerts.wording import Alert
from include.core.clock import FORMAT, now, parse_length
from include.core.errors import DaybreakError
from include.core.settings import load_settings
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, commands_of, whole_number
from include.pipeline.run import keep_audit

LONGEST_MUTE_DAYS = 31


def add_alerts(add: Add) -> None:
    """Add `alerts` and its actions."""
    group = add(
        "alerts",
        help="list incidents, acknowledge or mute one, try the mail",
        about="An incident is a cause (such as damaged files) and what it is about (such as v3). It opens with a first "
        "failure, is joined by later ones, and closes with a success. See docs/runbook.md.",
        example="alerts list",
        facts=False,
    )
    add = commands_of(group)
    command = add(
        "list",
        help="list open incidents, pages first",
        about="List the open incidents with their number, urgency, age and failed runs, and who looks after them.",
        example="alerts list --closed-within 7d",
    )
    command.add_argument(
        "--closed-within", type=parse_length, metavar="LENGTH", help="list those closed lately, too, such as 7d"
    )
    command.set_defaults(run=list_incidents)
    command = add(
        "ack",
        help="say that you look after an incident: no further mails",
        about="Acknowledge an open incident in your name. It stays in the list and sends no further mail, not even "
        "when it becomes a page or ends. If it ends and comes back, it mails again.",
        example="alerts ack 12",
    )
    _add_incident(command)
    command.set_defaults(run=acknowledge)
    command = add(
        "mute",
        help="send no mails about an incident's cause for a while",
        about="Mute the cause and subject of an open incident for a while, also if it ends and comes back. What is "
        "still open at the end of the mute and was never mailed is mailed then. A new mute replaces the earlier one.",
        example='alerts mute 12 --for 8h --reason "database is moved"',
    )
    _add_incident(command)
    command.add_argument(
        "--for",
        dest="length",
        type=parse_length,
        required=True,
        metavar="LENGTH",
        help=f"length of the mute, such as 30m, 8h or 2d; at most {LONGEST_MUTE_DAYS}d",
    )
    command.add_argument("--reason", required=True, help="reason, for the record")
    command.set_defaults(run=mute)
    command = add(
        "test",
        help="send a test mail to on-call",
        about="Send a mail that says it is a test to the recipients in the settings, through the mail server in the "
        "settings. It fails if the server does not accept the mail. In Airflow the connection smtp_default, where "
        "there is one, goes before the settings.",
        example="alerts test",
    )
    command.set_defaults(run=send_test)
    group.list_commands({"actions": group.summaries})


def _add_incident(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "incident", type=whole_number, metavar="INCIDENT", help="the incident's number, from `alerts list`"
    )


def list_incidents(arguments: argparse.Namespace) -> Answer:
    """List the incidents."""
    moment = now()
    since = moment - arguments.closed_within if arguments.closed_within else None
    with connect(load_settings()) as warehouse:
        found = incidents.recent_incidents(warehouse, since)
    lines = [one.tell(moment) for one in found] or ["No incident is open."]
    return Answer([one.facts() for one in found], "\n".join(lines), marks={"[page]": "red", "[ticket]": "yellow"})


def acknowledge(arguments: argparse.Namespace) -> Answer:
    """Acknowledge an incident."""
    actor = getpass.getuser()
    return _change(
        f"acknowledge incident {arguments.incident}",
        "",
        lambda warehouse: incidents.acknowledge(warehouse, arguments.incident, actor, now()),
    )


def mute(arguments: argparse.Namespace) -> Answer:
    """Mute an incident's cause and subject."""
    actor, moment = getpass.getuser(), now()
    if arguments.length.days > LONGEST_MUTE_DAYS:
        raise DaybreakError(
            f"A mute of {arguments.length.days} days is not allowed.", hint=f"give at most {LONGEST_MUTE_DAYS}d."
        )
    until = moment + arguments.length
    return _change(
        f"mute incident {arguments.incident} until {until.strftime(FORMAT)}",
        arguments.reason,
        lambda warehouse: incidents.mute(warehouse, arguments.incident, until, arguments.reason, actor, moment),
    )


def _change(action: str, reason: str, change: Callable[[Connection], Incident]) -> Answer:
    with changing(load_settings()) as warehouse:
        incident = change(warehouse)
        detail = {"cause": incident.cause, "subject": incident.subject, "reason": reason}
        keep_audit(warehouse, getpass.getuser(), action, detail)
    return Answer(incident.facts(), incident.tell(now()))


def send_test(arguments: argparse.Namespace) -> Answer:
    """Send a test mail; raise `ServiceError` if the server does not accept it."""
    settings, moment = load_settings(), now()
    body = (
        f"What happened\n{getpass.getuser()} sent this mail at {moment.strftime(FORMAT)} to try the way to on-call. "
        f"Nothing is broken.\n\nLinks\nAirflow: {settings.airflow_url}\n"
    )
    mailer(settings)(Alert(f"test/{moment.isoformat()}", "ticket", "[test] Daybreak: alerts reach you", body))
    told = f"Mailed to {settings.mail_to} through {settings.smtp_host}:{settings.smtp_port}."
    return Answer({"recipients": settings.mail_to, "server": f"{settings.smtp_host}:{settings.smtp_port}"}, told)
