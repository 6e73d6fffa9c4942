"""Replay: bring quarantined rows back in a new version of the clean snapshot.

Each quarantined row is replaced by the row that the publisher's views show under its key today, or else taken as it
was, and the whole is validated by today's rules. Rows that pass make a new clean snapshot of the same raw one; the
others stay quarantined, and the attempt is recorded. The same source and rules give the same id, so a second replay
makes no second version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from include.adapters.warehouse import connect, query
from include.core.checks import blocking
from include.core.clock import now
from include.core.errors import ArtifactDamaged, DaybreakError, ValidationBlocked
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data import snapshot
from include.data.snapshot import Snapshot
from include.data.store import whole_folder
from include.pipeline.run import keep_checks, recall, recorded
from include.validation import broken_rows, suites
from include.validation import judgement as validation
from include.validation.broken_rows import BrokenRow
from include.validation.page import save_front_page
from include.validation.quarantine.mending import AsideRow, Mended, Place, make_version, mend
from include.validation.quarantine.rows import NothingWaits, Wish, newest_snapshot

__all__ = ["Attempt", "NothingWaits", "Wish", "describe_replay", "find_raw", "find_wished", "replay", "try_again"]


@dataclass(frozen=True)
class Attempt:
    """The outcome of a replay: the rows that come back and how, those that still break a rule, and new broken rows."""

    raw: Snapshot
    mended: Mended
    aside: list[AsideRow]
    came: dict[Place, str]
    still: dict[Place, BrokenRow]
    out: list[BrokenRow]  # all rows that stay out, by their place in the mended snapshot
    unknown: list[BrokenRow]  # those not in quarantine yet, by their place in the raw snapshot
    report: str

    def facts(self) -> dict[str, Any]:
        """Return the counts; per table, raw plus added rows equal clean plus quarantined rows."""
        came = Counter(self.came.values())
        return {
            "replayed_from": self.raw.id,
            "came_back": len(self.came),
            "mended": came["mended"],
            "added": self.mended.added if came else 0,
            "still_broken": len(self.still),
            "quarantined": len(self.out) if came else len(self.aside),
            "report": self.report,
        }


def try_again(run: Run, raw: Snapshot, wish: Wish, *, dry_run: bool = False) -> Attempt:
    """Return what a replay would do; raise `ValidationBlocked` if the mended snapshot still exceeds a limit."""
    settings = run.settings
    aside = find_aside(settings, raw, wish)
    mended = mend(settings, raw, aside)
    broken, report = validate_mended(run, mended.snapshot, dry_run=dry_run)
    then = mended.file_then()
    at_raw = {
        (row.table, then[row.table, row.file_sha256], row.row_no): row
        for row in broken
        if (row.table, row.file_sha256) in then
    }
    meant = {row.place for row in aside if row.is_meant}
    kept_out = [row for row in aside if not row.is_meant and row.place not in at_raw]
    stay = [_as_broken(row, mended.file_now[row.place[:2]]) for row in kept_out]
    known = {row.place for row in aside if row.unknown is None}
    unknown = [_at(row, place) for place, row in at_raw.items() if place not in known]
    return Attempt(
        raw,
        mended,
        aside,
        {place: "mended" if place in mended.places else "as it was" for place in meant - at_raw.keys()},
        {place: at_raw[place] for place in meant & at_raw.keys()},
        [*broken, *stay],
        unknown + [row.unknown for row in kept_out if row.unknown],
        report,
    )


def find_aside(settings: Settings, raw: Snapshot, wish: Wish) -> list[AsideRow]:
    """Return every row that quarantine or today's rules leave out; rows that came back before are always included."""

    def fits(table: str, codes: Sequence[str]) -> bool:
        return wish.table in (None, table) and (wish.code is None or wish.code in codes)

    with connect(settings) as warehouse:
        held = warehouse.execute(query("validation/quarantine/of_snapshot"), [raw.id]).fetchall()
    found = {
        (table, file, number): AsideRow((table, file, number), key, tuple(codes), came_back or fits(table, codes))
        for table, file, number, key, codes, came_back in held
    }
    with broken_rows.open_rows(settings, raw) as connection:
        for row in broken_rows.find_broken_rows(settings, connection):
            place = (row.table, row.file_sha256, row.row_no)
            found.setdefault(place, AsideRow(place, row.primary_key, row.codes, fits(row.table, row.codes), row))
    return [found[place] for place in sorted(found)]


