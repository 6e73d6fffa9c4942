"""The two databases as Airflow knows them: connections `daybreak_source` (the publisher's) and `daybreak_warehouse`.

Whoever runs Airflow edits them where all connections are: in the UI, the environment or a secrets backend. The pipeline
gets their addresses as plain settings. Without a connection, those of the settings hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from include.core.settings import Settings

CONNECTIONS = {"source": "daybreak_source", "warehouse": "daybreak_warehouse"}  # setting -> connection


def connected_settings() -> Settings:
    """Return this installation's settings, with both databases where their Airflow connections say."""
    from include.core.settings import load_settings

    found = {name: address for name, conn_id in CONNECTIONS.items() if (address := address_of(conn_id))}
    return load_settings().with_databases(**found)


def address_of(conn_id: str) -> str:
    """Return a connection as a URI with its libpq options, such as `sslmode`; empty if there is no such connection."""
    hook = PostgresHook(conn_id)
    try:
        options = hook.connection.extra_dejson
    except AirflowNotFoundException:
        return ""
    libpq = {name: str(value) for name, value in options.items() if name not in hook.ignored_extra_options}
    url = hook.sqlalchemy_url.set(drivername="postgresql", query={}).render_as_string(hide_password=False)
    return f"{url}?{urlencode(libpq, quote_via=quote)}" if libpq else url
