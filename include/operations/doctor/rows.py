"""Probes of the rows: their times must be plausible, and validation must accept the newest."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from include.adapters.warehouse import connect, source_query
from include.core.contract import TABLES
from include.core.settings import Settings
from include.data import snapshot
from include.operations.doctor import State
from include.validation import suites
from include.validation.broken_rows import find_broken_rows, open_rows
from include.validation.conditions import find_conditions

HOUR = 3600.0
MOST_ODD_SHARE = 0.01
LOOK_AT = timedelta(hours=1)
UNIQUE = ("SUB102", "ART102", "EVT102")

Answer = tuple[State, str, str]


def times(settings: Settings, moment: datetime) -> Answer:
    """Check that events are in the recent past and arrive after they happened, but not by a whole number of hours."""
    with connect(settings, "daybreak_extract") as source:
        ahead, ancient = source.execute(
            source_query(settings, "operations/doctor/odd_times"), {"moment": moment}
        ).fetchone() or (0, 0)
        row = source.execute(source_query(settings, "operations/doctor/times"), {"moment": moment}).fetchone()
    events, before, lag, least = row or (0, 0, None, None)
    if ahead or ancient:
        return (
            "FIX",
            f"{ahead:,} events are in the future, {ancient:,} from before 1990",
            "the unit is wrong (seconds for milliseconds), or local time is labelled UTC; correct the view.",
        )
    if not events or lag is None:
        return "note", "there are no events yet", "load or map some reading first."
    if before > MOST_ODD_SHARE * events:
        hours = -float(lag) / HOUR
        return (
            "FIX",
            f"{before:,} of the newest {events:,} events arrived before they happened, typically {hours:.1f} h",
            "occurred_at or ingested_at is local time labelled UTC; convert it with `at time zone` in the view.",
        )
    whole = round(float(least) / HOUR)
    if whole >= 1 and abs(float(least) - whole * HOUR) < HOUR / 12:
        return (
            "note",
            f"no event arrives sooner than {whole} h after it happened, to the minute",
            "unless you load in batches, one of the two times is local time labelled UTC; correct the view.",
        )
    return "fine", f"the newest {events:,} events arrived {float(lag):,.0f} s after they happened (median)", ""


def keys(settings: Settings, moment: datetime) -> Answer:
    """Check that keys are unique among the newest rows."""
    return _judge(settings, moment, only=UNIQUE)


def rows(settings: Settings, moment: datetime) -> Answer:
    """Check the newest hour of events, with its articles and readers, as validation does."""
    return _judge(settings, moment, but=UNIQUE)


def _judge(settings: Settings, moment: datetime, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> Answer:
    """Compare the share of broken rows per code with the cap that stops a run, on an extract to a temporary folder."""
    with connect(settings, "daybreak_extract") as source:
        row = source.execute(source_query(settings, "operations/doctor/newest"), {"moment": moment}).fetchone()
    if row is None or row[0] is None:
        return "note", "there are no events yet", "load or map some reading first."
    find_conditions(settings)  # else they are made again in the temporary folder
    with TemporaryDirectory(prefix="daybreak-doctor-") as folder:
        apart = settings.model_copy(update={"home": Path(folder), "snapshot_url": ""})
        taken = snapshot.take_snapshot(apart, row[0] + timedelta(microseconds=1), LOOK_AT)
        with open_rows(apart, taken) as connection:
            broken = find_broken_rows(settings, connection)
    found = Counter(
        (one.table, code) for one in broken for code in one.codes if (code in only if only else code not in but)
    )
    sizes = {table.name: taken.rows(table.name) for table in TABLES}
    looked = ", ".join(f"{rows:,} {name}" for name, rows in sizes.items())
    if not found:
        return "fine", f"no broken rows in {looked}", ""
    titles = suites.titles()
    told = "; ".join(
        f"{count:,} of {sizes[table]:,} {table} break {code} ({titles[code]})"
        for (table, code), count in found.most_common(5)
    )
    too_many = any(count > settings.quarantine_cap_share * sizes[table] for (table, _), count in found.items())
    state: State = "FIX" if too_many else "note"
    return state, told, "see docs/checks.md for each code; a run stops above quarantine_cap_share."
