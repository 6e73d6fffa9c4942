"""The bytes that PostgreSQL's binary COPY reads, held against the same rows written a value at a time."""

from __future__ import annotations

import struct

import pyarrow as pa
import pytest

from include.adapters.binary_copy import rows_as_bytes
from include.lists.batch import NUMBERS, TEXT

ROWS = pa.record_batch(
    {
        "reader_id": pa.array([1, 2**40, -3], pa.int64()),
        "rank": pa.array([1, 2, 10], pa.int32()),
        "article_id": pa.array([7, 8, 9], pa.int64()),
        "score": pa.array([0.5, float("nan"), -1.25], pa.float32()),
        "reason": pa.array(["New in politics", "", "“Süß”, they said\n\t\\N"], pa.string()),
    }
)


def by_hand(rows: pa.RecordBatch) -> bytes:
    """The format as PostgreSQL's manual describes it, a value at a time."""
    content = b""
    for row in rows.to_pylist():
        text = row["reason"].encode()
        content += struct.pack(">h", 5)
        content += struct.pack(">iq", 8, row["reader_id"]) + struct.pack(">ih", 2, row["rank"])
        content += struct.pack(">iq", 8, row["article_id"]) + struct.pack(">if", 4, row["score"])
        content += struct.pack(">i", len(text)) + text
    return content


def test_rows_become_the_bytes_that_the_manual_describes() -> None:
    assert rows_as_bytes(ROWS, NUMBERS, TEXT) == by_hand(ROWS)


@pytest.mark.parametrize(("start", "length"), [(1, 2), (2, 1), (1, 1), (0, 0)])
def test_a_slice_of_rows_is_only_that_slice(start: int, length: int) -> None:
    part = ROWS.slice(start, length)
    assert rows_as_bytes(part, NUMBERS, TEXT) == by_hand(part)
