"""Slices: the challenger beside the champion for each kind of reader, each category and each part of the hold-out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from include.adapters import duck
from include.core.checks import Check, Severity, at_most
from include.core.contract import LONGEST_COUNTED_SECONDS
from include.core.settings import Settings
from include.features.scene_tables import open_tables
from include.features.scenes import Scenes
from include.judging.bootstrap import Gap, find_gaps

WINDOWS = "hold-out"  # the kind of slice that is a part of the hold-out
MOST_CATEGORIES = 20


@dataclass(frozen=True)
class Slice:
    """One slice: ours minus theirs in time-weighted NDCG, and theirs alone."""

    kind: str
    name: str
    theirs: float
    gap: Gap


def compare_slices(
    settings: Settings,
    ours: pa.Table,
    theirs: pa.Table,
    scenes: Scenes,
    outcomes: pa.Table,
    holdout: tuple[datetime, datetime],
) -> tuple[Slice, ...]:
    """Every slice that somebody read something in.

    With many slices one looks bad by chance, so the intervals of a kind share one chance of five percent.
    """
    start, end = holdout
    counting = {
        "longest_counted_seconds": LONGEST_COUNTED_SECONDS,
        "list_length": settings.list_length,
        "new_reader_days": settings.new_reader_days,
        "busy_reader_reads": settings.busy_reader_reads,
        "windows": float(settings.holdout_parts),
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
    gaps = find_gaps(table["ours"] - table["theirs"], table["best"], settings.seed, tails)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = table["theirs"].sum(axis=0) / table["best"].sum(axis=0)
    return tuple(Slice(kind, name, float(level[number]), gaps[number]) for number, (kind, name) in enumerate(kept))


def _largest(names: Iterable[tuple[str, str]], weights: np.ndarray) -> list[tuple[str, str]]:
    """The slices in order; of categories those that are read most, for a publisher may have thousands."""
    total: dict[tuple[str, str], float] = {}
    for name, weight in zip(names, weights, strict=True):
        total[name] = total.get(name, 0.0) + float(weight)
    categories = sorted((one for one in total if one[0] == "category"), key=lambda one: (-total[one], one))
    return sorted({*total} - {*categories[MOST_CATEGORIES:]})


def check_slices(settings: Settings, slices: Iterable[Slice]) -> list[Check]:
    """A check per slice; and a failed one for a kind of which no slice could be judged."""
    checks = [_check_slice(settings, one) for one in slices]
    for code, title in (("RT110", "No group of readers falls"), ("RT111", "No part of the hold-out falls")):
        made = [check for check in checks if check.code == code]
        if not any(check.outcome != "not applicable" for check in made):
            said = f"No slice has {settings.min_slice_readers:,} readers."
            checks.append(Check(code, title, "all", "block", "failed", 0.0, "one that can be judged", said))
    return checks


def _check_slice(settings: Settings, one: Slice) -> Check:
    """Failed when the fall is larger than its limit and certain; too small a sample is said, and passes nothing."""
    gap, fall = one.gap, -one.gap.mean / one.theirs if one.theirs > 0 else -one.gap.mean
    is_window = one.kind == WINDOWS
    limit = settings.max_window_fall_share if is_window else settings.max_slice_fall_share
    subject = f"{one.kind} {one.name}"
    is_judged = gap.readers >= settings.min_slice_readers
    observed = fall if gap.high < 0 or math.isnan(gap.high) else min(fall, 0.0)
    said = (
        f"{subject}: NDCG@{settings.list_length} {one.theirs + gap.mean:.4f} against {one.theirs:.4f}, {gap.mean:+.4f} "
        f"({gap.low:+.4f} to {gap.high:+.4f}) over {gap.readers:,} readers"
    )
    severity: Severity = "block" if is_judged else "info"
    if not is_judged:
        said += f"; judged from {settings.min_slice_readers:,} readers on."
    else:
        said += f"; a certain fall of more than {limit:.0%} blocks."
    make = at_most if is_judged else _not_judged
    if is_window:
        return make("RT111", "No part of the hold-out falls", subject, observed, limit, said, severity)
    return make("RT110", "No group of readers falls", subject, observed, limit, said, severity)


def _not_judged(
    code: str, title: str, subject: str, observed: float, limit: float, sentence: str, severity: Severity
) -> Check:
    return Check(code, title, subject, severity, "not applicable", observed, f"<= {limit:g}", sentence)
