"""What a piece of work cost this process."""

from __future__ import annotations

import resource


def peak_mb() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
