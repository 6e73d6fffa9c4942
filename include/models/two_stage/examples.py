"""What the ranker learns from: what readers did with what they were shown, or with what they might have read.

Belongs here: which rows become examples. A log that notes what was shown has both sides; in a log of reads alone, other
candidates of the same request stand in for what was not read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.features import Scenes

NOT_READ_PER_REQUEST = 30
MOST_READS = 30_000  # of a log that does not note what was shown
KEYS = ["reader_id", "list_at", "article_id"]
EXAMPLES = pa.schema(
    [
        *(("reader_id", pa.int64()), ("list_at", pa.timestamp("us", tz="UTC")), ("article_id", pa.int64())),
        *(("position", pa.float64()), ("is_read", pa.bool_()), ("read_seconds", pa.float64())),
    ]
)


def find_examples(
    scenes: Scenes, outcomes: pa.Table, seed: int, find_candidates: Callable[[Scenes], pa.Table]
) -> pa.Table:
    """What the ranker is fitted on, a row per request and article."""
    examples = _labelled(outcomes)
    if pc.any(outcomes.column("is_shown")).as_py() or not outcomes.num_rows:
        return examples
    return _with_others(scenes, examples, seed, find_candidates)


def _labelled(outcomes: pa.Table) -> pa.Table:
    """Read is what took time; in a log that never says how long, what was opened."""
    took_time = pc.greater(outcomes.column("read_seconds"), 0)
    read = took_time if pc.any(took_time).as_py() else outcomes.column("is_opened")
    return outcomes.append_column("is_read", read).select(EXAMPLES.names).cast(EXAMPLES)


def ask_again(scenes: Scenes, examples: pa.Table) -> Scenes:
    """The scenes of those requests alone that there are examples of."""
    asked = examples.group_by(KEYS[:2]).aggregate([])
    order = [("list_at", "ascending"), ("reader_id", "ascending")]
    requests, readers = (
        table.filter(pc.is_in(_request_no(table), _request_no(asked))).sort_by(order)
        for table in (scenes.requests, scenes.readers)
    )
    return replace(scenes, requests=requests, readers=readers)


def _with_others(scenes: Scenes, read: pa.Table, seed: int, find_candidates: Callable[[Scenes], pa.Table]) -> pa.Table:
    """What was read of the candidates, and beside it some of the same request, taken at random, that were not."""
    if read.num_rows > MOST_READS:
        read = read.take(
            pa.array(np.sort(np.random.default_rng(seed).choice(read.num_rows, MOST_READS, replace=False)))
        )
    found = find_candidates(ask_again(scenes, read))
    examples = found.join(read, KEYS).sort_by([(name, "ascending") for name in ("list_at", "reader_id", "article_id")])
    is_read = pc.fill_null(examples.column("is_read"), False)
    chance = np.where(is_read.to_numpy(), -1.0, np.random.default_rng(seed).random(examples.num_rows))
    request = pc.dictionary_encode(_request_no(examples)).combine_chunks().indices.to_numpy()
    order = np.lexsort((chance, request))
    begin = np.searchsorted(request[order], np.arange(request.max(initial=-1) + 1))
    place = np.arange(len(order)) - begin[request[order]]
    kept = pa.array(np.sort(order[place <= NOT_READ_PER_REQUEST]))
    place_of_label = examples.column_names.index("is_read")
    return examples.set_column(place_of_label, "is_read", is_read).take(kept).select(EXAMPLES.names).cast(EXAMPLES)


def _request_no(table: pa.Table) -> pa.ChunkedArray:
    """A text that stands for the row's request."""
    return pc.binary_join_element_wise(
        *(pc.cast(pc.cast(table[name], pa.int64()), pa.string()) for name in KEYS[:2]), "/"
    )
