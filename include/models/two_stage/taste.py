"""Taste: how much more a reader reads of each subject (a topic, a publisher) than others who are shown the same.

A factor model of counts. What a reader reads of a subject is drawn around what the crowd would have read of what they
were shown, times a factor of their own; these factors move together over subjects as the crowd's tastes do, so a few
reads say something about all of them. Long stays count for more than short ones. Readers come in kinds: where a reader
stands is drawn around the middle of their kind, and what they ticked at sign-up speaks for a kind, too. Fitted on the
crowd once, by variational EM; a reader's own place is then found from their history alone, so nothing is fitted while
ranking, and strangers get the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

Parts = dict[str, Any]
Numbers = NDArray[np.float64]

ROUNDS = 10
RIDGE = 5.0
MOST_READERS = 6_000
LARGEST_LOG_RATE = 6.0
READERS_PER_KIND, KIND_ROUNDS = 100, 12
USUAL_TICKS = 4.0  # readers a kind is given on top, who tick what everybody ticks


@dataclass(frozen=True)
class Counts:
    """Per request and subject: what was read (weighted), and what the crowd would have read; and per request, what was
    ticked (ones and noughts)."""

    gains: Numbers
    chances: Numbers
    ticked: Numbers


@dataclass(frozen=True)
class Hint:
    """What each request's counts say about its place among the factors: the curve of their likelihood, and its pull."""

    curve: Numbers
    pull: Numbers


def fit_taste(counts: Counts, seed: int, *, most_factors: int, most_kinds: int) -> Parts:
    """Rates of subjects, how they move together, and the kinds of readers there are."""
    gains, chances = counts.gains, counts.chances
    readers, subjects = gains.shape
    factors = min(most_factors, subjects)
    rates = np.log((gains.sum(axis=0) + 2) / (chances.sum(axis=0) + 2))
    expected = chances * np.exp(rates)
    _, size, axes = np.linalg.svd((gains - expected) / np.sqrt(expected + 0.5), full_matrices=False)
    loadings = np.zeros((subjects, factors))
    loadings[:, : min(factors, len(size))] = axes[:factors].T * size[:factors] / readers**0.5
    places, spreads = np.zeros((readers, factors)), np.tile(np.eye(factors), (readers, 1, 1))
    for turn in range(ROUNDS):
        places, spreads = _find(counts, rates, loadings, 3 if turn else 6, places, spreads)
        for _ in range(2):
            means = _means(chances, rates, loadings, places, spreads)
            moments = (places[:, :, None] * places[:, None, :] + spreads).reshape(readers, -1)
            curve = (means.T @ moments).reshape(subjects, factors, factors) + RIDGE * np.eye(factors)
            blurred = (means.T @ spreads.reshape(readers, -1)).reshape(subjects, factors, factors)
            slope = gains.T @ places - means.T @ places - np.einsum("tij,tj->ti", blurred, loadings) - RIDGE * loadings
            loadings = loadings + np.clip(np.linalg.solve(curve, slope[:, :, None])[:, :, 0], -0.5, 0.5)
            rates = rates + np.clip(np.log((gains.sum(axis=0) + 2) / (means.sum(axis=0) + 2)), -1, 1)
        # the scale of the factors is free: readers have variance one
        scale = np.linalg.cholesky((places.T @ places + spreads.sum(axis=0)) / readers + 1e-6 * np.eye(factors))
        back = np.linalg.inv(scale)
        loadings, places, spreads = loadings @ scale, places @ back.T, back @ spreads @ back.T
    kinds = _fit_kinds(_hint(counts, rates, loadings, places, spreads), places, counts.ticked, seed, most_kinds)
    learnt = {"rates": rates, "loadings": loadings, **kinds}
    return {name: value.astype(np.float32) for name, value in learnt.items()}


def find_tastes(parts: Parts, counts: Counts) -> tuple[Numbers, Numbers]:
    """Per request and subject: the log of how much more than the crowd's mean it is read, and how unsure that is."""
    known = {name: value.astype(np.float64) for name, value in parts.items()}
    rates, loadings = known["rates"], known["loadings"]
    start = (
        np.zeros((len(counts.gains), loadings.shape[1])),
        np.tile(np.eye(loadings.shape[1]), (len(counts.gains), 1, 1)),
    )
    places, spreads = _find(counts, rates, loadings, 6, *start)
    weights, middles, spreads = _weigh_kinds(known, _hint(counts, rates, loadings, places, spreads), counts.ticked)
    own = spreads.reshape(len(places), -1) @ _squares(loadings).T
    logs = np.einsum("rkf,sf->rks", middles, loadings, optimize=True)
    mean = np.einsum("rk,rks->rs", weights, logs)
    apart = np.einsum("rk,rks->rs", weights, (logs - mean[:, None, :]) ** 2)
    rate = np.einsum("rk,rks->rs", weights, np.exp(np.minimum(logs, LARGEST_LOG_RATE)))
    return rates + np.log(rate) + own / 2, np.sqrt(own + apart)


