"""An installation whose Airflow database is as Airflow made it."""

from __future__ import annotations

import shutil

import pytest

from include.adapters.warehouse import connect
from include.operations.launcher import files, preparations
from tests.conftest import reset_warehouse
from tests.parts.servers import write_env_file

PRISTINE = "pristine_airflow"


def replace_airflow(settings, template):
    with connect(settings, "postgres", "postgres", autocommit=True) as admin:
        admin.execute("drop database if exists airflow with (force)")
        admin.execute(f"create database airflow owner airflow template {template} strategy file_copy")


@pytest.fixture(scope="session")
def airflow_home(server, tmp_path_factory):
    """The state folder, with Airflow's keys, of an installation whose database is kept as a template."""
    settings = server.model_copy(update={"home": tmp_path_factory.mktemp("airflow")})
    for folder in files.FOLDERS:
        (settings.home / folder).mkdir(parents=True, exist_ok=True)
    preparations.prepare_airflow_database(settings)
    with connect(settings, "postgres", "postgres", autocommit=True) as admin:
        admin.execute(f"create database {PRISTINE} template airflow strategy file_copy")
    replace_airflow(settings, "template1")
    return settings.home


@pytest.fixture(scope="module")
def airflow(server, airflow_home, tmp_path_factory):
    """Its settings. The database is empty again afterwards."""
    settings = server.model_copy(update={"home": tmp_path_factory.mktemp("installation") / "home"})
    shutil.copytree(airflow_home, settings.home)
    write_env_file(settings)
    reset_warehouse(settings)
    replace_airflow(settings, PRISTINE)
    yield settings
    replace_airflow(settings, "template1")
