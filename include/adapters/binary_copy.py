"""PostgreSQL's binary COPY format, written a column at a time: what `copy … from stdin (format binary)` wants to read.

Belongs here: turning Arrow rows into those bytes without touching a single row in Python. Does not belong here: any
table's columns, or the connection.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

# a column's length in bytes is sent before each of its values
LENGTH = ">i4"


def rows_as_bytes(rows: pa.RecordBatch, numbers: Mapping[str, str], text: str) -> bytes:
    """The rows' `numbers` (column name -> NumPy type, big-endian), then their `text` column. No value may be null."""
    words = rows.column(text).cast(pa.large_string())
    ends = np.frombuffer(words.buffers()[1], np.int64)[words.offset : words.offset + len(words) + 1]
    layout = [("column_count", ">i2")]
    for name, kind in numbers.items():
        layout += [(f"length of {name}", LENGTH), (name, kind)]
    heads = np.empty(len(words), [*layout, ("length of text", LENGTH)])
    heads["column_count"] = len(numbers) + 1
    for name, kind in numbers.items():
        heads[f"length of {name}"] = np.dtype(kind).itemsize
        heads[name] = rows.column(name).to_numpy()
    heads["length of text"] = np.diff(ends)

    # a row is its head and then its text: mark which bytes are text, then fill both kinds in one go each
    widths = np.empty((len(words), 2), np.int64)
    widths[:, 0] = heads.itemsize
    widths[:, 1] = np.diff(ends)
    is_text = np.repeat(np.tile([False, True], len(words)), widths.ravel())
    content = np.empty(len(is_text), np.uint8)
    content[~is_text] = heads.view(np.uint8)
    if words.buffers()[2] is not None:
        content[is_text] = np.frombuffer(words.buffers()[2], np.uint8)[ends[0] : ends[-1]]
    return content.tobytes()
