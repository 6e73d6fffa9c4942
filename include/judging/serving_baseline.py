"""The baseline that makes the lists while no model has been promoted: the best of the newest verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from include.adapters.warehouse import Connection, query
from include.models import BASELINES

DEFAULT = "most_read"


@dataclass(frozen=True)
class ServingBaseline:
    """A baseline and why it was chosen."""

    name: str
    why: str


def choose_baseline(warehouse: Connection, as_of: datetime) -> ServingBaseline:
    """Return the most accurate baseline of the newest verdict up to `as_of` that measured any, else the default."""
    asked = {"as_of": as_of, "baselines": list(BASELINES)}
    row = warehouse.execute(query("judging/newest_comparison"), asked).fetchone()
    best = find_best(row[1]) if row else None
    if row is None or best is None:
        return ServingBaseline(DEFAULT, "the default until a verdict has compared the baselines")
    return ServingBaseline(best, f"the best in verdict {row[0]}, NDCG {row[1][best]['ndcg']:.3f}")


def find_best(metrics: Mapping[str, Mapping[str, float | None]]) -> str | None:
    """Return the baseline with the highest NDCG of a verdict, the default among equals; None if none was measured."""
    reached = {name: metrics.get(name, {}).get("ndcg") for name in BASELINES}
    measured = {name: ndcg for name, ndcg in reached.items() if ndcg is not None and math.isfinite(ndcg)}
    return max(measured, key=lambda name: (measured[name], name == DEFAULT), default=None)
