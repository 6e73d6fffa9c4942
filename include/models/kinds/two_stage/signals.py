"""Signals of the crowd for each request: from the reader's own reads to every live article.

Belongs here: candidates and their features, one moment at a time, given histories alone. Does not belong here: counting
the crowd (`crowd_reading.py`) and learning from features (`next_reads.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from include.features.scene_arrays import HOUR, Array, Counts, Numbers, Reads, find_places, to_time, to_times
from include.features.scenes import Scenes
from include.models.kinds.two_stage.crowd_reading import LATELY_HOURS, SIGHT_HOURS, CrowdReads, count_crowd_reads

EVER_HOURS = 14 * 24  # how far back a history goes
OWN_HOURS = 48  # how far back own reads lead to the next read
SITTING_HOURS = 1
STEPS_BACK = 0.75  # weight of an own read relative to the one after it
PAUSE_HOURS, TASTE_HOURS = 3.0, 240.0  # how fast own reads fade, for what comes next and for taste
CELLS_AT_ONCE, REQUESTS_AT_ONCE = 3_000_000, 1500
MOST_NAMES = 500  # categories and publishers with a number of their own
DEPTHS = {
    **{"beside_lately": 60, "beside_fast": 40, "beside_day": 40, "after_fast": 40, "after_last": 30},
    **{"after_last_day": 30, "alike": 30, "hops": 40, "neighbours": 40},
}
POPULAR_DEPTHS = {"reads_now": 60, "reads_3h": 40, "ending_3h": 30, "reads_24h": 20}
KINDS = ("category", "publisher")


class Catalogue:
    """Facts about articles, in order of their ids: numbers for the commonest names, -1 for others."""

    def __init__(self, scenes: Scenes) -> None:
        table = scenes.catalogue.sort_by("article_id")
        self.ids = np.asarray(table.column("article_id").to_numpy(), np.int64)
        self.codes = {kind: _codes(table.column(kind)) for kind in KINDS}
        self.names = {kind: int(codes.max(initial=-1)) + 1 for kind, codes in self.codes.items()}
        live = scenes.articles.group_by("article_id").aggregate([("published_at", "min")])
        place, is_known = find_places(self.ids, np.asarray(live.column("article_id").to_numpy(), np.int64))
        self.published = np.full(len(self.ids), np.nan)
        self.published[place[is_known]] = to_times(live.column("published_at_min"))[is_known]

    def find(self, kind: str, articles: Counts) -> Counts:
        """Return the numbers of these articles' names."""
        place, is_known = find_places(self.ids, articles)
        return np.where(is_known, self.codes[kind][place], -1) if len(self.ids) else np.full(len(articles), -1)


@dataclass(frozen=True)
class Own:
    """The reads of some requests' readers, newest first: the request's row, the article and its place among live
    articles, its distance in reads and hours, and the hours before the last one."""

    row: Counts
    article: Counts
    place: Counts
    is_live: NDArray[np.bool_]
    back: Counts
    hours: Array
    pause: Array


@dataclass(frozen=True)
class Pairs:
    """Candidates (row of the request, place of the article) and their features by name."""

    row: Counts
    place: Counts
    features: dict[str, Numbers]


