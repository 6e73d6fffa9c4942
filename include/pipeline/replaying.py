"""Replay: rows that were set aside come back, as a new version of the clean snapshot.

In the place of each row set aside it takes what the publisher's views show under its key today, or the row as it was.
It judges the whole by the rules as they are now, as `validate` does. What passes makes a new clean snapshot of the same
raw one; what still breaks stays set aside, with the try noted. Same source and same rules give the same id, so that a
second replay makes no second version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from include.adapters.warehouse import connect, query
from include.core.checks import blocking
from include.core.clock import now
from include.core.contract import TABLES
from include.core.errors import ArtifactDamaged, DaybreakError, ValidationBlocked
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data import snapshot
from include.data.snapshot import Snapshot
from include.data.store import whole_folder
from include.pipeline.run import keep_checks, recall, recorded
from include.validation import broken_rows
from include.validation import judgement as validation
from include.validation.broken_rows import BrokenRow
from include.validation.history import checks as history
from include.validation.page import save_front_page
from include.validation.quarantine.mending import AsideRow, Mended, Place, make_version, mend
from include.validation.quarantine.rows import NothingWaits, Wish, newest_snapshot

__all__ = ["Attempt", "NothingWaits", "Wish", "describe_replay", "find_raw", "find_wished", "replay", "try_again"]


@dataclass(frozen=True)
class Attempt:
    """What a try of the rows set aside comes to: which come back and how, which still break what, what else breaks."""

    raw: Snapshot
    mended: Mended
    aside: list[AsideRow]
    came: dict[Place, str]
    still: dict[Place, BrokenRow]
    out: list[BrokenRow]  # everything that stays out, where the mended snapshot has it
    unknown: list[BrokenRow]  # of that, what quarantine has not yet, where the raw snapshot has it
    report: str

    def facts(self) -> dict[str, Any]:
        """The counts; per table, raw rows and added ones are clean rows and those that stay set aside."""
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
    """What a replay would do; `ValidationBlocked` when the mended snapshot is still beyond a limit."""
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
    """Every row set aside, by its quarantine or by today's rules; what came back once is meant again, always."""

    def fits(table: str, codes: Sequence[str]) -> bool:
        return wish.table in (None, table) and (wish.code is None or wish.code in codes)

    with connect(settings) as warehouse:
        held = warehouse.execute(query("validation/quarantine/of_snapshot"), [raw.id]).fetchall()
    found = {
        (table, file, number): AsideRow((table, file, number), key, tuple(codes), came_back or fits(table, codes))
        for table, file, number, key, codes, came_back in held
    }
    with broken_rows.open_rows(settings, raw) as connection:
        for row in broken_rows.find_broken_rows(connection):
            place = (row.table, row.file_sha256, row.row_no)
            found.setdefault(place, AsideRow(place, row.primary_key, row.codes, fits(row.table, row.codes), row))
    return [found[place] for place in sorted(found)]


def validate_mended(run: Run, mended: Snapshot, *, dry_run: bool) -> tuple[list[BrokenRow], str]:
    """The rows that break a rule, and where the report is; `ValidationBlocked` when they are too many."""
    report = f"validation/{mended.id}/index.html"
    with whole_folder(run.settings, (run.settings.home / "reports" / report).parent) as docs:
        judgement = validation.judge_snapshot(run.settings, mended, docs)
        with snapshot.open_tables(run.settings, mended) as connection:
            checks = [*judgement.checks, *history.check(run.settings, mended, connection, remember=False)]
        trends = recall(run.settings, mended.as_of, checks)
        save_front_page(docs, mended, checks, judgement.counts, judgement.broken, trends)
    if not dry_run:
        keep_checks(run, "replay", checks)
    if stopped := blocking(checks):
        raise ValidationBlocked(
            f"{len(stopped)} blocking check(s) still fail on snapshot {mended.parent} with the publisher's present "
            "rows: " + " ".join(f"{check.code}: {check.sentence}" for check in stopped),
            hint=f"nothing came back; have more rows mended, or the rule changed. The report is at {report}.",
            report=report,
            findings=judgement.findings(stopped),
        )
    return list(judgement.broken), report


def find_wished(settings: Settings, wish: Wish) -> Snapshot:
    """The raw snapshot that is wished for, else the newest with rows set aside; `NothingWaits` when there is none."""
    return find_raw(settings, newest_snapshot(settings, wish))


def find_raw(settings: Settings, snapshot_id: str) -> Snapshot:
    """The raw snapshot with this id; a clean one, and one that is not there, are errors that say what to name."""
    try:
        found = snapshot.find_snapshot(settings, snapshot_id)
    except ArtifactDamaged as gone:
        raise DaybreakError(
            f"There is no snapshot {snapshot_id}.",
            hint="`bin/daybreak quarantine list` names those with rows set aside; an old one may be gone by retention.",
        ) from gone
    if found.parent:
        raise DaybreakError(
            f"{snapshot_id} is a clean snapshot: no row of it is set aside.", hint=f"name the raw one, {found.parent}."
        )
    return found


def describe_replay(facts: Mapping[str, Any], clean_id: str | None) -> str:
    """What came of it in one paragraph; without an id it is what would come."""
    would = "" if clean_id else "would "
    how = f"{facts['mended']:,} mended by the publisher, {facts['came_back'] - facts['mended']:,} as they were"
    if facts["added"]:
        how += f"; with {facts['added']:,} readers or articles that they name"
    lines = [
        f"{facts['came_back']:,} rows {would}come back ({how}); {facts['still_broken']:,} still break a rule;"
        f" {facts['quarantined']:,} {would}stay set aside in all.",
    ]
    if clean_id and facts["changed"]:
        lines.append(f"Clean snapshot {clean_id} holds them; raw {facts['replayed_from']} is as it was.")
    elif clean_id:
        lines.append(f"No new version: clean snapshot {clean_id} is what was there already.")
    return "\n".join(lines)


@recorded
def replay(run: Run, snapshot_id: str, wish: Wish) -> Reference:
    """The new version of a clean snapshot; `facts["changed"]` tells whether this run made it."""
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
    """Whether it was this run that brought rows back, after what became of each row has been noted."""
    titles = {rule.code: rule.title for table in TABLES for rule in table.rules}
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
