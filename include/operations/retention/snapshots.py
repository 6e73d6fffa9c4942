"""Snapshots: those that are old and that nothing refers to go, and with them the day files that no other one holds.

The rows quarantined from a snapshot go with it, because they cannot come back without it. All of it happens
under a lock that those who keep a snapshot share, so none is kept of which half is gone. A kill in the middle
leaves rows without files; the next sweep removes those. A day file younger than a day is left alone: its snapshot may
be in the making.

With `snapshot_url` only the copies on this machine go; what lies there is for the store's own rules of expiry, because
other installations may share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from include.adapters.warehouse import Connection, connect, query
from include.core.errors import ArtifactDamaged
from include.core.locks import LockKey
from include.core.settings import Settings
from include.data.store import read_json
from include.operations.retention.items import Item, changed_at, drop, size_of

KIND = "snapshots"
STRAY = timedelta(hours=24)
FORGET = ("articles", "reading_events", "subscribers", "replays", "late_rows", "days", "snapshots")


def sweep_snapshots(
    settings: Settings, as_of: datetime, going_versions: Sequence[int], going_batches: Sequence[str], dry_run: bool
) -> list[Item]:
    """Remove old snapshots; return each with why it stays or goes, and the day files that went."""
    before = as_of - timedelta(days=settings.keep_days)
    with connect(settings) as warehouse:
        warehouse.execute(query("operations/retention/lock_snapshots"), {"key": LockKey.SNAPSHOTS})
        values = {"before": before, "going_versions": list(going_versions), "going_batches": list(going_batches)}
        rows = warehouse.execute(query("operations/retention/snapshots"), values).fetchall()
        items = [_judge(settings, before, *row) for row in rows]
        going = [item.name for item in items if not item.is_kept]
        items += _find_unknown(settings, {item.name for item in items}, before)
        for name in FORGET if not dry_run else ():
            warehouse.execute(query(f"operations/retention/forget_{name}"), {"going": going})
        for item in items:
            if not item.is_kept:
                drop(settings.home / "snapshots" / item.name, dry_run)
        items += _drop_day_files(settings, warehouse, as_of, going, dry_run)
    return items


def _judge(settings: Settings, before: datetime, name: str, used_at: datetime, claims: list[str]) -> Item:
    if used_at >= before:
        claims = [*claims, f"younger than {settings.keep_days} days"]
    why = "; ".join(claims) or f"last used {used_at:%Y-%m-%d}, nothing refers to it"
    return Item(KIND, name, bool(claims), why, size_of(settings.home / "snapshots" / name) if not claims else 0)


def _find_unknown(settings: Settings, known: set[str], before: datetime) -> list[Item]:
    """Return folders of snapshots unknown to the warehouse, left by a sweep that was killed."""
    manifests = (settings.home / "snapshots").glob("*/manifest.json")
    return [
        Item(KIND, path.parent.name, False, "the warehouse does not know it", size_of(path.parent))
        for path in manifests
        if path.parent.name not in known and changed_at(path) < before
    ]


def _drop_day_files(
    settings: Settings, warehouse: Connection, as_of: datetime, going: Sequence[str], dry_run: bool
) -> Iterable[Item]:
    """One line on the day files, and what is noted of them, that no snapshot holds which stays."""
    home = settings.home / "snapshots"
    needed = {
        digest for (digest,) in warehouse.execute(query("operations/retention/days_in_use"), {"going": list(going)})
    }
    for manifest in home.glob("*/manifest.json"):
        if manifest.parent.name not in going:
            needed |= _contents(manifest)
    files = sorted(home.glob("objects/*/*.parquet"))
    loose = [path for path in files if path.stem not in needed and changed_at(path) < as_of - STRAY]
    size = 0
    for path in loose:
        size += drop(path, dry_run)
        for profile in home.glob(f"profiles/*/{path.stem[:2]}/{path.stem}.json"):
            size += drop(profile, dry_run)
    if loose:
        yield Item("day files", f"{len(loose)} of {len(files)}", False, "no snapshot holds them", size, len(loose))


def _contents(manifest: Path) -> set[str]:
    try:
        return {file["sha256"] for file in read_json(manifest)["files"]}
    except ArtifactDamaged:
        return set()  # an unreadable manifest holds nothing
