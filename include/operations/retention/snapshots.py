"""Remove old snapshots that nothing refers to, and the day files that no other snapshot uses.

The rows quarantined from a snapshot are removed with it, because they cannot come back without it. The sweep holds a
lock that runs share while they save a snapshot, so no run saves a half-removed one. A kill in the middle leaves files
that the warehouse does not know; the next sweep removes them. Day files younger than a day stay: a run may still be
making their snapshot.

With `snapshot_url` only the copies on this machine are removed. The store expires its own files, because other
installations may share it.
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
from include.operations.retention.items import Item, changed_at, disk_usage, drop

KIND = "snapshots"
STRAY = timedelta(hours=24)
FORGET = ("articles", "reading_events", "subscribers", "replays", "late_rows", "days", "snapshots")


def sweep_snapshots(
    settings: Settings, as_of: datetime, going_versions: Sequence[int], going_batches: Sequence[str], dry_run: bool
) -> list[Item]:
    """Remove old snapshots; return every snapshot with the reason it stays or goes, and the removed day files."""
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
    return Item(KIND, name, bool(claims), why, disk_usage(settings.home / "snapshots" / name) if not claims else 0)


def _find_unknown(settings: Settings, known: set[str], before: datetime) -> list[Item]:
    """Return folders of snapshots unknown to the warehouse, left by a sweep that was killed."""
    manifests = (settings.home / "snapshots").glob("*/manifest.json")
    return [
        Item(KIND, path.parent.name, False, "the warehouse does not know it", disk_usage(path.parent))
        for path in manifests
        if path.parent.name not in known and changed_at(path) < before
    ]


def _drop_day_files(
    settings: Settings, warehouse: Connection, as_of: datetime, going: Sequence[str], dry_run: bool
) -> Iterable[Item]:
    """Remove the day files, and their profiles, that no kept snapshot uses; yield one item for them."""
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
        yield Item("day files", f"{len(loose)} of {len(files)}", False, "no snapshot uses them", size, len(loose))


def _contents(manifest: Path) -> set[str]:
    try:
        return {file["sha256"] for file in read_json(manifest)["files"]}
    except ArtifactDamaged:
        return set()  # an unreadable manifest holds nothing
