"""Importing Feast without the folder that it creates for the metrics of server workers, and without its warnings.

That folder would be left in the temporary folder when Airflow kills a task. On import Feast also asks for the
deprecation warnings of every library, which concern their authors and not the person at the command line.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any

FOLDERS = ("PROMETHEUS_MULTIPROCESS_DIR", "PROMETHEUS_MULTIPROC_DIR")


@cache
def import_feast() -> Any:
    """Import Feast and return it; leave the environment and the filters of warnings unchanged."""
    import prometheus_client  # noqa: F401 - decides on import to keep metrics in memory

    given = {name for name in FOLDERS if name in os.environ}
    os.environ.setdefault(FOLDERS[0], os.devnull)
    try:
        with warnings.catch_warnings():
            import feast
    finally:
        for name in FOLDERS:
            if name not in given:
                os.environ.pop(name, None)
    return feast
