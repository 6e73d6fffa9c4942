"""Topics: find which of some dozens of subjects an article is about, from its words and its category.

Belongs here: fitting on the text of articles (TF-IDF over hashed words, its main axes, clusters along them) and
applying it; a log without text has no topics. Does not belong here: readers' tastes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

Parts = dict[str, Any]
Floats = NDArray[np.float32]

MOST_TOPICS = 96
ARTICLES_PER_TOPIC = 30
MOST_ARTICLES = 30_000
WORD_BUCKETS = 2**15
FEWEST_ARTICLES_PER_WORD, MOST_ARTICLES_PER_WORD_SHARE = 5, 0.1
AXES = 64
CATEGORY_WEIGHT = 0.5
ALIKE = 0.8  # clusters with at least this cosine are one topic
ABOUT = ["article_id", "publisher", "language", "word_count", "published_at"]

_COUNTER = HashingVectorizer(n_features=WORD_BUCKETS, alternate_sign=False, norm=None, dtype=np.float32)


def fit_topics(catalogue: pa.Table, seed: int) -> Parts:
    """Return everything needed to find an article's topic; empty when the articles have no text."""
    if catalogue.num_rows > MOST_ARTICLES:
        rows = np.random.default_rng(seed).choice(catalogue.num_rows, MOST_ARTICLES, replace=False)
        catalogue = catalogue.take(pa.array(np.sort(rows)))
    if not catalogue.num_rows:
        return {}
    counts = count_words(catalogue)
    articles = np.bincount(counts.indices, minlength=WORD_BUCKETS)
    most = max(FEWEST_ARTICLES_PER_WORD, MOST_ARTICLES_PER_WORD_SHARE * catalogue.num_rows)
    words = np.flatnonzero((articles >= FEWEST_ARTICLES_PER_WORD) & (articles <= most)).astype(np.int32)
    rarity = (np.log((1 + catalogue.num_rows) / (1 + articles[words])) + 1).astype(np.float32)
    categories = sorted(set(catalogue.column("category").drop_null().to_pylist()))
    if not len(words) and len(categories) < 2:
        return {}
    parts: Parts = {"words": words, "rarity": rarity, "categories": categories}
    weights = _weights(parts, catalogue)
    if weights.shape[1] > AXES:
        svd = TruncatedSVD(AXES, random_state=seed).fit(weights)
        parts["axes"] = svd.components_.T.astype(np.float32)
    else:
        parts["axes"] = np.eye(weights.shape[1], dtype=np.float32)
    places = _places(parts, catalogue)
    count = min(MOST_TOPICS, max(2, catalogue.num_rows // ARTICLES_PER_TOPIC), len(np.unique(places.round(3), axis=0)))
    clusters = KMeans(count, n_init=1, max_iter=30, random_state=seed).fit(places)
    parts["centres"] = clusters.cluster_centers_.astype(np.float32)
    parts["labels"] = _merge(parts["centres"])
    return parts


def _merge(centres: Floats) -> NDArray[np.int32]:
    """Return a number for each cluster, the same for clusters of nearly the same words."""
    if len(centres) < 3:
        return np.arange(len(centres), dtype=np.int32)
    length = np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6)
    apart = np.clip(1 - (centres / length) @ (centres / length).T, 0, 2)
    merged = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=1 - ALIKE)
    return np.asarray(merged.fit_predict(apart), np.int32)


def count_topics(parts: Parts) -> int:
    """Return the number of topics."""
    return int(parts["labels"].max()) + 1 if parts else 0


def find_topics(parts: Parts, catalogue: pa.Table) -> pa.Table:
    """Return each article's topic beside the other columns for tastes and ages; empty without topics."""
    topics = np.zeros(0, np.int32)
    if parts and catalogue.num_rows:
        places, centres = _places(parts, catalogue), parts["centres"]
        topics = parts["labels"][np.argmin((centres**2).sum(axis=1) - 2 * places @ centres.T, axis=1)]
    about = catalogue.slice(0, len(topics)).select(ABOUT)
    return about.append_column("topic", pa.array(topics))


def count_words(catalogue: pa.Table) -> sparse.csr_matrix:
    """Return the word counts of each article's title and summary; words are identified by their hashes."""
    return _COUNTER.transform(_texts(catalogue))


def _texts(catalogue: pa.Table) -> list[str]:
    title, summary = (pc.fill_null(catalogue.column(name), "") for name in ("title", "summary"))
    return list(pc.binary_join_element_wise(title, summary, " ").to_pylist())


def _weights(parts: Parts, catalogue: pa.Table) -> sparse.csr_matrix:
    counts = count_words(catalogue)[:, parts["words"]].tocsr()
    counts.data = 1 + np.log(counts.data)
    words = counts.multiply(parts["rarity"]).tocsr()
    if words.shape[1]:
        words = normalize(words)
    code = pc.index_in(catalogue.column("category"), pa.array(parts["categories"], pa.string()))
    known = np.flatnonzero(code.is_valid().to_numpy())
    filed = sparse.csr_matrix(
        (
            np.full(len(known), CATEGORY_WEIGHT, np.float32),
            (known, pc.drop_null(code).to_numpy()),
        ),
        shape=(catalogue.num_rows, len(parts["categories"])),
    )
    return sparse.hstack([words, filed]).tocsr()


def _places(parts: Parts, catalogue: pa.Table) -> Floats:
    places = np.asarray(_weights(parts, catalogue) @ parts["axes"], np.float32)
    length = np.linalg.norm(places, axis=1, keepdims=True)
    return np.asarray(places / np.maximum(length, 1e-6), np.float32)
