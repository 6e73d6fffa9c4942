"""The result of a sweep: for each item, whether it stays, why, and its size."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Item:
    """One thing that a sweep keeps or removes, or a line for `count` of them."""

    kind: str
    name: str
    is_kept: bool
    why: str
    size_bytes: int = 0
    count: int = 1


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep, or of a dry run."""

    as_of: datetime
    is_dry_run: bool
    items: tuple[Item, ...]
    notes: tuple[str, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """Return the number of removed items by kind, and the result in a sentence."""
        gone: Counter[str] = Counter()
        for item in self.items:
            gone[item.kind] += 0 if item.is_kept else item.count
        return {**gone, "sentence": self.sentence, "dry_run": self.is_dry_run}

    @property
    def sentence(self) -> str:
        """Return the result in one sentence."""
        gone = [item for item in self.items if not item.is_kept]
        counts: Counter[str] = Counter()
        for item in gone:
            counts[item.kind] += item.count
        told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "nothing"
        megabytes = sum(item.size_bytes for item in gone) / 1e6
        verb = "Would remove" if self.is_dry_run else "Removed"
        return f"{verb} {told}; {megabytes:,.1f} MB of files. {' '.join(self.notes)}".strip()


def drop(path: Path, dry_run: bool) -> int:
    """Remove the path unless this is a dry run; return its size."""
    size = disk_usage(path)
    if not dry_run:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return size


def disk_usage(path: Path) -> int:
    """Return the bytes that removing a file or folder frees: a day of features that a build links counts where it goes
    last."""
    files = path.rglob("*") if path.is_dir() else [path]
    stats = [file.stat() for file in files if file.is_file()]
    return sum(stat.st_size for stat in stats if stat.st_nlink == 1)


def changed_at(path: Path) -> datetime:
    """Return when the path was last changed."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def drop_old(kind: str, paths: Sequence[Path], before: datetime, dry_run: bool) -> Item | None:
    """Remove the paths last changed before a moment; return one item for them, or None without any."""
    old = [path for path in paths if changed_at(path) < before]
    size = sum(drop(path, dry_run) for path in old)
    name = old[0].name if len(old) == 1 else f"{len(old)} of {len(paths)}"
    return Item(kind, name, False, f"older than {before:%Y-%m-%d %H:%M} UTC", size, len(old)) if old else None
