"""Feast as it is imported here: without the folder that it makes for the figures of a server's workers.

It would lie in the temporary folder, where a task that Airflow ends leaves it. MLflow's client imports Feast, too, as
soon as it speaks to a server, so both adapters come here first.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

FOLDERS = ("PROMETHEUS_MULTIPROCESS_DIR", "PROMETHEUS_MULTIPROC_DIR")


@cache
def import_feast() -> Any:
    """The package; the environment is as it was."""
    import prometheus_client  # noqa: F401 - decides as it is imported that figures stay in memory

    given = {name for name in FOLDERS if name in os.environ}
    os.environ.setdefault(FOLDERS[0], os.devnull)
    try:
        import feast
    finally:
        for name in FOLDERS:
            if name not in given:
                os.environ.pop(name, None)
    return feast
