"""`bin/daybreak alerts list|ack|mute|test`: look after incidents, and try the way to on-call."""

from __future__ import annotations

import argparse
import getpass
from datetime import datetime, timedelta

from include.adapters.receivers import place_of
from include.adapters.warehouse import connect
from include.alerts import incidents
from include.alerts.channels import find_channels
from include.alerts.incidents import Incident
from include.alerts.outbox import names_of_channels, tell_undelivered
from include.alerts.wording import Alert
from include.core.clock import FORMAT, now, parse_length
from include.core.errors import DaybreakError, ServiceError
from include.core.settings import load_settings
from include.operations import silencing
from include.operations.cli.answer import Answer
from include.operations.cli.commands import Add, commands_of, whole_number
from include.operations.silencing import LONGEST_MUTE_DAYS

UNDELIVERED_SINCE = timedelta(days=7)


def add_alerts(add: Add) -> None:
    """Add `alerts` and its actions."""
    group = add(
        "alerts",
        help="list incidents, acknowledge or mute one, try the channels",
        about="An incident is a cause (such as damaged files) and what it is about (such as v3). It opens with a first "
        "failure, is joined by later ones, and closes with a success. See docs/runbook.md.",
        example="alerts list",
        facts=False,
    )
    add = commands_of(group)
    command = add(
        "list",
        help="list open incidents, pages first",
        about="List the open incidents with their number, urgency, age and failed runs, and who looks after them; then "
        "the alerts that a channel or a recipient did not take.",
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
        help="send a test to on-call, through every channel",
        about="Send an alert that says it is a test through every channel in the settings: mail, and a webhook and an "
        "Alertmanager where they are set. It fails if one of them does not take it, and names it. Airflow's "
        "processes mail through its connection smtp_default, if there is one.",
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
    settings, moment = load_settings(), now()
    since = moment - arguments.closed_within if arguments.closed_within else None
    with connect(settings) as warehouse:
        found = incidents.recent_incidents(warehouse, since)
        undelivered = tell_undelivered(warehouse, names_of_channels(settings), moment - UNDELIVERED_SINCE)
    lines = [*([one.tell(moment) for one in found] or ["No incident is open."]), *undelivered]
    return Answer(
        {"incidents": [one.facts() for one in found], "undelivered": undelivered},
        "\n".join(lines),
        marks={"[page]": "red", "[ticket]": "yellow"},
    )


def acknowledge(arguments: argparse.Namespace) -> Answer:
    """Acknowledge an incident."""
    moment = now()
    return _tell(silencing.acknowledge(load_settings(), arguments.incident, getpass.getuser(), moment), moment)


def mute(arguments: argparse.Namespace) -> Answer:
    """Mute an incident's cause and subject."""
    moment = now()
    if arguments.length.days > LONGEST_MUTE_DAYS:
        raise DaybreakError(
            f"A mute of {arguments.length.days} days is not allowed.", hint=f"give at most {LONGEST_MUTE_DAYS}d."
        )
    incident = silencing.mute(
        load_settings(), arguments.incident, getpass.getuser(), moment, moment + arguments.length, arguments.reason
    )
    return _tell(incident, moment)


def _tell(incident: Incident, moment: datetime) -> Answer:
    return Answer(incident.facts(), incident.tell(moment))


def send_test(arguments: argparse.Namespace) -> Answer:
    """Send a test through every channel that is set; raise `ServiceError` with those that did not take it."""
    settings, moment = load_settings(), now()
    body = (
        f"What happened\n{getpass.getuser()} sent this at {moment.strftime(FORMAT)} to try the way to on-call. "
        f"Nothing is broken.\n\nLinks\nAirflow: {settings.airflow_url}\n"
    )
    alert = Alert(f"test/{moment.isoformat()}", "ticket", "[test] Daybreak: alerts reach you", body)
    places = {
        "mail": f"{settings.mail_to} through {settings.smtp_host}:{settings.smtp_port}",
        "webhook": place_of(settings.webhook_url.get_secret_value()),
        "alertmanager": place_of(settings.alertmanager_url),
    }
    took, failed = [], {}
    for name, channel in find_channels(settings).items():
        try:
            refused = channel.send(alert) or {}
        except ServiceError as error:
            failed[name] = error.fact
            continue
        took.append(f"{name}: sent to {places[name]}.")
        if refused:
            failed[name] = "; ".join(f"{recipient} was refused: {told}" for recipient, told in refused.items())
    if failed:
        told = " ".join(f"{name}: {fact.rstrip('.')}." for name, fact in failed.items())
        raise ServiceError(" ".join([told, *took]), hint="see the settings of alerts in docs/settings.md.")
    return Answer({"channels": {name: places[name] for name in find_channels(settings)}}, "\n".join(took))
