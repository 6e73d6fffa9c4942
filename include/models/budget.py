"""The training budget: choose the readers that a training run learns from if there are too many.

A reader is in or out with all rows; no period is cut off. The choice follows from a hash of reader and seed, so most
readers stay in from day to day. Regions share the budget by the square root of their size, so large ones lose readers
first and small ones are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.core.errors import SettingsError
from include.core.numbers import write_number
from include.core.settings import Settings
from include.features.scenes import open_outcomes

UNKNOWN = "unknown"
PER_ROW = ("outcomes", "requests", "reader_profile", "reader_activity", "reader_taste")  # they grow with the readers
MOST_REGIONS = 5


@dataclass(frozen=True)
class Budget:
    """The chosen readers and their rows; `regions` holds chosen and total rows by region."""

    readers: pa.Array
    reader_count: int
    max_rows: int
    regions: Mapping[str, tuple[int, int]]

    @property
    def rows(self) -> int:
        """Return the number of chosen rows."""
        return sum(kept for kept, _ in self.regions.values())

    @property
    def left_out_rows(self) -> int:
        """Return the number of rows left out."""
        return sum(total for _, total in self.regions.values()) - self.rows

    @property
    def facts(self) -> dict[str, float]:
        """Return the facts worth logging."""
        out = self.reader_count - len(self.readers)
        return {"train_rows": self.rows, "left_out_rows": self.left_out_rows, "left_out_readers": out}

    @property
    def sentence(self) -> str:
        """Return a sentence about what was left out; the regions that lost most come first."""
        if not self.left_out_rows:
            return f"All {self.reader_count:,} readers, {self.rows:,} rows; the budget holds {self.max_rows:,}."
        shares = sorted((kept / total, region) for region, (kept, total) in self.regions.items())
        told = ", ".join(f"{region} {write_number(share, 'share')}" for share, region in shares[:MOST_REGIONS])
        return (
            f"{len(self.readers):,} of {self.reader_count:,} readers, {self.rows:,} rows; {self.left_out_rows:,} rows "
            f"are left out, because the budget is {self.max_rows:,}. Share of rows kept per region: {told}."
        )


def find_budget(settings: Settings, build: Path, end: datetime) -> Budget:
    """Choose among the readers with outcomes before `end`, within `max_train_rows` and `max_train_mb`."""
    outcomes = open_outcomes(build)
    size = sum(pq.read_table(build / name).nbytes for name in PER_ROW if (build / name).exists())
    affordable = int(settings.max_train_mb * 1_000_000 * max(outcomes.num_rows, 1) / max(size, 1))
    before = pc.less(outcomes.column("list_at"), pa.scalar(end, outcomes.schema.field("list_at").type))
    profile = "reader_profile" if (build / "reader_profile").exists() else "reader_activity"  # builds of release 0.1
    readers = pq.read_table(build / profile, columns=["reader_id", "region"])
    return share_readers(
        outcomes.filter(before), readers, max_rows=min(settings.max_train_rows, affordable), seed=settings.seed
    )


def share_readers(outcomes: pa.Table, readers: pa.Table, *, max_rows: int, seed: int) -> Budget:
    """Choose among the readers with outcomes; `readers` gives their region, of which the last row counts."""
    counts = outcomes.group_by("reader_id").aggregate([([], "count_all")])
    regions = readers.group_by("reader_id", use_threads=False).aggregate([("region", "last")])
    demand = counts.join(regions, "reader_id")
    return choose_readers(
        demand.column("reader_id").to_numpy(),
        demand.column("region_last").fill_null(UNKNOWN).to_numpy(),
        demand.column("count_all").to_numpy(),
        max_rows=max_rows,
        seed=seed,
    )


def choose_readers(
    readers: npt.NDArray[np.int64],
    regions: npt.NDArray[np.object_],
    rows: npt.NDArray[np.int64],
    *,
    max_rows: int,
    seed: int,
) -> Budget:
    """Choose among readers by their `rows`; a reader with more rows than the region's part is out."""
    totals = {str(region): int(rows[regions == region].sum()) for region in np.unique(regions)}
    order, chosen, kept = np.argsort(_draw(readers, seed)), [], {}
    for region, part in share_out(totals, max_rows).items():
        theirs = order[(regions[order] == region) & (rows[order] <= part)]
        used = theirs[np.cumsum(rows[theirs]) <= part]
        chosen.append(readers[used])
        kept[region] = (int(rows[used].sum()), totals[region])
    found = np.sort(np.concatenate(chosen)) if chosen else readers
    if len(readers) and not len(found):
        raise SettingsError(
            f"Not one of {len(readers):,} readers fits a training budget of {max_rows:,} rows.",
            hint="raise max_train_rows or max_train_mb.",
        )
    return Budget(pa.array(found, pa.int64()), len(readers), max_rows, kept)


def share_out(totals: Mapping[str, int], limit: int) -> dict[str, int]:
    """Share `limit` by the square root of each total; none gets more than its total."""
    parts: dict[str, int] = {}
    open_, left = dict(totals), limit
    while open_:
        unit = left / sum(np.sqrt(want) for want in open_.values()) if any(open_.values()) else 0.0
        content = [name for name, want in open_.items() if want <= unit * np.sqrt(want)]
        if not content:
            return parts | {name: int(unit * np.sqrt(want)) for name, want in open_.items()}
        for name in content:
            parts[name] = open_.pop(name)
            left -= parts[name]
    return parts


def _draw(readers: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.uint64]:
    """Return a pseudo-random number per reader, the same on every machine and run (splitmix64)."""
    start = np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    with np.errstate(over="ignore"):
        mixed = readers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
