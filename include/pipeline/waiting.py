"""Before the first stage: find out whether the data of a window has arrived, and how long a run may wait for it."""

from __future__ import annotations

from include.data.arrival import deadline, look, too_late

__all__ = ["deadline", "look", "too_late"]
