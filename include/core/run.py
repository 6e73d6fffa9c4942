"""The run that a stage works for: settings, id, moment and actor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.core.settings import Settings


@dataclass(frozen=True)
class Run:
    """One run of a DAG or of a command.

    `reason` says why it runs; `mode` says how far it may go with a verdict, and is empty where that does not matter.
    """

    settings: Settings
    run_id: str
    as_of: datetime
    actor: str
    reason: str = ""
    mode: str = ""
