"""Slices: compare challenger and champion for each group of readers, each category and each part of the hold-out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from include.adapters import duck
from include.core.checks import Check
from include.core.contract import LONGEST_COUNTED_SECONDS
from include.core.numbers import capital, write_count
from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.judging.bootstrap import Gap, find_gaps
from include.judging.checks import GateLimits, make_check, skip_check

WINDOWS = "hold-out"  # the kind of the slices that are parts of the hold-out
MOST_CATEGORIES = 20


@dataclass(frozen=True)
class Slice:
    """A slice: their time-weighted NDCG, and the difference of ours to it."""

    kind: str
    name: str
    theirs: float
    gap: Gap


def compare_slices(
    limits: GateLimits,
    ours: pa.Table,
    theirs: pa.Table,
    scenes: Scenes,
    outcomes: pa.Table,
    holdout: tuple[datetime, datetime],
    seed: int,
) -> tuple[Slice, ...]:
    """Compare both orders in every slice in which something was read.

    Among many slices one looks bad by chance, so all intervals of a kind share one error rate of 5 %.
    """
    start, end = holdout
    counting = {
        "longest_counted_seconds": LONGEST_COUNTED_SECONDS,
        "list_length": limits.list_length,
        "new_reader_days": limits.new_reader_days,
        "busy_reader_reads": limits.busy_reader_reads,
        "windows": float(limits.holdout_parts),
        "holdout_start": start.isoformat(),
        "holdout_seconds": (end - start).total_seconds(),
    }
    with open_tables(scenes, ours=ours, theirs=theirs, outcomes=outcomes) as connection:
        rows = duck.fetch(connection, duck.query("judging/slices"), counting)
    if not rows.num_rows:
        return ()
    columns = {name: rows.column(name).to_numpy(zero_copy_only=False) for name in rows.column_names}
    names = list(zip(columns["kind"], columns["name"], strict=True))
    kept = _largest(names, columns["best"])
    of = {name: number for number, name in enumerate(kept)}
    place = np.array([of.get(name, -1) for name in names])
    readers, row = np.unique(columns["reader_id"], return_inverse=True)
    table = {name: np.zeros((len(readers), len(kept))) for name in ("ours", "theirs", "best")}
    for name, cells in table.items():
        cells[row[place >= 0], place[place >= 0]] = columns[name][place >= 0]
    kinds = [kind for kind, _ in kept]
    tails = [0.05 / kinds.count(kind) for kind in kinds]
    gaps = find_gaps(table["ours"] - table["theirs"], table["best"], seed, tails)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = table["theirs"].sum(axis=0) / table["best"].sum(axis=0)
    return tuple(Slice(kind, name, float(level[number]), gaps[number]) for number, (kind, name) in enumerate(kept))


def _largest(names: Iterable[tuple[str, str]], weights: np.ndarray) -> list[tuple[str, str]]:
    """Return the slices in order; only the most-read categories, because a publisher may have thousands."""
    total: dict[tuple[str, str], float] = {}
    for name, weight in zip(names, weights, strict=True):
        total[name] = total.get(name, 0.0) + float(weight)
    categories = sorted((one for one in total if one[0] == "category"), key=lambda one: (-total[one], one))
    return sorted({*total} - {*categories[MOST_CATEGORIES:]})


def check_slices(limits: GateLimits, slices: Iterable[Slice], rival: str) -> list[Check]:
    """Return a check per slice, and a failed one per code if no slice of it could be compared."""
    checks = [_check_slice(limits, one, rival) for one in slices]
    for code, what in (("RT110", "group of readers"), ("RT111", "part of the hold-out")):
        made = [check for check in checks if check.code == code]
        if not any(check.outcome != "not applicable" for check in made):
            why = f"No {what} has {limits.min_slice_readers:,} readers, so none can be compared."
            checks.append(make_check(code, limits, None, "all", why=why))
    return checks


def is_comparable(limits: GateLimits, one: Slice) -> bool:
    """Return whether a slice has enough readers to be compared."""
    return one.gap.readers >= limits.min_slice_readers


def _check_slice(limits: GateLimits, one: Slice, rival: str) -> Check:
    """Fail if the fall exceeds its limit and is certain; a slice with too few readers is not applicable."""
    gap, fall = one.gap, -one.gap.mean / one.theirs if one.theirs > 0 else -one.gap.mean
    code, subject = "RT111" if one.kind == WINDOWS else "RT110", f"{one.kind} {one.name}"
    observed = fall if gap.high < 0 or math.isnan(gap.high) else min(fall, 0.0)
    if not is_comparable(limits, one):
        readers = write_count(gap.readers, "reader")
        said = f"{capital(subject)}: not comparable ({readers}; at least {limits.min_slice_readers:,} are needed)."
        return skip_check(code, limits, subject, said, observed)
    return make_check(
        code,
        limits,
        observed,
        subject,
        ours=one.theirs + gap.mean,
        theirs=one.theirs,
        rival=rival,
        gain=gap.mean,
        low=gap.low,
        high=gap.high,
        readers=gap.readers,
        why=f"{capital(subject)}: the difference is not known.",
    )
