"""Taste: how much likelier than other readers a reader opens articles on a subject (a topic, a publisher).

A factor model of readers' reactions to each article they saw. The log-odds of opening an article are the usual ones at
its place and age, plus the reader's taste for its subject. The length of a read, relative to the article's, follows the
same taste and the reader's own pace. An article found without an impression was chosen among subjects. Tastes for
subjects are correlated as in the crowd, so a few reads say something about all of them. Readers come in kinds: a
reader's place is drawn around the centre of their kind, and the interests ticked at sign-up also point to a kind. The
model is fitted once on the crowd, by EM; a reader's own place is then found from their history alone. So nothing is
fitted while ranking, and unknown readers get the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.cluster import KMeans

Parts = dict[str, Any]
Numbers = NDArray[np.float64]
Array = NDArray[Any]

ROUNDS = 10
RIDGE = 5.0
MOST_READERS = 6_000
LARGEST_LOG_RATE = 6.0
READERS_PER_KIND, KIND_ROUNDS = 100, 12
USUAL_TICKS = 4.0  # prior readers per kind, whose ticks are the average
RATE_SHRINK = 4.0
PACE_WIDTH, STAY_WIDTH = 0.3, 0.6  # prior spread of paces and stays
FEWEST_STAYS = 200


@dataclass(frozen=True)
class Seen:
    """Articles that readers saw, a row per request (`row`) and article: subject, weight, the log-odds that any reader
    opens it (NaN: it was found unseen), how far it was opened, and the log of how much longer than usual it was read
    (NaN: not known). Per request: finds without an impression and how common they are, by subject, and ticks."""

    row: Array
    subject: Array
    weight: Numbers
    odds: Numbers
    opened: Numbers
    stay: Numbers
    found: Numbers
    shares: Numbers
    ticked: Numbers

    @property
    def rows(self) -> int:
        """Return the number of requests."""
        return len(self.ticked)


@dataclass(frozen=True)
class Hint:
    """The evidence of a reader's actions about their place among the factors: its curvature and its pull."""

    curve: Numbers
    pull: Numbers


def fit_taste(seen: Seen, seed: int, *, most_factors: int, most_kinds: int, stay: Numbers | None = None) -> Parts:
    """Return rates of subjects, how they move together, how stays follow, and the kinds of readers."""
    readers, subjects = seen.found.shape
    factors = min(most_factors, subjects)
    known: Parts = {
        "rates": np.zeros(subjects),
        "loadings": np.zeros((subjects, factors)),
        "stay": np.array([0.0, 0.0, STAY_WIDTH]) if stay is None else stay,
    }
    for _ in range(4):
        pull, curve, _ = _pulls(seen, known, np.tile(known["rates"], (readers, 1)))
        known["rates"] = known["rates"] + np.clip(pull.sum(axis=0) / (curve.sum(axis=0) + RATE_SHRINK), -1, 1)
    _, size, axes = np.linalg.svd(pull / np.sqrt(curve + 0.5), full_matrices=False)
    known["loadings"][:, : min(factors, len(size))] = axes[:factors].T * size[:factors] / readers**0.5
    places, spreads = np.zeros((readers, factors)), np.tile(np.eye(factors), (readers, 1, 1))
    for turn in range(ROUNDS):
        places, spreads = _find(seen, known, 3 if turn else 6, places)
        if stay is None:
            known["stay"] = _fit_stay(seen, known, places, spreads)
        for _ in range(2):
            known |= _improve(seen, known, places, spreads)
        # the scale of the factors is free: readers have variance one
        scale = np.linalg.cholesky((places.T @ places + spreads.sum(axis=0)) / readers + 1e-6 * np.eye(factors))
        back = np.linalg.inv(scale)
        known["loadings"], places, spreads = known["loadings"] @ scale, places @ back.T, back @ spreads @ back.T
    kinds = _fit_kinds(_hint(seen, known, places), places, seen.ticked, seed, most_kinds)
    return {name: value.astype(np.float32) for name, value in {**known, **kinds}.items()}


def find_tastes(parts: Parts, seen: Seen) -> tuple[Numbers, Numbers]:
    """Return, per request and subject, the log of how much likelier than usual it is opened, and its uncertainty."""
    known = {name: value.astype(np.float64) for name, value in parts.items()}
    rates, loadings = known["rates"], known["loadings"]
    places, spreads = _find(seen, known, 6, np.zeros((seen.rows, loadings.shape[1])))
    weights, middles, spreads = _weigh_kinds(known, _hint(seen, known, places), seen.ticked)
    # once more around the places that the kinds suggest, where the hint is exact
    near = np.einsum("rk,rkf->rf", weights, middles)
    weights, middles, spreads = _weigh_kinds(known, _hint(seen, known, near), seen.ticked)
    own = spreads.reshape(len(places), -1) @ _squares(loadings).T
    logs = np.einsum("rkf,sf->rks", middles, loadings, optimize=True)
    mean = np.einsum("rk,rks->rs", weights, logs)
    apart = np.einsum("rk,rks->rs", weights, (logs - mean[:, None, :]) ** 2)
    rate = np.einsum("rk,rks->rs", weights, np.exp(np.minimum(logs, LARGEST_LOG_RATE)))
    return rates + np.log(rate) + own / 2, np.sqrt(own + apart)


