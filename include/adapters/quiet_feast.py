"""Importing Feast without the folder that it makes for the metrics of server workers, its warnings and its type checks.

That folder would be left in the temporary folder when Airflow kills a task. On import Feast also asks for the
deprecation warnings of every library, which concern their authors and not the person at the command line. And typeguard
compiles each of Feast's functions again, to check the types of its arguments. That is four fifths of the import's time
in every process. The checks matter for our declarations; `feast plan` and `feast apply` still make them, because they
import Feast themselves.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        with warnings.catch_warnings(), _unchecked():
            import feast
    finally:
        for name in FOLDERS:
            if name not in given:
                os.environ.pop(name, None)
    return feast


@contextmanager
def _unchecked() -> Iterator[None]:
    """Leave functions as they are that are decorated to have their arguments' types checked."""
    import typeguard

    def leave(target: Callable[..., Any]) -> Callable[..., Any]:
        return target

    checked = typeguard.typechecked
    vars(typeguard)["typechecked"] = leave
    try:
        yield
    finally:
        vars(typeguard)["typechecked"] = checked
