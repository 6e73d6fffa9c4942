"""Airflow's connections to the two databases, kept in Airflow's own database, where people may edit them.

Belongs here: creating them, and renewing them when a port or a password has changed. A connection that somebody
edited or deleted since is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.adapters import warehouse
from include.core.settings import Settings
from include.operations.launcher import files

Known = dict[str, dict[str, Any]]  # connections by their ids, as `airflow connections import` reads them

ROLES = {"daybreak_source": "daybreak_extract", "daybreak_warehouse": "daybreak_run"}
DESCRIPTIONS = {
    "daybreak_source": "The publisher's database: three views, read only",
    "daybreak_warehouse": "Daybreak's own: lists, verdicts, champions, quarantined rows",
}
SHOWN = ("host", "port", "login", "schema")  # Airflow encrypts the rest


def wanted(settings: Settings) -> Known:
    """Return the connections as the settings have them."""
    return {
        conn_id: _connection(warehouse.parameters(settings, role)) | {"description": DESCRIPTIONS[conn_id]}
        for conn_id, role in ROLES.items()
    }


def to_import(settings: Settings) -> Known:
    """Return the connections that Airflow lacks, or has as they were written before the settings changed."""
    before: Known = json.loads(record(settings).read_text()) if record(settings).exists() else {}
    with warehouse.connect(settings, "airflow") as database:
        rows = database.execute(warehouse.query("operations/launcher/connections"), [list(ROLES)]).fetchall()
    there = {conn_id: dict(zip(SHOWN, values, strict=True)) for conn_id, *values in rows}
    return {
        conn_id: connection
        for conn_id, connection in wanted(settings).items()
        if connection != before.get(conn_id)
        and (conn_id not in there or there[conn_id] in map(_shown, (before.get(conn_id, {}), connection)))
    }


def remember(settings: Settings) -> None:
    """Record the connections as written, so that a later edit can be told from ours."""
    files.write_private(record(settings), json.dumps(wanted(settings)))


def record(settings: Settings) -> Path:
    """Return the path of the record."""
    return settings.home / "airflow" / "connections.json"


def _connection(parameters: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(parameters)
    known = {
        "conn_type": "postgres",
        "host": given.pop("host", "localhost"),
        "port": int(given.pop("port", 5432)),
        "login": given.pop("user", ""),
        "password": given.pop("password", ""),
        "schema": given.pop("dbname", ""),
    }
    return known | ({"extra": json.dumps(given)} if given else {})


def _shown(connection: Mapping[str, Any]) -> dict[str, Any]:
    return {name: connection.get(name) for name in SHOWN}