class View:
    """One moment: its readers, the live articles and the crowd."""

    def __init__(self, scenes: Scenes, list_at: datetime, crowd: Reads, own: Reads, catalogue: Catalogue) -> None:
        self.list_at, self.moment, self.catalogue = list_at, to_time(list_at), catalogue
        articles = scenes.articles.sort_by("article_id")
        self.readers = np.sort(np.asarray(scenes.requests.column("reader_id").to_numpy(), np.int64))
        self.ids = np.asarray(articles.column("article_id").to_numpy(), np.int64)
        self.published = to_times(articles.column("published_at"))
        self.crowd = count_crowd_reads(crowd, self.ids, self.moment)
        self.codes = {kind: catalogue.find(kind, self.ids) for kind in KINDS}
        self.moves = {kind: _moves(self.crowd, codes, catalogue.names[kind]) for kind, codes in self.codes.items()}
        self.of_articles = self._describe_articles(articles)
        self._own = own.before(self.moment, EVER_HOURS, self.readers)

    def parts(self, readers: Counts) -> Iterator[Counts]:
        """Yield these readers in parts of a bounded size."""
        size = max(1, min(REQUESTS_AT_ONCE, CELLS_AT_ONCE // max(1, len(self.ids))))
        for start in range(0, len(readers), size):
            yield readers[start : start + size]

    def look(self, readers: Counts, popular_depth: int = 0, given: tuple[Counts, Counts] | None = None) -> Pairs:
        """Return candidates of these sorted readers (or the given pairs of row and place) with their features."""
        own = self._find_own(readers)
        signals = self._find_signals(own, len(readers))
        row, place = given or self._find_candidates(own, signals, popular_depth)
        features = {name: column[place] for name, column in self.of_articles.items()}
        features |= _describe_signals(signals, row, place)
        features |= self._describe_likeness(own, len(readers), row, place)
        sitting = np.bincount(own.row[own.pause <= SITTING_HOURS], minlength=len(readers))
        features["own_count"] = np.log1p(np.bincount(own.row, minlength=len(readers)))[row]
        features["sitting_count"] = np.minimum(sitting, 20)[row]
        lately = self.crowd.counts["reads_3h"]
        features["plain"] = np.log1p(
            signals["beside_lately"][row, place] + (lately / (1 + lately.max(initial=0)))[place]
        )
        features["popular"] = np.log1p(self.crowd.counts["reads_now"])[place]
        return Pairs(row, place, {name: np.asarray(column, np.float32) for name, column in features.items()})

    def _find_own(self, readers: Counts) -> Own:
        reader, article, at = self._own
        row, is_asked = find_places(readers, reader)
        row, article, at = row[is_asked], article[is_asked], at[is_asked]
        order = np.lexsort((article, -at, row))
        row, article, hours = row[order], article[order], (self.moment - at[order]) / HOUR
        first = np.searchsorted(row, np.arange(len(readers)))[row]
        place, is_live = find_places(self.ids, article)
        return Own(row, article, place, is_live, np.arange(len(row)) - first, hours, hours - hours[first])

    def _find_signals(self, own: Own, count: int) -> dict[str, Numbers]:
        """Return the signals, requests by live articles: how strongly own reads lead to each; 0 for own reads."""

        def start(weight: Array) -> sparse.csr_matrix:
            used = own.is_live & (weight > 0)
            cells = (weight[used].astype(np.float32), (own.row[used], own.place[used]))
            return sparse.csr_matrix(cells, shape=(count, len(self.ids)))

        newest = own.hours - own.pause
        lately = (own.hours <= LATELY_HOURS) | ((newest > LATELY_HOURS) & (own.hours <= 24))
        recent = own.hours <= OWN_HOURS
        faded = start(recent * STEPS_BACK ** np.minimum(own.back, 50) * np.exp(-own.pause / PAUSE_HOURS))
        last = start(recent & (own.back == 0))
        pairs = self.crowd.pairs
        signals = {
            "beside_lately": start(lately) @ pairs["beside_lately"],
            "beside_fast": faded @ pairs["beside_fast"],
            "beside_day": faded @ pairs["beside_day"],
            "after_fast": faded @ pairs["after_fast"],
            "after_last": last @ pairs["after_fast"],
            "after_last_day": last @ pairs["after_day"],
            "alike": faded @ pairs["alike"],
            "hops": (faded @ pairs["hop"]) @ pairs["hop"],
            "neighbours": (faded @ self.crowd.visits[0]).power(2) @ self.crowd.visits[1],
        }
        dense = {name: signal.toarray().astype(np.float32) for name, signal in signals.items()}
        for signal in dense.values():
            signal[own.row[own.is_live], own.place[own.is_live]] = 0
        return dense

    def _find_candidates(self, own: Own, signals: dict[str, Numbers], popular_depth: int) -> tuple[Counts, Counts]:
        wanted = np.zeros(signals["alike"].shape, bool)
        for name, signal in signals.items():
            depth = min(DEPTHS[name], signal.shape[1])
            if depth:
                best = np.argpartition(-signal, depth - 1, axis=1)[:, :depth]
                found = np.take_along_axis(signal, best, axis=1) > 0
                wanted[np.nonzero(found)[0], best[found]] = True
        for name, depth in POPULAR_DEPTHS.items():
            order = np.lexsort((self.ids, -self.published, -self.crowd.counts[name]))
            wanted[:, order[: max(depth, popular_depth)]] = True
        wanted[own.row[own.is_live], own.place[own.is_live]] = False
        row, place = np.nonzero(wanted)
        return row, place

    def _describe_articles(self, articles: pa.Table) -> dict[str, Numbers]:
        counts = self.crowd.counts
        columns: dict[str, Array] = {}
        for name, count in counts.items():
            columns[f"{name}_share"] = count / max(float(count.sum()), 1.0)
        for name in ("reads_now", "reads_3h", "reads_24h"):
            order = np.lexsort((self.ids, -counts[name]))
            columns[f"{name}_place"] = np.zeros(len(self.ids))
            columns[f"{name}_place"][order] = np.log1p(np.arange(len(order)))
        heat = counts["reads_3h"] + 0.1
        in_category = np.bincount(self.codes["category"] + 1, heat, 1)
        columns |= {
            "reads_3h": np.log1p(counts["reads_3h"]),
            "trend": np.log((counts["reads_now"] + 1) / (counts["reads_3h"] / 3 + 1)),
            "trend_day": np.log((counts["reads_3h"] + 1) / (counts["reads_24h"] / 8 + 1)),
            "onward_share": counts["onward_3h"] / (counts["reads_3h"] + 3),
            "ending_share": counts["ending_3h"] / (counts["onward_3h"] + 3),
            "share_of_category": heat / in_category[self.codes["category"] + 1],
            "seen_hours": (self.moment - self.crowd.first_at) / HOUR,
            "age_hours": (self.moment - self.published) / HOUR,
            "word_count": np.asarray(pc.fill_null(articles.column("word_count"), 0).to_numpy(), np.float64),
        }
        return {name: np.asarray(column, np.float32) for name, column in columns.items()}

    def _describe_likeness(self, own: Own, count: int, row: Counts, place: Counts) -> dict[str, Array]:
        """Return how similar each candidate is to the reader's reads in category, publisher and date."""
        found: dict[str, Array] = {}
        published = np.full(count, np.nan)
        at, is_known = find_places(self.catalogue.ids, own.article)
        newest = (own.back == 0) & is_known
        published[own.row[newest]] = self.catalogue.published[at[newest]]
        found["published_after_last"] = (self.published[place] - published[row]) / HOUR
        weights = {
            "last": (own.back == 0) * 1.0,
            "sitting": (own.hours <= OWN_HOURS)
            * STEPS_BACK ** np.minimum(own.back, 50)
            * np.exp(-own.pause / PAUSE_HOURS),
            "ever": np.exp(-own.hours / TASTE_HOURS),
        }
        for kind, codes in self.codes.items():
            code, names = self.catalogue.find(kind, own.article), len(self.moves[kind])
            candidate = codes[place]
            is_told = candidate >= 0
            shares = {}
            for name, weight in weights.items():
                used = code >= 0
                sums = np.bincount(own.row[used] * names + code[used], weight[used], count * names).reshape(
                    count, names
                )
                shares[name] = sums / np.maximum(sums.sum(axis=1, keepdims=True), 0.5)
            shares["next"] = shares["last"] @ self.moves[kind]
            for name, share in shares.items():
                found[f"{kind}_{name}"] = np.where(is_told, share[row, candidate], 0.0) if names else np.zeros(len(row))
        return found


def views_of(scenes: Scenes) -> Iterator[View]:
    """Yield a view of each moment with requests, in order."""
    moments = sorted(set(scenes.requests.column("list_at").to_pylist()))
    if not moments:
        return
    crowd = Reads(scenes.all_reads, moments[0] - timedelta(hours=SIGHT_HOURS))
    own, catalogue = Reads(scenes.reads, moments[0] - timedelta(hours=EVER_HOURS)), Catalogue(scenes)
    for list_at in moments:
        yield View(scenes.between(list_at, list_at + timedelta(microseconds=1)), list_at, crowd, own, catalogue)


def _describe_signals(signals: dict[str, Numbers], row: Counts, place: Counts) -> dict[str, Array]:
    """Return each signal as it is, as a share of its request's total, and relative to its request's best."""
    found: dict[str, Array] = {}
    for name, signal in signals.items():
        value = signal[row, place]
        found[name] = np.log1p(value)
        found[f"{name}_share"] = value / np.maximum(signal.sum(axis=1), 1e-6)[row]
        found[f"{name}_of_best"] = value / np.maximum(signal.max(axis=1, initial=0), 1e-6)[row]
    found["support"] = np.log1p(signals["beside_lately"].max(axis=1, initial=0))[row]
    return found


def _moves(crowd: CrowdReads, codes: Counts, names: int) -> Array:
    """Return how often a read of one name is followed by each other, as shares; few moves give small shares."""
    told = np.flatnonzero(codes >= 0)
    cells = (np.ones(len(told), np.float32), (told, codes[told]))
    to = sparse.csr_matrix(cells, shape=(len(codes), names))
    table = (to.T @ crowd.pairs["after_day"] @ to).toarray()
    return np.asarray(table / np.maximum(table.sum(axis=1, keepdims=True), 5.0))


def _codes(column: pa.ChunkedArray) -> Counts:
    """Return numbers of names, the commonest first."""
    counted = column.drop_null().value_counts()
    names = pa.table([counted.field("values"), counted.field("counts")], ["name", "rows"])
    common = names.sort_by([("rows", "descending"), ("name", "ascending")]).slice(0, MOST_NAMES).column("name")
    return np.asarray(pc.fill_null(pc.index_in(column, common), -1).to_numpy(), np.int64)
