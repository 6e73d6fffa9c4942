"""Taste: how much more a reader reads of each topic than others who are shown the same.

A factor model of counts. What a reader reads of a topic is drawn around what the crowd would have read of what they
were shown, times a factor of their own; these factors move together over topics as the crowd's tastes do, so a few
reads say something about all topics. Long stays count for more than short ones. Fitted on the crowd once, by
variational EM; a reader's own place is then found from their history alone, so nothing is fitted while ranking, and
strangers get the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Parts = dict[str, Any]
Numbers = NDArray[np.float64]

FACTORS = 12
ROUNDS = 10
RIDGE = 5.0
COVARIATE_RIDGE = 20.0
MOST_READERS = 6_000
LARGEST_LOG_RATE = 6.0


@dataclass(frozen=True)
class Counts:
    """Per request and topic: what was read (weighted), and what the crowd would have read; and per request, what is
    known beforehand (a constant and the interests that were ticked)."""

    gains: Numbers
    chances: Numbers
    beforehand: Numbers


def fit_taste(counts: Counts) -> Parts:
    """Rates of topics, how they move together, and what ticked interests say."""
    gains, chances, known = counts.gains, counts.chances, counts.beforehand
    readers, topics = gains.shape
    factors = min(FACTORS, topics)
    rates = np.log((gains.sum(axis=0) + 2) / (chances.sum(axis=0) + 2))
    expected = chances * np.exp(rates)
    _, size, axes = np.linalg.svd((gains - expected) / np.sqrt(expected + 0.5), full_matrices=False)
    loadings = np.zeros((topics, factors))
    loadings[:, : min(factors, len(size))] = axes[:factors].T * size[:factors] / readers**0.5
    prior = np.zeros((known.shape[1], factors))
    places, spreads = np.zeros((readers, factors)), np.tile(np.eye(factors), (readers, 1, 1))
    for turn in range(ROUNDS):
        places, spreads = _find(
            counts, rates, loadings, known @ prior, 3 if turn else 6, places=places, spreads=spreads
        )
        for _ in range(2):
            means = _means(chances, rates, loadings, places, spreads)
            moments = (places[:, :, None] * places[:, None, :] + spreads).reshape(readers, -1)
            curve = (means.T @ moments).reshape(topics, factors, factors) + RIDGE * np.eye(factors)
            blurred = (means.T @ spreads.reshape(readers, -1)).reshape(topics, factors, factors)
            slope = gains.T @ places - means.T @ places - np.einsum("tij,tj->ti", blurred, loadings) - RIDGE * loadings
            loadings = loadings + np.clip(np.linalg.solve(curve, slope[:, :, None])[:, :, 0], -0.5, 0.5)
            rates = rates + np.clip(np.log((gains.sum(axis=0) + 2) / (means.sum(axis=0) + 2)), -1, 1)
        ridge = COVARIATE_RIDGE * np.eye(known.shape[1])
        prior = np.linalg.solve(known.T @ known + ridge, known.T @ places)
        # the scale of the factors is free: readers around their prior have variance one
        left = places - known @ prior
        scale = np.linalg.cholesky((left.T @ left + spreads.sum(axis=0)) / readers + 1e-6 * np.eye(factors))
        back = np.linalg.inv(scale)
        loadings, prior, places = loadings @ scale, prior @ back.T, places @ back.T
        spreads = back @ spreads @ back.T
    return {
        name: value.astype(np.float32) for name, value in (("rates", rates), ("loadings", loadings), ("prior", prior))
    }


def find_tastes(parts: Parts, counts: Counts) -> tuple[Numbers, Numbers]:
    """Per request and topic: the log of how much more than the crowd's mean it is read, and how unsure that is."""
    rates, loadings, prior = (parts[name].astype(np.float64) for name in ("rates", "loadings", "prior"))
    places, spreads = _find(counts, rates, loadings, counts.beforehand @ prior, 6)
    squares = (loadings[:, :, None] * loadings[:, None, :]).reshape(len(loadings), -1)
    return rates + places @ loadings.T, np.sqrt(spreads.reshape(len(places), -1) @ squares.T)


def _find(
    counts: Counts,
    rates: Numbers,
    loadings: Numbers,
    prior: Numbers,
    steps: int,
    places: Numbers | None = None,
    spreads: Numbers | None = None,
) -> tuple[Numbers, Numbers]:
    """Where readers stand among the factors: means and covariances, by Newton steps on all at once."""
    factors = loadings.shape[1]
    places = prior if places is None else places
    spreads = np.tile(np.eye(factors), (len(prior), 1, 1)) if spreads is None else spreads
    squares = (loadings[:, :, None] * loadings[:, None, :]).reshape(len(loadings), -1)
    for _ in range(steps):
        means = _means(counts.chances, rates, loadings, places, spreads)
        curve = (means @ squares).reshape(-1, factors, factors) + np.eye(factors)
        slope = (counts.gains - means) @ loadings - (places - prior)
        spreads = np.asarray(np.linalg.inv(curve), np.float64)
        places = places + np.clip(np.einsum("rij,rj->ri", spreads, slope), -1.5, 1.5)
    return places, spreads


def _means(chances: Numbers, rates: Numbers, loadings: Numbers, places: Numbers, spreads: Numbers) -> Numbers:
    squares = (loadings[:, :, None] * loadings[:, None, :]).reshape(len(loadings), -1)
    logs = rates + places @ loadings.T + 0.5 * spreads.reshape(len(places), -1) @ squares.T
    return np.asarray(chances * np.exp(np.minimum(logs, LARGEST_LOG_RATE)))
