"""Limit numeric libraries to one thread, a hundred times faster than finding the libraries each time.

Belongs here: the limit for asking a model. Learning finds the libraries again, because it may load more of them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

import scipy.linalg  # noqa: F401  # it loads a library of its own, which must be loaded to be found
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_thread() -> AbstractContextManager[Any]:
    """Limit libraries to one thread: sums keep one order, and few rows are not slowed by threads that wait."""
    return cast(AbstractContextManager[Any], _libraries().limit(limits=1))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
