"""Limit numeric libraries to one thread, a hundred times faster by finding the libraries only once.

Only for ranking. Training finds the libraries again, because it may load more of them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

import scipy.linalg  # noqa: F401  # loads a library of its own, which is found only once loaded
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_thread() -> AbstractContextManager[Any]:
    """Limit libraries to one thread: sums keep one order, and few rows are not slowed by threads that wait."""
    return cast(AbstractContextManager[Any], _libraries().limit(limits=1))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
