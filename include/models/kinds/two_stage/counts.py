"""Score candidates by counts: co-reading and recent reads of all readers, in the mix that serves a log best.

Belongs here: predicting reads without trees. Does not belong here: trees and how far to trust them
(`next_reads.py`), counting itself (`crowd_reading.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.features.scene_arrays import Array, Counts
from include.models.kinds.two_stage.signals import Pairs, View

Mix = dict[str, Any]  # share of all readers' reads (the rest is co-reading), and their span

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
SPANS = {"hour": "reads_1h", "now": "reads_now", "day": "reads_24h"}
COUNTS = ("plain", *SPANS)
USUAL: Mix = {"crowd": 0.5, "span": "hour"}  # serves most logs; another mix must be better
SURE = 2.0  # standard errors that a gain must exceed to be trusted
SILENT = {"day": 1e-4, "newest": 1e-7}  # less than any count gives
COUNT_SCALE = 3.0
HARDEST = 60  # candidates that each count ranks first


def with_counts(view: View, pairs: Pairs) -> dict[str, Array]:
    """Return the pairs' features with counts of reads; `silent` orders the pairs without any count."""
    counts = view.crowd.counts
    day = counts["reads_24h"] / (1.0 + counts["reads_24h"].max(initial=0))
    newest = np.argsort(np.lexsort((-view.ids, view.published))) / max(1, len(view.ids))
    told = {span: np.log1p(counts[name])[pairs.place] for span, name in SPANS.items()}
    told["silent"] = (SILENT["day"] * day + SILENT["newest"] * newest)[pairs.place]
    return pairs.features | told


def find_hard(row: Counts, counts: dict[str, Array]) -> NDArray[np.bool_]:
    """Return which candidates any of the counts ranks among its first."""
    hard = np.zeros(len(row), bool)
    for count in counts.values():
        order = np.lexsort((-count, row))
        ordered = row[order]
        hard[order[np.arange(len(row)) - np.searchsorted(ordered, ordered) < HARDEST]] = True
    return hard


def choose_counts(features: dict[str, Array], gain: Array, request: Counts) -> Mix:
    """Return the mix of counts that is certainly better than the usual one, else the usual one."""
    mixes: list[Mix] = [USUAL, *({"crowd": crowd, "span": span} for span in SPANS for crowd in SHARES)]
    return mixes[choose_surely([find_ndcg(request, mix({"trust": 0.0, **one}, 0.0, features), gain) for one in mixes])]


def choose_surely(worth: Sequence[Array]) -> int:
    """Return the choice whose gain over the first has the highest lower bound, given its worth per request."""
    gains = [one - worth[0] for one in worth]
    return int(np.argmax([gain.sum() - SURE * np.sqrt((gain**2).sum()) for gain in gains]))


def mix(parts: Mix, trees: Array | float, features: dict[str, Array]) -> Array:
    """Return scores: trees as far as they are trusted, counts for the rest."""
    trust, crowd = parts["trust"], parts["crowd"]
    counts = (1 - crowd) * features["plain"].astype(np.float64) + crowd * features[parts["span"]].astype(np.float64)
    return np.asarray(trust * trees + (1 - trust) * COUNT_SCALE * (counts + features["silent"]))


def find_ndcg(request: Counts, score: Array, gain: Array) -> Array:
    """Return the discounted gain of each request, by its number; ties count as ranked worst."""
    order = np.lexsort((gain, -score, request))
    ordered = request[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered) + 1
    return np.bincount(ordered, gain[order] / np.log2(rank + 1))
