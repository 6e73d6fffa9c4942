"""Parsing a DAG is cheap: the dag-processor does it every few seconds, and every task does it before it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dags.test_integrity import EXPECTED

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "sklearn",
    "scipy",
    "mlflow",
    "feast",
    "great_expectations",
    "evidently",
]
PARSE = """
import json, sys
import airflow.dag_processing.dagbag as airflow
before = set(sys.modules)
bag = airflow.DagBag(sys.argv[1])
from airflow import plugins_manager
plugins_manager.ensure_plugins_loaded()
new = sorted({name.split(".")[0] for name in set(sys.modules) - before})
plugins = [p.name for p in plugins_manager._get_plugins()[0] if p.name == "daybreak"]
print(json.dumps({"dags": len(bag.dags), "errors": bag.import_errors, "new": new,
                  "plugins": plugins, "plugin_errors": plugins_manager.get_import_errors(),
                  "pages": "airflow.api_fastapi.core_api.security" in set(sys.modules) - before}))
"""


@pytest.fixture(scope="module")
def found():
    """What a fresh process has loaded after parsing the DAGs, with no more on its path than in production."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(ROOT / "dags")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_dags_and_plugin_load_from_their_folders_and_bring_nothing_heavy(found):
    assert found["errors"] == {}
    assert found["plugin_errors"] == {}
    assert found["plugins"] == ["daybreak"]
    assert found["dags"] == len(EXPECTED)
    assert "daybreak_airflow" in found["new"]
    assert not set(found["new"]) & set(HEAVY)
    assert not found["pages"], "workers load the plugin too; they have no use for the pages"


def test_the_shared_code_is_loaded_once_as_a_package(found):
    """Airflow imports every file below plugins/ as a plugin of its own, unless `.airflowignore` says no."""
    shared = {file.stem for file in (ROOT / "plugins" / "daybreak_airflow").glob("*.py")} - {"__init__"}
    assert not shared & set(found["new"])
