"""Find out whether readers spend clearly less time on a new champion's lists than on its predecessor's."""

from __future__ import annotations

from datetime import datetime

from include.adapters.warehouse import Connection, query
from include.core.numbers import write_number
from include.core.settings import Settings
from include.judging.champion import Champion


def find_reign(
    settings: Settings, warehouse: Connection, champion: Champion, as_of: datetime
) -> list[tuple[int, datetime, int, float]]:
    """Return the windows of the champion and of its predecessor, newest first: version, end, shown, seconds."""
    values = {
        "version": champion.version,
        "from_version": champion.from_version,
        "since": champion.at,
        "as_of": as_of,
        "after_hours": settings.rollback_after_hours,
        "window_hours": settings.monitor_window_hours,
    }
    return warehouse.execute(query("monitoring/reign"), values).fetchall()


def find_fall(settings: Settings, champion: Champion, rows: list[tuple[int, datetime, int, float]]) -> str:
    """Return why the champion should go, by its latest window and its predecessor's last one; empty if it stays."""
    newest = {version: (shown, seconds) for version, _, shown, seconds in reversed(rows)}
    ours, theirs = newest.get(champion.version), newest.get(champion.from_version or 0)
    if champion.action == "rollback" or ours is None or theirs is None:
        return ""
    if min(ours[0], theirs[0]) < settings.rollback_min_impressions:
        return ""
    our, their = ours[1] / ours[0], theirs[1] / theirs[0]
    if our >= their * (1 - settings.rollback_fall_share):
        return ""
    return (
        f"Readers spent {our:.1f} s per article shown by v{champion.version} ({ours[0]:,} shown) and {their:.1f} s by "
        f"v{champion.from_version} before it ({theirs[0]:,} shown); a fall of "
        f"{write_number(settings.rollback_fall_share, 'share')} is allowed."
    )
