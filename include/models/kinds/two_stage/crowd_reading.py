"""Count the crowd's reads of the last day at a moment: single reads, and pairs beside and after each other.

Belongs here: counts over reads, as arrays and as matrices of articles by articles, for any log; older reads and pairs
farther apart count less. Does not belong here: signals for a reader (`signals.py`) and learning from them
(`next_reads.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from include.features.scene_arrays import HOUR, Array, Counts, Numbers, Reads, find_places

SIGHT_HOURS = 24  # how far back the crowd counts; a version holds no more
LATELY_HOURS = 3  # span of plain co-reading
SITTING_HOURS = 0.5  # a longer pause between reads starts a new sitting
FAST_HOURS, DAY_HOURS, VISIT_HOURS = 1.5, 10.0, 6.0  # how fast a read fades, where the last hours or the day count
FARTHEST = 12  # reads apart at which two reads of one reader still are a pair
MOST_HOPS = 20  # neighbours of an article that a second hop starts from
MOST_VISITS = 400  # latest sittings with an article that another sitting is compared with


@dataclass(frozen=True)
class CrowdReads:
    """The live articles of a moment in order of their ids, and their reads before it.

    `pairs` are matrices of articles by articles, `counts` numbers per article, `visits` articles by sittings and
    sittings by articles, `first_at` the first recent read of each (the moment itself if unread). Sums are taken in
    float64 and stored as float32, so that they do not depend on the order of readers, whose ids no version keeps.
    """

    ids: Counts
    pairs: dict[str, sparse.csr_matrix]
    counts: dict[str, Numbers]
    visits: tuple[sparse.csr_matrix, sparse.csr_matrix]
    first_at: Counts


def count_crowd_reads(reads: Reads, ids: Counts, moment: int) -> CrowdReads:
    """Return the reads before the moment of the articles with these sorted ids."""
    reader, article, at = reads.before(moment, SIGHT_HOURS)
    place, is_live = find_places(ids, article)
    reader, place, at = reader[is_live], place[is_live], at[is_live]
    hours = (moment - at) / HOUR
    sitting, step = _sittings(reader, at)
    first = np.full(len(ids), moment)
    np.minimum.at(first, place, at)
    return CrowdReads(
        ids,
        _pairs(reader, place, at, hours, len(ids)),
        _counts(place, hours, sitting, step, len(ids)),
        _visits(place, hours, sitting, len(ids)),
        first,
    )


def _pairs(reader: Counts, place: Counts, at: Counts, hours: Array, count: int) -> dict[str, sparse.csr_matrix]:
    left, right, apart = _by_one_reader(reader)
    gap = (at[right] - at[left]) / HOUR
    near = np.where(gap <= SITTING_HOURS, 1.0, 0.5 * np.exp(-gap / 4.0)) / apart
    fast, day = near * np.exp(-hours[right] / FAST_HOURS), near * np.exp(-hours[right] / DAY_HOURS)

    def after(weight: Array) -> sparse.csr_matrix:
        values = (weight.astype(np.float64), (place[left], place[right]))
        return sparse.csr_matrix(values, shape=(count, count))

    def beside(weight: Array) -> sparse.csr_matrix:
        one = after(weight)
        return (one + one.T).tocsr().astype(np.float32)

    readers = np.bincount(place, np.exp(-hours / DAY_HOURS), count)
    scale = sparse.diags(1 / np.sqrt(readers + 1))
    beside_day = beside(day)
    alike = (scale @ beside_day @ scale).tocsr().astype(np.float32)
    return {
        "beside_lately": beside(hours[left] <= LATELY_HOURS),
        "beside_fast": beside(fast),
        "beside_day": beside_day,
        "after_fast": after(fast / apart).astype(np.float32),
        "after_day": after(day * (apart == 1)).astype(np.float32),
        "alike": alike,
        "hop": _closest(alike),
    }


def _by_one_reader(reader: Counts) -> tuple[Counts, Counts, Counts]:
    """Return pairs of rows read by one reader, the earlier first, and how many reads apart they are."""
    begin, found = np.arange(len(reader)), [np.zeros((3, 0), np.int64)]
    for distance in range(1, FARTHEST + 1):
        begin = begin[begin + distance < len(reader)]
        begin = begin[reader[begin] == reader[begin + distance]]
        found.append(np.stack([begin, begin + distance, np.full(len(begin), distance)]))
    left, right, apart = np.concatenate(found, axis=1)
    return left, right, apart


def _closest(alike: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the few closest neighbours of each article, as shares that sum to 1."""
    rows = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
    order = np.lexsort((alike.indices, -alike.data, rows))
    kept = order[np.arange(len(order)) - alike.indptr[rows[order]] < MOST_HOPS]
    few = sparse.csr_matrix((alike.data[kept], (rows[kept], alike.indices[kept])), shape=alike.shape)
    total = np.maximum(np.asarray(few.sum(axis=1)).ravel(), 1e-9)
    return (sparse.diags((1 / total).astype(np.float32)) @ few).tocsr()


def _sittings(reader: Counts, at: Counts) -> tuple[Counts, Counts]:
    """Return the number of each read's sitting, and its place in the sitting."""
    if not len(reader):
        return reader, reader
    is_first = np.ones(len(reader), bool)
    is_first[1:] = (reader[1:] != reader[:-1]) | (np.diff(at) > SITTING_HOURS * HOUR)
    number = np.cumsum(is_first) - 1
    return number, np.arange(len(reader)) - np.flatnonzero(is_first)[number]


def _counts(place: Counts, hours: Array, sitting: Counts, step: Counts, count: int) -> dict[str, Numbers]:
    """Return reads of the last hours, those of them after the first of a sitting, and those that ended one."""
    is_onward = (step > 0) & (hours <= LATELY_HOURS)
    is_last = np.append(sitting[1:] != sitting[:-1], True)[: len(sitting)]
    weights = {
        "reads_now": np.exp(-hours / SITTING_HOURS),
        **{f"reads_{within}h": hours <= within for within in (1, 3, 6, 24)},
        "onward_3h": is_onward,
        "ending_3h": is_onward & is_last,
    }
    return {name: np.bincount(place, weight, count).astype(np.float32) for name, weight in weights.items()}


def _visits(place: Counts, hours: Array, sitting: Counts, count: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return the latest sittings by article, rare articles weighing more, and the articles by sitting, recent first."""
    length = np.bincount(sitting, minlength=1)
    is_shared = length[sitting] > 1
    place, sitting, hours = place[is_shared], sitting[is_shared], hours[is_shared]
    order = np.lexsort((hours, place))
    begin = np.searchsorted(place[order], np.arange(count))
    latest = order[np.arange(len(order)) - begin[place[order]] < MOST_VISITS]
    rarity = np.log(1 + len(length) / (1 + np.bincount(place, minlength=count)))
    weight = np.exp(-hours / VISIT_HOURS) / np.sqrt(length[sitting])
    shape = (count, len(length))
    return (
        sparse.csr_matrix((rarity[place[latest]], (place[latest], sitting[latest])), shape=shape),
        sparse.csr_matrix((weight, (sitting, place)), shape=shape[::-1]),
    )
