"""Lists that can be told by their numbers, and what a batch of them is about."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from include.models import RANKED
from tests.worlds import tiny

READERS, PLACES = 300, 10
AS_OF = tiny.AS_OF


def lists(first_article=1, readers=READERS, places=PLACES):
    """Readers 1, 2, … with the articles first_article, first_article + 1, …"""
    rows = [
        {"reader_id": r, "list_at": AS_OF, "rank": n + 1, "article_id": first_article + n, "score": 0.5, "reason": "w"}
        for r in range(1, readers + 1)
        for n in range(places)
    ]
    return pa.Table.from_pylist(rows, RANKED)


def about(batch_id: str, as_of: datetime = AS_OF):
    """Columns of `recs.batches` for a batch of this id."""
    return {
        "batch_id": batch_id,
        "as_of": as_of,
        "model_version": 1,
        "snapshot_id": "s",
        "run_id": "r",
        "list_length": PLACES,
    }
