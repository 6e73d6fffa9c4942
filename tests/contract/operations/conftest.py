"""An installation whose Airflow database is as Airflow made it."""

from __future__ import annotations

import pytest

from include.adapters.warehouse import connect
from include.operations.launcher import files, preparations
from tests.conftest import reset_warehouse
from tests.parts.servers import write_env_file


@pytest.fixture(scope="module")
def airflow(server, tmp_path_factory):
    """Its settings. The database is empty again afterwards."""
    settings = server.model_copy(update={"home": tmp_path_factory.mktemp("airflow")})
    reset_warehouse(settings)
    for folder in files.FOLDERS:
        (settings.home / folder).mkdir(parents=True, exist_ok=True)
    write_env_file(settings)
    preparations.prepare_airflow_database(settings)
    yield settings
    with connect(settings, "postgres", "postgres", autocommit=True) as admin:
        admin.execute("drop database airflow with (force)")
        admin.execute("create database airflow owner airflow")
