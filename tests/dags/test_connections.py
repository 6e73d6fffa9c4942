"""Where the databases are is said by Airflow's connections, as Airflow's own hook reads them."""

from __future__ import annotations

import json

import pytest
from psycopg.conninfo import conninfo_to_dict

from include.adapters import warehouse


@pytest.fixture
def said(monkeypatch, tmp_path):
    """What libpq is told for a role, in an Airflow with these connections."""
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))

    def ask(role, **connections):
        from daybreak_airflow.connections import connected_settings

        for name, fields in connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "postgres", **fields}))
        settings = connected_settings()
        return conninfo_to_dict(warehouse.conninfo(settings, role)), settings

    return ask


CMS = {"host": "db.example.com", "port": 6432, "login": "reader", "password": "p@ss/w:rd", "schema": "cms"}


def test_the_source_is_where_its_connection_says_with_the_options_of_libpq(said):
    found, _ = said(
        "daybreak_extract", daybreak_source=CMS | {"extra": {"sslmode": "verify-full", "options": "-c x=1"}}
    )
    assert found == {
        "host": "db.example.com", "port": "6432", "user": "reader", "password": "p@ss/w:rd", "dbname": "cms",
        "sslmode": "verify-full", "options": "-c x=1",
    }  # fmt: skip


def test_what_only_airflow_understands_is_not_handed_to_libpq(said):
    found, _ = said("daybreak_extract", daybreak_source=CMS | {"extra": {"cursor": "dictcursor"}})
    assert "cursor" not in found


def test_the_api_role_follows_the_warehouse_with_a_password_of_its_own(said):
    found, settings = said("daybreak_api", daybreak_warehouse=CMS)
    assert (found["host"], found["dbname"], found["user"]) == ("db.example.com", "cms", "daybreak_api")
    assert found.get("password", "") == settings.api_password.get_secret_value()


def test_without_connections_daybreaks_own_postgresql_is_used(said):
    found, settings = said("daybreak_extract")
    assert (found["port"], found["dbname"]) == (str(settings.postgres_port), "publisher")
    assert said("daybreak_run")[0]["dbname"] == "warehouse"


def test_a_password_within_an_address_is_a_secret(said):
    _, settings = said("daybreak_extract", daybreak_source=CMS)
    assert "p@ss/w:rd" in settings.secrets()