def _find(
    counts: Counts, rates: Numbers, loadings: Numbers, steps: int, places: Numbers, spreads: Numbers
) -> tuple[Numbers, Numbers]:
    """Where readers stand among the factors: means and covariances, by Newton steps on all at once."""
    for _ in range(steps):
        hint = _hint(counts, rates, loadings, places, spreads)
        spreads = np.asarray(np.linalg.inv(hint.curve + np.eye(loadings.shape[1])), np.float64)
        step = np.einsum("rij,rj->ri", spreads, hint.pull) - places
        places = places + np.clip(step, -1.5, 1.5)
    return places, spreads


def _hint(counts: Counts, rates: Numbers, loadings: Numbers, places: Numbers, spreads: Numbers) -> Hint:
    factors = loadings.shape[1]
    means = _means(counts.chances, rates, loadings, places, spreads)
    curve = (means @ _squares(loadings)).reshape(-1, factors, factors)
    return Hint(curve, np.einsum("rij,rj->ri", curve, places) + (counts.gains - means) @ loadings)


def _means(chances: Numbers, rates: Numbers, loadings: Numbers, places: Numbers, spreads: Numbers) -> Numbers:
    logs = rates + places @ loadings.T + 0.5 * spreads.reshape(len(places), -1) @ _squares(loadings).T
    return np.asarray(chances * np.exp(np.minimum(logs, LARGEST_LOG_RATE)))


def _squares(loadings: Numbers) -> Numbers:
    return np.asarray((loadings[:, :, None] * loadings[:, None, :]).reshape(len(loadings), -1))


def _fit_kinds(hint: Hint, places: Numbers, ticked: Numbers, seed: int, most: int) -> Parts:
    """How many readers are of each kind, where its middle is, how far all stand from theirs, and what they tick."""
    readers, factors = places.shape
    count = min(most, max(1, readers // READERS_PER_KIND), len(np.unique(places.round(3), axis=0)))
    label = KMeans(count, n_init=3, random_state=seed).fit_predict(places)
    weights = 0.9 * np.eye(count)[label] + 0.1 / count
    kinds: Parts = {"middles": weights.T @ places / weights.sum(axis=0)[:, None], "width": 0.5 * np.eye(factors)}
    for _ in range(KIND_ROUNDS):
        sizes = weights.sum(axis=0)
        kinds["shares"] = (sizes + 2) / (readers + 2 * count)
        kinds["ticks"] = (weights.T @ ticked + USUAL_TICKS * (ticked.mean(axis=0) + 1e-3)) / (
            sizes[:, None] + USUAL_TICKS * 1.01
        )
        weights, middles, spreads = _weigh_kinds(kinds, hint, ticked)
        kinds["middles"] = np.einsum("rk,rkf->kf", weights, middles) / weights.sum(axis=0)[:, None]
        off = middles - kinds["middles"]
        kinds["width"] = (
            np.einsum("rk,rkf,rkg->fg", weights, off, off, optimize=True) + spreads.sum(axis=0)
        ) / readers + 1e-6 * np.eye(factors)
    return kinds


def _weigh_kinds(kinds: Parts, hint: Hint, ticked: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Of which kind each request's reader may be, where they stand if they are, and how unsure that is."""
    narrow = np.linalg.inv(kinds["width"])
    pulled = kinds["middles"] @ narrow
    spreads = np.asarray(np.linalg.inv(hint.curve + narrow), np.float64)
    pull = hint.pull[:, None, :] + pulled
    middles = np.einsum("rij,rkj->rki", spreads, pull, optimize=True)
    logs = 0.5 * np.einsum("rki,rki->rk", pull, middles) - 0.5 * (pulled * kinds["middles"]).sum(axis=1)
    logs += np.log(kinds["shares"]) + ticked @ np.log(kinds["ticks"]).T + (1 - ticked) @ np.log1p(-kinds["ticks"]).T
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True), middles, spreads
