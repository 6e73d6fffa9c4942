"""The run that a stage works for: settings, id, moment, who started it and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.core.settings import Settings


@dataclass(frozen=True)
class Run:
    """One run of a DAG or of a command.

    `reason` says why it runs; `mode` says how far it may go with a verdict, and is empty where that does not matter;
    `kind` says how it was started (scheduled, event, manual, backfill, replay, command); `form` holds the fields that a
    person filled in. A run that may not go live promotes nothing and asks nobody, whatever its verdict.
    """

    settings: Settings
    run_id: str
    as_of: datetime
    actor: str
    reason: str = ""
    mode: str = ""
    kind: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)
    may_go_live: bool = True

    @property
    def may_promote(self) -> bool:
        """Return whether its verdict may change the champion."""
        return self.may_go_live and self.mode != "dry_run"

    def tell_origin(self) -> str:
        """Return how and by whom the run was started."""
        return tell_origin(self.kind, self.mode, self.actor)


KINDS = {
    "scheduled": "scheduled run",
    "event": "run after an event",
    "manual": "manual run",
    "command": "command",
    "backfill": "backfill",
    "replay": "replay of quarantined rows",
}
MODES = {"data": "data only", "features": "data and features", "off": "training only", "dry_run": "dry run"}


def tell_origin(kind: str, mode: str, actor: str) -> str:
    """Return how and by whom a run was started, and how far it was to go if not the whole way, from its record."""
    what = ", ".join(filter(None, (KINDS.get(kind, "run"), MODES.get(mode))))
    return what if actor in ("", "schedule", "event") else f"{what} by {actor}"
