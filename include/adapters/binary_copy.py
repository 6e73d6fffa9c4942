"""PostgreSQL's binary COPY format, the input of `copy … from stdin (format binary)`, written column by column.

Belongs here: turning Arrow rows into those bytes without a Python loop over rows. Does not belong here: the columns of
any table, or the connection.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

# each value is preceded by its length in bytes
LENGTH = ">i4"


def rows_as_bytes(rows: pa.RecordBatch, numbers: Mapping[str, str], text: str) -> bytes:
    """Return the rows as bytes: `numbers` (column name -> big-endian NumPy type), then `text`. No value may be null."""
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

    # a row is its head followed by its text: mark the bytes that are text, then fill each kind in one step
    widths = np.empty((len(words), 2), np.int64)
    widths[:, 0] = heads.itemsize
    widths[:, 1] = np.diff(ends)
    is_text = np.repeat(np.tile([False, True], len(words)), widths.ravel())
    content = np.empty(len(is_text), np.uint8)
    content[~is_text] = heads.view(np.uint8)
    if words.buffers()[2] is not None:
        content[is_text] = np.frombuffer(words.buffers()[2], np.uint8)[ends[0] : ends[-1]]
    return content.tobytes()
