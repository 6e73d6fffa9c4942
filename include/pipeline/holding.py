"""Freezes and pins: a person keeps the champion, for a while or until further notice, and is recorded with the reason.

A hold and its line in the audit log are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from include.adapters.warehouse import Connection, connect
from include.core.clock import now
from include.core.errors import DaybreakError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.judging import champion as champions
from include.judging import holds
from include.judging.holds import Kind
from include.pipeline.run import keep_audit, recorded

LONGEST_FREEZE_HOURS = 8_784
LIFTED = {"freeze": "Promotions are allowed again.", "pin": "No version is pinned any more."}
NOTHING = {"freeze": "Promotions were not frozen.", "pin": "No version was pinned."}


@recorded
def hold(run: Run, action: Literal["freeze", "unfreeze", "pin", "unpin"], hours: float, reason: str) -> Reference:
    """Set or lift a hold in the name of who started the run; return it in words.

    A freeze ends `hours` after the run's moment, so that clearing the run does not lengthen it.
    """
    match action:
        case "freeze":
            sentence = freeze(run.settings, run.actor, run.as_of + timedelta(hours=hours), reason)
        case "pin":
            sentence = pin(run.settings, run.actor, None, reason)
        case "unfreeze":
            sentence = lift(run.settings, run.actor, "freeze", reason)
        case "unpin":
            sentence = lift(run.settings, run.actor, "pin", reason)
    return Reference("hold", action, "", run.as_of, digest_of(action, reason), (), {"sentence": sentence})


def freeze(settings: Settings, who: str, until: datetime, reason: str) -> str:
    """Freeze promotions until a moment; return the freeze in words."""
    moment = now()
    if until <= moment:
        raise DaybreakError(f"{until:%Y-%m-%d %H:%M} UTC is in the past.", hint="name a moment in the future.")

    def change(warehouse: Connection) -> str:
        return holds.set_hold(warehouse, "freeze", reason=reason, actor=who, moment=moment, until=until).tell()

    return _record(settings, who, "freeze", {"until": until, "reason": reason}, change)


def pin(settings: Settings, who: str, version: int | None, reason: str) -> str:
    """Pin the champion, which must be `version` if one is given; return the pin in words."""

    def change(warehouse: Connection) -> str:
        holds.lock(warehouse)  # from here on no version is promoted
        champion = champions.need_champion(warehouse)
        if version not in (None, champion.version):
            raise DaybreakError(
                f"v{version} is not the champion; v{champion.version} is.",
                hint=f"`bin/daybreak rollback --to {version} --reason …` first, then pin.",
            )
        hold = holds.set_hold(warehouse, "pin", version=champion.version, reason=reason, actor=who, moment=now())
        return hold.tell()

    return _record(settings, who, "pin", {"version": version, "reason": reason}, change)


def lift(settings: Settings, who: str, kind: Kind, reason: str = "") -> str:
    """Lift the freeze or the pin; return in words what was lifted. Without one, nothing is recorded."""
    with connect(settings) as warehouse:
        if not holds.lift(warehouse, kind, actor=who, moment=now()):
            return NOTHING[kind]
        keep_audit(warehouse, who, f"lift {kind}", {"reason": reason} if reason else {})
    return LIFTED[kind]


def _record(
    settings: Settings, who: str, action: str, detail: dict[str, Any], change: Callable[[Connection], str]
) -> str:
    with connect(settings) as warehouse:
        said = change(warehouse)
        keep_audit(warehouse, who, action, detail)
    return said
