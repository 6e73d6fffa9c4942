"""Look after an incident in a person's name: acknowledge it, or mute its cause for a while.

The change and its line in the audit log are one transaction. Asked for a second time, as by a double click, neither
changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from include.adapters.warehouse import Connection
from include.alerts import incidents
from include.alerts.incidents import Incident
from include.alerts.reporting import changing
from include.core.clock import FORMAT
from include.core.settings import Settings
from include.pipeline.run import keep_audit

LONGEST_MUTE_DAYS = 31


def acknowledge(settings: Settings, number: int, who: str, moment: datetime, reason: str = "") -> Incident:
    """Acknowledge an open incident, so that it sends no further mail; return it."""

    def change(warehouse: Connection) -> Incident:
        return incidents.acknowledge(warehouse, number, who, moment)

    def is_done(incident: Incident) -> bool:
        return incident.acknowledged_by == who

    return _change(settings, number, who, f"acknowledge incident {number}", reason, change, is_done)


def mute(settings: Settings, number: int, who: str, moment: datetime, until: datetime, reason: str) -> Incident:
    """Send no mail about the cause and subject of an open incident until a moment; return the incident."""

    def change(warehouse: Connection) -> Incident:
        return incidents.mute(warehouse, number, until, reason, who, moment)

    def is_done(incident: Incident) -> bool:
        return (incident.muted_by, incident.muted_until) == (who, until)

    return _change(
        settings, number, who, f"mute incident {number} until {until.strftime(FORMAT)}", reason, change, is_done
    )


def _change(
    settings: Settings,
    number: int,
    who: str,
    action: str,
    reason: str,
    change: Callable[[Connection], Incident],
    is_done: Callable[[Incident], bool],
) -> Incident:
    with changing(settings) as warehouse:
        for incident in incidents.open_incidents(warehouse):
            if incident.incident_id == number and is_done(incident):
                return incident
        incident = change(warehouse)
        detail = {"cause": incident.cause, "subject": incident.subject, "reason": reason}
        keep_audit(warehouse, who, action, detail)
    return incident
