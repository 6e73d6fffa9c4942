"""`validate`: check every rule on a window and find the rows that break one.

Both variants use the same expectations of Great Expectations on the same snapshot. `one_frame` is the simplest way:
each table as one pandas frame. Ours checks day by day in parts, quarantines the broken rows, and also writes the Data
Docs. `validate.again` is ours alone on days that it has checked before, as on the next night.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

from bench.figures import OURS, Figure
from bench.installation import AS_OF, DAYS, Installation, Say
from bench.measure import Work, in_child, in_turns
from include.data.snapshot import find_snapshot, take_snapshot
from include.validation import judgement as validation

WINDOW = timedelta(days=DAYS)


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of the variants in turns on one snapshot, then of ours again on known days."""
    in_child("validate", "take", installation)
    figures = in_turns("validate", (OURS, "one_frame"), installation, repeat, say)
    told = in_child("validate", "again", installation)
    say(f"validate.again: {told.rows:,} rows, {told.seconds:.2f} s, {told.peak_mb:.0f} MB")
    return [*figures, replace(told, bench="validate.again", variant=OURS)]


def take(installation: Installation) -> Work:
    """Take the snapshot of all played windows; not a variant."""

    def work() -> int:
        snapshot = take_snapshot(installation.settings, AS_OF, WINDOW * installation.sizes.windows)
        (installation.scratch / "snapshot").write_text(snapshot.id)
        return sum(file.rows for file in snapshot.files)

    return work


def daybreak(installation: Installation, *, is_new: bool = True) -> Work:
    """Check every rule on days that were not checked before."""
    if is_new:
        shutil.rmtree(installation.settings.home / "validation", ignore_errors=True)
    snapshot = find_snapshot(installation.settings, (installation.scratch / "snapshot").read_text())

    def work() -> int:
        docs = installation.scratch / "docs"
        shutil.rmtree(docs, ignore_errors=True)
        validation.judge_snapshot(installation.settings, snapshot, docs)
        return sum(file.rows for file in snapshot.files)

    return work


def again(installation: Installation) -> Work:
    """Check the same days again."""
    return daybreak(installation, is_new=False)


def one_frame(installation: Installation) -> Work:
    """Check the same rules on one frame per table; quarantine nothing."""
    from include.adapters.gx import Judge
    from include.core.contract import TABLES
    from include.validation.broken_rows import open_rows

    snapshot = find_snapshot(installation.settings, (installation.scratch / "snapshot").read_text())

    def work() -> int:
        judge = Judge()
        with open_rows(installation.settings, snapshot) as connection:
            for table in TABLES:
                judge.ask([connection.view(f"{table.name}_window").df()], table.rules)
        return sum(file.rows for file in snapshot.files)

    return work


VARIANTS = {OURS: daybreak, "one_frame": one_frame, "again": again, "take": take}
