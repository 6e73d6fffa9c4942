"""`validate`: check every rule on a window and find the rows that break one.

Both variants run the same expectations of Great Expectations on the same snapshot. `one_frame` is the simplest way:
each table as one pandas frame. Ours asks DuckDB, quarantines the broken rows, and also writes results and Data Docs.
"""

from __future__ import annotations

import shutil
from datetime import timedelta

from bench.figures import OURS, Figure
from bench.installation import AS_OF, DAYS, Installation, Say
from bench.measure import Work, in_child, in_turns
from include.data.snapshot import find_snapshot, take_snapshot
from include.validation import judgement as validation

WINDOW = timedelta(days=DAYS)


def measure(installation: Installation, repeat: int, say: Say) -> list[Figure]:
    """Return the figures of the variants in turns on one snapshot."""
    in_child("validate", "take", installation)
    return in_turns("validate", (OURS, "one_frame"), installation, repeat, say)


def take(installation: Installation) -> Work:
    """Take the snapshot of all played windows; not a variant."""

    def work() -> int:
        snapshot = take_snapshot(installation.settings, AS_OF, WINDOW * installation.sizes.windows)
        (installation.scratch / "snapshot").write_text(snapshot.id)
        return sum(file.rows for file in snapshot.files)

    return work


def daybreak(installation: Installation) -> Work:
    """Check every rule, and find the rows that break one."""
    snapshot = find_snapshot(installation.settings, (installation.scratch / "snapshot").read_text())

    def work() -> int:
        docs = installation.scratch / "docs"
        shutil.rmtree(docs, ignore_errors=True)
        validation.judge_snapshot(installation.settings, snapshot, docs)
        return sum(file.rows for file in snapshot.files)

    return work


def one_frame(installation: Installation) -> Work:
    """Check the same rules on one frame per table; quarantine nothing."""
    import great_expectations as gx

    from include.adapters.gx import expectation
    from include.core.contract import TABLES
    from include.validation.broken_rows import open_rows

    snapshot = find_snapshot(installation.settings, (installation.scratch / "snapshot").read_text())

    def work() -> int:
        context = gx.get_context(mode="ephemeral")
        asset = context.data_sources.add_pandas("snapshot").add_dataframe_asset("rows")
        rows = asset.add_batch_definition_whole_dataframe("all")
        with open_rows(installation.settings, snapshot) as connection:
            for table in TABLES:
                suite = gx.ExpectationSuite(table.name, [expectation(rule, 1.0) for rule in table.rules])
                frame = connection.view(f"{table.name}_window").df()
                rows.get_batch(batch_parameters={"dataframe": frame}).validate(suite, result_format="BASIC")
        return sum(file.rows for file in snapshot.files)

    return work


VARIANTS = {OURS: daybreak, "one_frame": one_frame, "take": take}
