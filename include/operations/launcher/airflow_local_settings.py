"""Prepare Airflow's scheduler. This file is copied into Airflow's home, and every Airflow process imports it.

The scheduler imports heavy libraries before it forks the workers, which otherwise spend several seconds per task on
imports. Third-party code only, because ours would go stale until a restart; without Evidently, which takes 76 MB for
one task an hour. Then it waits for the API that tasks call, because a task that starts before it answers fails.
"""

import importlib
import os
import sys
import time
import urllib.error
import urllib.request

HEAVY = (
    "adbc_driver_postgresql.dbapi",
    "airflow.providers.postgres.hooks.postgres",
    "duckdb",
    "feast",
    "feast.infra.offline_stores.duckdb",
    "great_expectations",
    "mlflow",
    "numpy",
    "pandas",
    "psycopg",
    "pyarrow.parquet",
    "skops.io",
    "sklearn.ensemble",
)
PATIENCE_SECONDS = 180.0


def wait_for_api() -> None:
    """Wait until the execution API answers, or patience ends."""
    url = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] + "health"
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=30):  # noqa: S310 - our own address
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)


if sys.argv[1:2] == ["scheduler"]:
    for name in HEAVY:
        importlib.import_module(name)
    wait_for_api()
