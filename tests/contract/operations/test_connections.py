"""Airflow's connections follow the settings until a person edits them; on a real Airflow database."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from include.adapters.warehouse import connect
from include.core.settings import PROJECT
from include.operations.launcher import environment, preparations

pytestmark = pytest.mark.timeout(900)


def connections(settings):
    """The connections as Airflow's own command exports them, decrypted."""
    exported = settings.home / "exported.json"
    command = [sys.executable, "-m", "airflow", "connections", "export", str(exported), "--file-format", "json"]
    env = environment.of_airflow(settings, "api-server")
    subprocess.run(command, env=env, cwd=PROJECT, capture_output=True, check=True)
    return {name: one for name, one in json.loads(exported.read_text()).items() if name.startswith("daybreak_")}


def edit(settings, statement):
    with connect(settings, "airflow") as database:
        database.execute(statement)


def test_connections_are_made_follow_the_settings_and_keep_what_a_person_edited(airflow):
    made = connections(airflow)
    assert {name: (one["login"], one["schema"]) for name, one in made.items()} == {
        "daybreak_source": ("daybreak_extract", "publisher"),
        "daybreak_warehouse": ("daybreak_run", "warehouse"),
    }
    assert made["daybreak_source"]["password"] == airflow.extract_password.get_secret_value()

    edit(airflow, "update connection set host = 'db.example.com' where conn_id = 'daybreak_source'")
    moved = airflow.with_databases(source="postgresql://r:p@10.0.0.7:5433/cms?sslmode=require")
    moved = moved.with_databases(warehouse="postgresql://w:p@10.0.0.8/w")
    preparations.prepare_airflow_database(moved)
    found = connections(moved)
    assert found["daybreak_source"]["host"] == "db.example.com"  # edited, so left alone
    assert (found["daybreak_warehouse"]["host"], found["daybreak_warehouse"]["login"]) == ("10.0.0.8", "w")

    edit(airflow, "delete from connection where conn_id = 'daybreak_source'")
    preparations.prepare_airflow_database(airflow)  # the settings have changed since, so it comes back
    assert connections(airflow)["daybreak_source"]["host"] == "127.0.0.1"
    assert not list((airflow.home / "tmp").glob("connections*"))


def test_airflows_processes_have_no_password_of_the_two_databases_in_their_environment(airflow):
    values = " ".join(environment.of_airflow(airflow, "scheduler").values())
    for secret in (airflow.extract_password, airflow.run_password):
        assert secret.get_secret_value() not in values
