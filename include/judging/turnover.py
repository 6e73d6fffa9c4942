"""Compare the live lists with those a challenger would make from the same features.

A sample of readers keeps this cheap. If a fair comparison is not possible, the result says why.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.adapters.warehouse import connect, query
from include.core.settings import Settings
from include.features.scenes import open_scenes_in_parts
from include.judging.guardrails import Turnover
from include.lists import batch as batches
from include.lists.arrange import ListLimits, make_lists
from include.lists.scoring import LISTED_BY, newest_features
from include.models import Recommender

SAMPLE_READERS = 1_000
SAME_DAY = timedelta(hours=24)


def measure_live_turnover(settings: Settings, model: Recommender, as_of: datetime) -> Turnover:
    """Measure how much of the live lists would stay with this model; without readers, the result says why."""
    with connect(settings) as warehouse:
        live = batches.find_live(warehouse)
    if live is None:
        return Turnover("No lists are live yet.")
    batch_id, made_at = live[:2]
    if as_of < made_at - SAME_DAY:
        return Turnover(f"The live lists are of {made_at:%Y-%m-%d %H:%M} UTC, long after the judged moment.")
    features = newest_features(settings)
    if features is None or features.as_of != made_at:
        what = f"the newest features are of {features.as_of:%Y-%m-%d %H:%M} UTC" if features else "no features are left"
        return Turnover(f"Not compared: batch {batch_id} is live, but {what}.")
    build = Path(features.uri)
    scenes = next(open_scenes_in_parts(build, SAMPLE_READERS))
    ours = make_lists(ListLimits.of(settings), model, scenes, pq.read_table(build / "articles", columns=LISTED_BY))
    with connect(settings) as warehouse:
        asked = pc.unique(scenes.requests.column("reader_id")).to_pylist()
        rows = warehouse.execute(query("judging/live_lists"), {"batch_id": batch_id, "readers": asked}).fetchall()
    return count_turnover(ours, np.array(rows, np.int64).reshape(-1, 2), batch_id)


def count_turnover(ours: pa.Table, theirs: np.ndarray, what: str) -> Turnover:
    """Return the share of their places whose article we list for the same reader, and of readers who get fewer."""
    mine = {(r, a) for r, a in zip(*(ours.column(n).to_pylist() for n in ("reader_id", "article_id")), strict=True)}
    readers, had = np.unique(theirs[:, 0], return_counts=True)
    if not len(readers):
        return Turnover(f"Batch {what} has no list for the sampled readers.")
    own, get = np.unique(ours.column("reader_id").to_numpy(), return_counts=True)
    gets = dict(zip(own.tolist(), get.tolist(), strict=True))
    fewer = sum(gets.get(reader, 0) < count for reader, count in zip(readers.tolist(), had.tolist(), strict=True))
    kept = sum((reader, article) in mine for reader, article in theirs.tolist())
    return Turnover(f"the live batch {what}", len(readers), kept / len(theirs), fewer / len(readers))