def _improve(seen: Seen, known: Parts, places: Numbers, spreads: Numbers) -> Parts:
    """Return rates and loadings after a Newton step with readers' places fixed."""
    rates, loadings = known["rates"], known["loadings"]
    (readers, factors), subjects = places.shape, len(rates)
    pull, curve, _ = _pulls(seen, known, rates + places @ loadings.T)
    moments = (places[:, :, None] * places[:, None, :] + spreads).reshape(readers, -1)
    bend = (curve.T @ moments).reshape(subjects, factors, factors) + RIDGE * np.eye(factors)
    blurred = (curve.T @ spreads.reshape(readers, -1)).reshape(subjects, factors, factors)
    slope = pull.T @ places - np.einsum("tij,tj->ti", blurred, loadings) - RIDGE * loadings
    step = (pull.sum(axis=0) - RATE_SHRINK * (rates - rates.mean())) / (curve.sum(axis=0) + RATE_SHRINK)
    return {
        "rates": rates + np.clip(step, -1, 1),
        "loadings": loadings + np.clip(np.linalg.solve(bend, slope[:, :, None])[:, :, 0], -0.5, 0.5),
    }


def _find(seen: Seen, known: Parts, steps: int, places: Numbers) -> tuple[Numbers, Numbers]:
    """Return readers' places among the factors: means and covariances, by Newton steps on all at once."""
    spreads: Numbers = np.zeros((seen.rows, places.shape[1], places.shape[1]))
    for _ in range(steps):
        hint = _hint(seen, known, places)
        spreads = np.asarray(np.linalg.inv(hint.curve + np.eye(places.shape[1])), np.float64)
        step = np.einsum("rij,rj->ri", spreads, hint.pull) - places
        places = places + np.clip(step, -1.5, 1.5)
    return places, spreads


def _hint(seen: Seen, known: Parts, places: Numbers) -> Hint:
    loadings = known["loadings"]
    pull, curve, _ = _pulls(seen, known, known["rates"] + places @ loadings.T)
    bend = (curve @ _squares(loadings)).reshape(seen.rows, loadings.shape[1], -1)
    return Hint(bend, np.einsum("rij,rj->ri", bend, places) + pull @ loadings)


def _pulls(seen: Seen, known: Parts, logs: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return slope and curvature of the log chance of all actions, per request and subject, at these tastes (`logs`);
    and readers' paces."""
    shape = logs.shape
    place = seen.row * shape[1] + seen.subject
    own = logs.reshape(-1)[place]
    chance = expit(np.where(np.isnan(seen.odds), 0.0, seen.odds) + own)
    weight = np.where(np.isnan(seen.odds), 0.0, seen.weight)
    pull = weight * (seen.opened - chance)
    curve = weight * chance * (1 - chance)
    level, slope, width = known["stay"]
    has_stay = ~np.isnan(seen.stay)
    row, weight = seen.row[has_stay], seen.weight[has_stay]
    off = seen.stay[has_stay] - level - slope * own[has_stay]
    pace = np.bincount(row, weight * off, seen.rows) / (np.bincount(row, weight, seen.rows) + (width / PACE_WIDTH) ** 2)
    pull[has_stay] += weight * slope * (off - pace[row]) / width**2
    curve[has_stay] += weight * slope**2 / width**2
    pulls, curves = (np.bincount(place, values, len(logs.reshape(-1))).reshape(shape) for values in (pull, curve))
    chosen = seen.shares * np.exp(np.minimum(logs, LARGEST_LOG_RATE))
    chosen *= seen.found.sum(axis=1, keepdims=True) / chosen.sum(axis=1, keepdims=True)
    return pulls + seen.found - chosen, curves + chosen, pace


def _fit_stay(seen: Seen, known: Parts, places: Numbers, spreads: Numbers) -> Numbers:
    """Return level, slope along taste, and width of stays."""
    has_stay = ~np.isnan(seen.stay)
    if has_stay.sum() < FEWEST_STAYS:
        return np.array([0.0, 0.0, STAY_WIDTH])
    row, subject, weight, stay = (x[has_stay] for x in (seen.row, seen.subject, seen.weight, seen.stay))
    own = (known["rates"] + places @ known["loadings"].T)[row, subject]
    blur = (spreads.reshape(len(places), -1) @ _squares(known["loadings"]).T)[row, subject]
    pace = _pulls(seen, known, known["rates"] + places @ known["loadings"].T)[2]
    off = stay - pace[row]
    total = weight.sum()
    middle, level = (weight * own).sum() / total, (weight * off).sum() / total
    slope = (weight * (own - middle) * off).sum() / (weight * ((own - middle) ** 2 + blur)).sum()
    slope = max(slope, 0.0)
    left = off - level - slope * (own - middle)
    width = np.sqrt((weight * (left**2 + slope**2 * blur)).sum() / total)
    return np.array([level - slope * middle, slope, max(width, 0.1)])


def _squares(loadings: Numbers) -> Numbers:
    return np.asarray((loadings[:, :, None] * loadings[:, None, :]).reshape(len(loadings), -1))


def _fit_kinds(hint: Hint, places: Numbers, ticked: Numbers, seed: int, most: int) -> Parts:
    """Return the size and centre of each kind of reader, the spread around centres, and the kinds' ticks."""
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
    """Return each reader's chances of being of each kind, their place if so, and its uncertainty."""
    narrow = np.linalg.inv(kinds["width"])
    pulled = kinds["middles"] @ narrow
    spreads = np.asarray(np.linalg.inv(hint.curve + narrow), np.float64)
    pull = hint.pull[:, None, :] + pulled
    middles = np.einsum("rij,rkj->rki", spreads, pull, optimize=True)
    logs = 0.5 * np.einsum("rki,rki->rk", pull, middles) - 0.5 * (pulled * kinds["middles"]).sum(axis=1)
    logs += np.log(kinds["shares"]) + ticked @ np.log(kinds["ticks"]).T + (1 - ticked) @ np.log1p(-kinds["ticks"]).T
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True), middles, spreads
