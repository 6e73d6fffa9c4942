"""What a run leaves in the temporary folder: nothing, even when its process is ended as Airflow ends a task's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from include.core.settings import PROJECT
from tests.worlds import tiny

# Each word in turn, then an end without the interpreter's own tidying up.
RUN = """
import os, sys
from include.operations.cli import main
for word in sys.argv[2:]:
    try:
        main([word, "--as-of", sys.argv[1]])
    except SystemExit as end:
        assert not end.code, (word, end.code)
os._exit(0)
"""


@pytest.fixture(scope="module")
def left(live_lists, mlflow_server, tmp_path_factory):
    """What lies in the temporary folder after all stages of three words ran in a process of their own."""
    folder = tmp_path_factory.mktemp("temporary")
    where = {"TMPDIR": str(folder), "DAYBREAK_HOME": str(mlflow_server.home)}
    command = [sys.executable, "-c", RUN, tiny.AS_OF.isoformat(), "retrain", "recommend", "monitor"]
    subprocess.run(command, check=True, cwd=PROJECT, env=os.environ | where, capture_output=True, text=True)
    return sorted(path.name for path in folder.iterdir())


def test_a_run_leaves_nothing_in_the_temporary_folder(left):
    assert left == []
