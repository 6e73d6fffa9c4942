"""Retention: one sweep that removes whatever is old and keeps what readers see or a person may need.

Belongs here: the order of the sweep and everything removed by age alone. Versions and snapshots refer to each other and
have files of their own. A dry run returns the same result and removes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from psycopg import sql

from include.adapters import mlflow_cleaning
from include.adapters.warehouse import connect, query
from include.alerts.outbox import names_of_outbox
from include.core.errors import ServiceError
from include.core.locks import LockKey
from include.core.settings import Settings
from include.operations.retention.items import Item, Sweep, changed_at, drop_old
from include.operations.retention.snapshots import sweep_snapshots
from include.operations.retention.versions import drop_files, number_of, plan_versions, purge_removed, remove_versions
from include.operations.runs import find_results

__all__ = ["Item", "Sweep", "sweep"]

STRAY_HOURS = 24
FIGURES_DAYS = 90  # checks against history need four weeks; the rest is for charts
ROWS = {
    "figures": "old_figures",
    "kept checks": "old_checks",
    "records of stages": "old_runs",
    "measures of drift": "old_drift",
    "refused forms": "old_refusals",
    "landed data": "old_landings",
}
RECORD = {  # in this order: alerts stay as long as the incident that they tell of
    "incidents": "old_incidents",
    "alerts": "old_alerts",
    "mutes": "old_mutes",
    "measures of reading": "old_health",
    "requests for training": "old_requests",
}
SERVED = {"records of what was served": "old_served"}  # worth as much as the batches that they name
CARDS = "cards"  # kept as long as the versions they describe


def sweep(settings: Settings, as_of: datetime, *, dry_run: bool = False) -> Sweep:
    """Remove what is old, or only list it in a dry run; return the items."""
    before, items, notes = as_of - timedelta(days=settings.keep_days), [], []
    items += (batches := _drop_batches(settings, before, dry_run))
    going: list[int] = []
    try:
        aliases = mlflow_cleaning.find_aliases(settings)
        versions = plan_versions(settings, as_of, aliases, [item.name for item in batches])
        if not dry_run:
            versions = remove_versions(settings, as_of, versions)
            purge_removed(settings, as_of)
        going = [number_of(item) for item in versions if not item.is_kept]
        items += [*versions, *drop_files(settings, as_of, going, dry_run)]
    except ServiceError as error:
        notes.append(f"Versions were not checked: {error.fact}")
    items += sweep_snapshots(settings, as_of, going, [item.name for item in batches], dry_run)
    items += _drop_by_age(settings, as_of, before, dry_run)
    items += _drop_rows(settings, as_of, dry_run)
    return Sweep(as_of, dry_run, tuple(items), tuple(notes))


def _drop_batches(settings: Settings, before: datetime, dry_run: bool) -> list[Item]:
    """Remove the rows of old batches; keep the record of each batch."""
    with connect(settings) as warehouse:
        # a rollback may be making one of them live again
        warehouse.execute(query("lists/lock_live"), {"key": LockKey.LIVE_LISTS})
        names = [name for (name,) in warehouse.execute(query("operations/retention/old_batches"), {"before": before})]
        for name in names if not dry_run else ():
            warehouse.execute(sql.SQL("drop table {}").format(sql.Identifier("recs", f"batch_{name.lower()}")))
    return [Item("batches", name, False, f"older than {settings.keep_days} days and not live") for name in names]


def _drop_rows(settings: Settings, as_of: datetime, dry_run: bool) -> list[Item]:
    """Delete old rows and return a line per kind; a dry run rolls the deletion back."""
    ages = ((SERVED, settings.keep_days), (ROWS, FIGURES_DAYS), (RECORD, settings.keep_record_days))
    items = []
    with connect(settings) as warehouse, warehouse.transaction(force_rollback=dry_run):
        values = {
            "drift_windows": settings.drift_windows,
            "channels": names_of_outbox(settings),
            "worked": [result["worked_run"] for result in find_results(settings, warehouse)],
        }
        for rows, days in ages:
            before = {"before": as_of - timedelta(days=days)}
            for kind, name in rows.items():
                count = warehouse.execute(query(f"operations/retention/{name}"), values | before).rowcount
                items.append(Item(kind, f"{count}", False, f"older than {days} days", 0, count))
    return [item for item in items if item.count]


def _drop_by_age(settings: Settings, as_of: datetime, before: datetime, dry_run: bool) -> list[Item]:
    """Remove old files that can be made again or have been read."""
    home = settings.home
    with connect(settings) as warehouse:
        asked = {str(row[0]) for row in warehouse.execute(query("pipeline/open_questions"))}
    newest = max(home.glob("features/2*-scoring-*"), default=None)
    window = before - timedelta(days=max(settings.window_days, settings.lookback_days))
    found = [
        drop_old(kind, paths, moment, dry_run)
        for kind, paths, moment in (
            ("builds", [path for path in home.glob("features/2*") if path != newest], before),
            ("days of features", [*home.glob("features/days/*")], before),
            ("lists", [*home.glob("lists/*")], before),
            (
                "reports",
                [p for p in home.glob("reports/*/*") if p.parent.name != CARDS and p.stem not in asked],
                before,
            ),
            ("backtests", [*home.glob("backtests/*/*")], before),
            ("conditions", [*home.glob("validation/*/*.json")], window),
            ("rejects", [*home.glob("rejects/*"), *home.glob("proposals/*")], as_of - timedelta(days=FIGURES_DAYS)),
            ("logs", _logs(home), as_of - timedelta(days=settings.keep_log_days)),
            ("strays", [*home.glob("tmp/part-*")], as_of - timedelta(hours=STRAY_HOURS)),
        )
    ]
    if not dry_run:
        _drop_empty(home / "airflow" / "logs", as_of - timedelta(days=settings.keep_log_days))
    return [item for item in found if item]


def _logs(home: Path) -> list[Path]:
    """Return the logs of tasks, parsing and triggers that Airflow keeps in the state folder."""
    return [path for path in (home / "airflow" / "logs").rglob("*.log*") if path.is_file()]


def _drop_empty(folder: Path, before: datetime) -> None:
    """Remove empty folders, the innermost first."""
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        if changed_at(path) < before and not any(path.iterdir()):
            path.rmdir()
