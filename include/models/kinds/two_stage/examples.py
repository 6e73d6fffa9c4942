"""The ranker's examples: what readers did with the articles they were shown, a row per request and article."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from include.core.contract import MOMENT
from include.features.scenes import Scenes

KEYS = ["reader_id", "list_at", "article_id"]
EXAMPLES = pa.schema(
    [
        ("reader_id", pa.int64()),
        ("list_at", MOMENT),
        ("article_id", pa.int64()),
        ("position", pa.float64()),
        ("is_read", pa.bool_()),
        ("read_seconds", pa.float64()),
    ]
)


def notes_what_was_shown(outcomes: pa.Table) -> bool:
    """Return whether the log has impressions."""
    return bool(pc.any(outcomes.column("is_shown")).as_py())


def find_examples(outcomes: pa.Table) -> pa.Table:
    """Return a row per request and article. A read took time; in a log without times, an opened article is a read."""
    took_time = pc.greater(outcomes.column("read_seconds"), 0)
    read = took_time if pc.any(took_time).as_py() else outcomes.column("is_opened")
    return outcomes.append_column("is_read", pc.fill_null(read, False)).select(EXAMPLES.names).cast(EXAMPLES)


def ask_again(scenes: Scenes, examples: pa.Table) -> Scenes:
    """Return the scenes of only those requests that have examples."""
    asked = examples.group_by(KEYS[:2]).aggregate([])
    order = [("list_at", "ascending"), ("reader_id", "ascending")]
    requests, readers = (
        table.filter(pc.is_in(_request_no(table), _request_no(asked))).sort_by(order)
        for table in (scenes.requests, scenes.readers)
    )
    return replace(scenes, requests=requests, readers=readers)


def _request_no(table: pa.Table) -> pa.ChunkedArray:
    """Return a text that identifies each row's request."""
    return pc.binary_join_element_wise(
        *(pc.cast(pc.cast(table[name], pa.int64()), pa.string()) for name in KEYS[:2]), "/"
    )
