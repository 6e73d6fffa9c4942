"""Lateness: events that arrived late or were corrected for days that the newest model has already learnt from.

Belongs here: comparing a new snapshot with that model's snapshot over the time both cover, and deciding whether the
difference calls for a retrain. Does not belong here: requesting the retrain, which is up to monitoring, as for drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.adapters import duck
from include.adapters.warehouse import Connection, query
from include.core.contract import READING_EVENTS
from include.core.errors import ArtifactDamaged
from include.core.numbers import write_number
from include.core.settings import Settings
from include.data.day_files import WHOLE, DayFile
from include.data.snapshot import Snapshot, find_snapshot
from include.data.store import object_path


@dataclass(frozen=True)
class Lateness:
    """Counts of differing events in the time both snapshots cover. A corrected event also counts as gone."""

    before_count: int
    late_count: int = 0
    corrected_count: int = 0
    gone_count: int = 0

    @property
    def share(self) -> float:
        """Return late and corrected events as a share of the earlier snapshot's events."""
        return (self.late_count + self.corrected_count) / max(self.before_count, 1)


def look_back(settings: Settings, warehouse: Connection, taken: Snapshot) -> str:
    """Compare with the newest training's snapshot, save the result in `ops.late_rows`, and return its sentence."""
    newest = warehouse.execute(query("data/newest_model"), [taken.as_of]).fetchone()
    if newest is None:
        return "No version has been trained yet, so late rows do not matter."
    version, snapshot_id = newest
    try:
        clean = find_snapshot(settings, snapshot_id)
        found = compare(settings, taken, find_snapshot(settings, clean.parent) if clean.parent else clean)
    except ArtifactDamaged as gone:
        return f"Late rows for v{version} cannot be counted: {gone.fact}"
    limit = settings.late_share_for_retrain
    is_due = found.share >= limit
    sentence = (
        f"For days v{version} learnt from, {found.late_count:,} events came late and {found.corrected_count:,} were "
        f"corrected: {write_number(found.share, 'share', limit)} of {found.before_count:,}; "
        + (
            f"enough for a retrain (limit {write_number(limit, 'share')})."
            if is_due
            else f"a retrain needs {write_number(limit, 'share')}."
        )
    )
    decision = {"limit_share": limit, "is_retrain_due": is_due, "sentence": sentence}
    where = {"snapshot_id": taken.id, "model_version": version, "as_of": taken.as_of}
    warehouse.execute(query("data/keep_late_rows"), {**where, **vars(found), "share": found.share, **decision})
    return sentence


def compare(settings: Settings, taken: Snapshot, before: Snapshot) -> Lateness:
    """Count the differences between the events of two snapshots; days with identical content are not opened."""
    since, until = max(taken.window_start, before.window_start), min(taken.as_of, before.as_of)
    now_, then = (
        [file for file in snapshot.files if file.table == READING_EVENTS.name and _touches(file, since, until)]
        for snapshot in (taken, before)
    )
    new, old = [file for file in now_ if file not in then], [file for file in then if file not in now_]
    same = sum(file.rows for file in now_ if file in then)
    with duck.connect() as connection:
        for name, files in {"taken_now": new, "taken_before": old}.items():
            paths = [str(object_path(settings, file.sha256)) for file in files]
            if paths:
                connection.read_parquet(paths).create_view(name)
            else:
                connection.register(name, READING_EVENTS.columns.empty_table())
        known_until = before.as_of + timedelta(minutes=settings.arrival_grace_minutes)
        limits = {"since": since, "until": until, "known_until": known_until}
        (row,) = duck.fetch(connection, duck.query("data/changes"), limits).to_pylist()
    return Lateness(**{**row, "before_count": row["before_count"] + same})


def _touches(file: DayFile, since: datetime, until: datetime) -> bool:
    if file.day == WHOLE:
        return False
    begin = datetime.fromisoformat(file.day).replace(tzinfo=UTC)
    return begin < until and begin + timedelta(days=1) > since
