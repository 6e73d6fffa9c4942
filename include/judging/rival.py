"""Choose the version that a challenger has to beat: today's champion, or for a past day the champion of that day.

A later champion has seen the answers of an earlier day, so it is no rival there. The ledger is append-only, so the
choice for a past day is the same whenever it is made. Only files that retention removed since can change it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from include.adapters.warehouse import Connection, query
from include.core.run import Run
from include.judging import champion as champions

PAST = ("backfill", "replay")


@dataclass(frozen=True)
class Incumbent:
    """The version to beat, and the row of the ledger that a promotion has to follow (0 for an empty ledger).

    `is_current` is True for today's champion, or if there is none yet; `is_past` if it was chosen for a past day;
    `is_of_record` if this run's verdict counted when it was first judged. `told` names version and moment. `apart` is
    not empty if the version is not that row's.
    """

    version: int | None
    seq: int
    is_current: bool
    told: str
    is_past: bool = False
    is_of_record: bool = False
    apart: tuple[str, ...] = ()

    def without_files(self, trouble: str) -> Incumbent:
        """Return the same for a version that can no longer be loaded: no version to beat."""
        told = (
            f"{self.told.replace('Judged against', 'Not judged against')} Its files are gone ({trouble.rstrip('.')}), "
        )
        return replace(
            self, version=None, is_current=False, told=f"{told}so only the baselines are left.", apart=("gone",)
        )


def choose_incumbent(warehouse: Connection, run: Run) -> Incumbent:
    """Return the version to beat in this run; a run that is judged again gets the one of its first verdict."""
    newest = champions.find_champion(warehouse)
    newest_seq = newest.seq if newest else 0
    if run.form.get("chained"):
        return _choose_chained(warehouse, run, newest_seq)
    before = warehouse.execute(query("judging/judged_before"), {"run_id": run.run_id, "as_of": run.as_of}).fetchone()
    if before:
        told = before[3] or (  # verdicts of release 0.1 do not tell it
            f"Judged against {_name(before[0])} as when this run was first judged, on {before[2]:%Y-%m-%d %H:%M} UTC."
        )
        return Incumbent(before[0], before[1], before[1] == newest_seq, told, is_of_record=True)
    (is_past,) = warehouse.execute(query("judging/is_past"), {"as_of": run.as_of}).fetchone() or (False,)
    if is_past or run.kind in PAST:
        return _choose_past(warehouse, run.as_of, newest_seq)
    told = (
        f"Judged against v{newest.version}, champion since {newest.at:%Y-%m-%d %H:%M} UTC." if newest else NO_CHAMPION
    )
    return Incumbent(newest.version if newest else None, newest_seq, True, told)


NO_CHAMPION = "Judged against the baselines alone: there is no champion yet."


def _name(version: int | None) -> str:
    return "the baselines alone" if version is None else f"v{version}"


def _choose_past(warehouse: Connection, as_of: datetime, newest_seq: int) -> Incumbent:
    """Return the champion in force at a moment, by the ledger."""
    found = champions.find_champion_as_of(warehouse, as_of)
    moment = f"as of {as_of:%Y-%m-%d %H:%M} UTC"
    if found is None:
        told = f"Judged against the baselines alone: {moment} there was no champion."
        return Incumbent(None, 0, newest_seq == 0, told, is_past=True)
    told = f"Judged against v{found.version}, the champion {moment} (since {found.at:%Y-%m-%d %H:%M} UTC)."
    return Incumbent(found.version, found.seq, found.seq == newest_seq, told, is_past=True)


def _choose_chained(warehouse: Connection, run: Run, newest_seq: int) -> Incumbent:
    """Return the version that won a chained day before this one, unless the ledger has a later champion as of then."""
    past = _choose_past(warehouse, run.as_of, newest_seq)
    asked: dict[str, Any] = {"as_of": run.as_of, "seq": past.seq}
    found = warehouse.execute(query("judging/chained_winner"), asked).fetchone()
    if found is None:
        return past
    version, day, seq = found
    told = (
        f"Judged against v{version}, which the chained backfill would have made champion on {day:%Y-%m-%d %H:%M} UTC."
    )
    if seq is not None:
        return Incumbent(version, seq, seq == newest_seq, told, is_past=True)
    return Incumbent(version, past.seq, False, told, is_past=True, apart=(f"v{version}",))