def validate_mended(run: Run, mended: Snapshot, *, dry_run: bool) -> tuple[list[BrokenRow], str]:
    """Return the rows that break a rule and the path of the report; raise `ValidationBlocked` if they are too many."""
    report = f"validation/{mended.id}/index.html"
    with whole_folder(run.settings, (run.settings.home / "reports" / report).parent) as docs:
        judgement = validation.judge_snapshot(run.settings, mended, docs, remember=False)
        checks = list(judgement.checks)
        trends = recall(run.settings, mended.as_of, checks)
        save_front_page(run, docs, mended, checks, judgement.counts, judgement.broken, trends)
    if not dry_run:
        keep_checks(run, "replay", checks)
    if stopped := blocking(checks):
        raise ValidationBlocked(
            f"{write_count(len(stopped), 'blocking check')} still failed on snapshot {mended.parent} with the "
            "publisher's current rows: " + " ".join(f"{check.code}: {check.sentence}" for check in stopped),
            hint=f"no row came back; have more rows corrected, or change the rule. The report is at {report}.",
            report=report,
            findings=judgement.findings(stopped),
        )
    return list(judgement.broken), report


def find_wished(settings: Settings, wish: Wish) -> Snapshot:
    """Return the snapshot of the wish, else the newest with quarantined rows; raise `NothingWaits` if none has any."""
    return find_raw(settings, newest_snapshot(settings, wish))


def find_raw(settings: Settings, snapshot_id: str) -> Snapshot:
    """Return the raw snapshot with this id; raise an error for a clean or missing snapshot."""
    try:
        found = snapshot.find_snapshot(settings, snapshot_id)
    except ArtifactDamaged as gone:
        raise DaybreakError(
            f"There is no snapshot {snapshot_id}.",
            hint="list those with quarantined rows with `bin/daybreak quarantine list`; retention removes old ones.",
        ) from gone
    if found.parent:
        raise DaybreakError(
            f"{snapshot_id} is a clean snapshot and has no quarantined rows.", hint=f"name the raw one, {found.parent}."
        )
    return found


def describe_replay(facts: Mapping[str, Any], clean_id: str | None) -> str:
    """Describe a replay in one paragraph; without an id, a dry run."""
    would = "" if clean_id else "would "
    how = f"{facts['mended']:,} corrected by the publisher, {facts['came_back'] - facts['mended']:,} unchanged"
    if facts["added"]:
        how += f"; with {facts['added']:,} readers or articles that they refer to"
    lines = [
        f"{facts['came_back']:,} rows {would}come back ({how}); {facts['still_broken']:,} still break a rule;"
        f" {facts['quarantined']:,} {would}stay quarantined in all.",
    ]
    if clean_id and facts["changed"]:
        lines.append(f"Clean snapshot {clean_id} holds them; raw snapshot {facts['replayed_from']} is unchanged.")
    elif clean_id:
        lines.append(f"No new version: clean snapshot {clean_id} already existed.")
    return "\n".join(lines)


@recorded
def replay(run: Run, snapshot_id: str, wish: Wish) -> Reference:
    """Make the new version of a clean snapshot; `facts["changed"]` says whether this run made it."""
    settings = run.settings
    raw = find_raw(settings, snapshot_id)
    attempt = try_again(run, raw, wish)
    facts = attempt.facts()
    if attempt.came:
        clean = make_version(settings, raw, attempt.mended, attempt.out)
    else:
        clean = broken_rows.leave_out(settings, raw, [_as_broken(row, row.place[1]) for row in attempt.aside])
    clean = snapshot.keep_snapshot(settings, replace(clean, facts=facts))
    changed = keep(settings, run.run_id, attempt, clean.id)
    return snapshot.refer_to(settings, clean, "clean_snapshot", **facts, changed=changed)


def keep(settings: Settings, run_id: str, attempt: Attempt, clean_id: str) -> bool:
    """Record the outcome for each row; return whether this run brought rows back."""
    titles = suites.titles()
    raw_id = attempt.raw.id
    with connect(settings) as warehouse, warehouse.cursor() as cursor:
        for row in attempt.unknown:
            where = (row.primary_key, row.file_sha256, row.row_no)
            cursor.executemany(
                query(f"validation/quarantine/add_{row.table}"),
                [(raw_id, code, *where, titles[code], run_id, row.original) for code in row.codes],
            )
        cursor.execute(query("validation/quarantine/begin_tries"))
        with cursor.copy(query("validation/quarantine/copy_tries")) as copy:
            for (table, file, number), came_as in attempt.came.items():
                copy.write_row((table, raw_id, file, number, came_as, clean_id, ""))
            for (table, file, number), row in attempt.still.items():
                copy.write_row((table, raw_id, file, number, "still broken", None, ",".join(row.codes)))
        cursor.execute(query("validation/quarantine/keep_tries"), {"tried_at": now(), "run_id": run_id})
        made = {"snapshot": raw_id, "into": clean_id, "run_id": run_id}
        (changed,) = cursor.execute(query("validation/quarantine/made_version"), made).fetchone() or (False,)
    return bool(changed)


def _as_broken(row: AsideRow, file_sha256: str) -> BrokenRow:
    return BrokenRow(row.place[0], file_sha256, row.place[2], row.key, row.codes, "")


def _at(row: BrokenRow, place: Place) -> BrokenRow:
    return replace(row, file_sha256=place[1])
