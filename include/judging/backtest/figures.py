"""The figures of a backtest: per step, over all steps, and the differences between models with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from include.judging.backtest.walking import StepResult
from include.judging.bootstrap import Gap, find_gaps
from include.models import BASELINES

MEASURES = ("ndcg", "hit_rate", "mrr", "recall", "time_ndcg", "coverage", "full_share")
SHORTER = (5, 10, 20)  # list lengths that are common in publications
TAILS = 0.05  # a 95 % interval


@dataclass(frozen=True)
class Figures:
    """The means by model, the best baseline, and each model's NDCG difference to it with an interval."""

    means: dict[str, dict[str, float]]
    steps: list[dict[str, Any]]
    best_baseline: str | None
    differences: dict[str, Gap]
    questions: int
    reachable_share: float
    shorter: dict[int, dict[str, dict[str, float]]]  # by length, model and measure


def add_up(results: Sequence[StepResult], seed: int, k: int = 0) -> Figures:
    """Return the figures of all results; means are over all questions, coverage is over steps.

    For lists of `k`, the figures of the usual shorter lists are included.
    """
    names = list(dict.fromkeys(one.model for one in results))
    by_model = {name: [one for one in results if one.model == name] for name in names}
    means = {name: measure(own) for name, own in by_model.items()}
    baselines = [name for name in names if name in BASELINES]
    best = max(baselines, key=lambda name: means[name]["ndcg"], default=None)
    differences = {} if best is None else _gaps(by_model, best, seed)
    first = by_model[names[0]]
    answers = sum(one.facts["answers"] for one in first)
    return Figures(
        means,
        [{"step": one.step, "model": one.model, **measure([one])} for one in results],
        best,
        differences,
        sum(one.rows.num_rows for one in first),
        sum(one.facts["answers_in_reach"] for one in first) / answers if answers else math.nan,
        {
            length: {name: measure_shorter(own, length) for name, own in by_model.items()}
            for length in SHORTER
            if length < k
        },
    )


def measure(results: Iterable[StepResult]) -> dict[str, float]:
    """Return NDCG, hit rate, MRR and recall at k as means over questions, and time-weighted NDCG over all of them."""
    results = list(results)
    rows = _columns(_rows(results))
    facts = {name: np.array([one.facts[name] for one in results]) for name in results[0].facts}
    first = rows["first_rank"]
    return {
        "questions": float(len(first)),
        "ndcg": _mean(rows["got"] / rows["best"]),
        "hit_rate": _mean(first > 0),
        "mrr": _mean(np.divide(1.0, first, out=np.zeros(len(first)), where=first > 0)),
        "recall": _mean(rows["hit_count"] / rows["wanted_count"]),
        "time_ndcg": _ratio(rows["got_seconds"].sum(), rows["best_seconds"].sum()),
        "coverage": _ratio(facts["shown_count"].sum(), facts["live_count"].sum()),
        "full_share": _ratio(facts["full_count"].sum(), facts["questions"].sum()),
    }


def measure_shorter(results: Iterable[StepResult], length: int) -> dict[str, float]:
    """Measure the first `length` articles of each list; NDCG only if every question has exactly one answer."""
    rows = _columns(_rows(results))
    place = np.where(rows["first_rank"] <= length, rows["first_rank"], 0)
    found = place > 0
    one_each = bool((rows["wanted_count"] == 1).all())
    return {
        "ndcg": _mean(found / np.log2(place + 1.0 + ~found)) if one_each else math.nan,
        "hit_rate": _mean(found),
        "mrr": _mean(found / np.maximum(place, 1)),
    }


def _gaps(by_model: Mapping[str, Sequence[StepResult]], best: str, seed: int) -> dict[str, Gap]:
    """Return each model's difference to the best baseline in mean NDCG; the bootstrap draws whole readers."""
    rows = {name: _columns(_rows(own)) for name, own in by_model.items()}
    if any(not np.array_equal(own["who_id"], rows[best]["who_id"]) for own in rows.values()):
        raise ValueError("Two models were asked different questions.")
    others = [name for name in by_model if name != best]
    readers, place = np.unique(rows[best]["who_id"], return_inverse=True)
    count = np.bincount(place, minlength=len(readers)).astype(np.float64)
    ndcg = {name: np.bincount(place, own["got"] / own["best"], len(readers)) for name, own in rows.items()}
    gains = np.column_stack([ndcg[name] - ndcg[best] for name in others]) if others else np.empty((len(readers), 0))
    gaps = find_gaps(gains, np.repeat(count[:, None], len(others), axis=1), seed, [TAILS] * len(others))
    return dict(zip(others, gaps, strict=True))


def _rows(results: Iterable[StepResult]) -> pa.Table:
    return pa.concat_tables([one.rows.replace_schema_metadata(None) for one in results])


def _columns(table: pa.Table) -> Mapping[str, Any]:
    return {name: table.column(name).to_numpy() for name in table.column_names}


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
