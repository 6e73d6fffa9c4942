"""One thread at a time for the numeric libraries, at a hundredth of what it costs to find them first.

Belongs here: the limit for asking a model. Learning looks for the libraries anew, for it may load some.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

import scipy.linalg  # noqa: F401  # it brings a library of its own, which must be there to be found
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]


def one_thread() -> AbstractContextManager[Any]:
    """Sums in one order, and for a few rows no waiting of threads for each other, which takes longer than the work."""
    return cast(AbstractContextManager[Any], _libraries().limit(limits=1))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
