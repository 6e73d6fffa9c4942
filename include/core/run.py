"""A run: the settings, the moment and the person that a stage works for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.core.settings import Settings


@dataclass(frozen=True)
class Run:
    """One run of a DAG or of the command line: all that a stage needs to know about where it belongs."""

    settings: Settings
    run_id: str
    as_of: datetime
    actor: str
