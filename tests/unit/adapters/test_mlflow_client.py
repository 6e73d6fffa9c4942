"""MLflow's client on its own: what it brings into a process that talks to its server."""

from __future__ import annotations

import subprocess
import sys

from include.core.settings import PROJECT

ASK = """
import sys
from include.adapters import mlflow_client
from include.core.errors import ServiceError
from include.core.settings import Settings
try:
    mlflow_client.client(Settings(mlflow_port=1))
except ServiceError as error:
    print(str(error).partition(" does not answer")[0], "feast" in sys.modules)
"""


def test_a_call_to_a_server_does_not_import_feast(tmp_path):
    """A plugin of Feast's for MLflow would: each command, and each version that is tried, would start seconds later."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=PROJECT,
        env={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("MLflow at http://127.0.0.1:1 False\n", "")
    assert not list(tmp_path.iterdir())
