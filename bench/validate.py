"""`validate`: every rule on a window, and the rows that break one.

Both variants ask the same questions of Great Expectations about the same snapshot. `one_frame` is how one begins: each
table as one pandas frame. Ours asks day by day in parts, sets the rows apart, and writes the Data Docs,
too. `validate.again` is ours alone on days that it has seen, as on the night after.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

from bench.figures import OURS, Figure
from bench.ground import AS_OF, DAYS, Ground, Say
from bench.measure import Work, in_child, in_turns
from include.data.snapshot import find_snapshot, take_snapshot
from include.validation import judgement as validation

WINDOW = timedelta(days=DAYS)


def measure(ground: Ground, repeat: int, say: Say) -> list[Figure]:
    """The variants in turns on a snapshot that is taken once, then ours again on days it knows."""
    in_child("validate", "take", ground)
    figures = in_turns("validate", (OURS, "one_frame"), ground, repeat, say)
    told = in_child("validate", "again", ground)
    say(f"validate.again: {told.rows:,} rows, {told.seconds:.2f} s, {told.peak_mb:.0f} MB")
    return [*figures, replace(told, bench="validate.again", variant=OURS)]


def take(ground: Ground) -> Work:
    """Not a variant: leaves the snapshot, of all windows that were played."""

    def work() -> int:
        snapshot = take_snapshot(ground.settings, AS_OF, WINDOW * ground.sizes.windows)
        (ground.scratch / "snapshot").write_text(snapshot.id)
        return sum(file.rows for file in snapshot.files)

    return work


def daybreak(ground: Ground, *, is_new: bool = True) -> Work:
    """Every rule, when no day has been looked at yet."""
    if is_new:
        shutil.rmtree(ground.settings.home / "validation", ignore_errors=True)
    snapshot = find_snapshot(ground.settings, (ground.scratch / "snapshot").read_text())

    def work() -> int:
        docs = ground.scratch / "docs"
        shutil.rmtree(docs, ignore_errors=True)
        validation.judge_snapshot(ground.settings, snapshot, docs)
        return sum(file.rows for file in snapshot.files)

    return work


def again(ground: Ground) -> Work:
    """The same once more."""
    return daybreak(ground, is_new=False)


def one_frame(ground: Ground) -> Work:
    """The same rules over one frame per table; nothing is set apart."""
    from include.adapters.gx import Judge
    from include.core.contract import TABLES
    from include.validation.broken_rows import open_rows

    snapshot = find_snapshot(ground.settings, (ground.scratch / "snapshot").read_text())

    def work() -> int:
        judge = Judge()
        with open_rows(ground.settings, snapshot) as connection:
            for table in TABLES:
                judge.ask([connection.view(f"{table.name}_window").df()], table.rules)
        return sum(file.rows for file in snapshot.files)

    return work


VARIANTS = {OURS: daybreak, "one_frame": one_frame, "again": again, "take": take}
