"""Airflow reads its configuration when it is imported, so it is set here, before any test imports it."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATE = tempfile.mkdtemp(prefix="daybreak-dags-")
atexit.register(shutil.rmtree, STATE, ignore_errors=True)

os.environ |= {
    "AIRFLOW_HOME": STATE,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{STATE}/airflow.db",
}
for folder in (ROOT, ROOT / "plugins"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@pytest.fixture(scope="session")
def dags():
    """The DAGs as Airflow's dag-processor finds them."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(ROOT / "dags")
    assert not bag.import_errors
    return bag.dags
