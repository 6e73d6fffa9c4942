"""Retention: what is deleted when it is old, and which days are missing. Never the live batch, never a model."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import sql

from include.adapters.warehouse import connect, query
from include.settings import Settings

STRAY_HOURS = 24
FIGURES_DAYS = 90  # history looks back four weeks; the rest is for people's charts


def sweep(settings: Settings, as_of: datetime) -> dict[str, Any]:
    """How many of each kind were deleted, and the days without a verdict."""
    before = as_of - timedelta(days=settings.keep_days)
    with connect(settings) as warehouse:
        batches = [name for (name,) in warehouse.execute(query("retention/old_batches"), {"before": before})]
        for name in batches:
            warehouse.execute(sql.SQL("drop table {}").format(sql.Identifier("recs", f"batch_{name.lower()}")))
        forgotten = warehouse.execute(query("retention/old_figures"), {"before": as_of - timedelta(days=FIGURES_DAYS)})
        gaps = [day for (day,) in warehouse.execute(query("retention/days_without_verdict"), {"as_of": as_of})]
    home = settings.home
    latest = (home / "features" / "latest").resolve().name
    return {
        "batches": len(batches),
        "figures": forgotten.rowcount,
        "builds": sum(_delete_old(p, before) for p in (home / "features").glob("2*") if p.name != latest),
        "lists": sum(_delete_old(path, before) for path in (home / "lists").glob("2*")),
        "reports": sum(_delete_old(path, before) for path in (home / "reports").glob("*/*")),
        "backtests": sum(_delete_old(path, before) for path in (home / "backtests").glob("*/*")),
        "strays": sum(
            _delete_old(path, as_of - timedelta(hours=STRAY_HOURS)) for path in (home / "tmp").glob("part-*")
        ),
        "gaps": gaps,
    }


def _delete_old(path: Path, before: datetime) -> int:
    if datetime.fromtimestamp(path.stat().st_mtime, UTC) >= before:
        return 0
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return 1
