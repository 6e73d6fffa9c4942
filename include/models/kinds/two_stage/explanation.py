"""Explain the ranking: how far expected reading times move when one feature is permuted among examples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from include.models.kinds.two_stage.ranker import NUMBERS, WORDS, expect_seconds

EXAMPLES = 5_000
LEAST_SECONDS = 1e-3  # shorter expected times count as this


def weigh_features(parts: dict[str, Any], examples: pa.Table, seed: int) -> dict[str, float]:
    """Return each feature's share of the total movement as `weight_<feature>`; 0 without examples."""
    chance = np.random.default_rng(seed)
    rows = np.sort(chance.permutation(examples.num_rows)[:EXAMPLES])
    asked = examples.take(rows)
    asked = asked.set_column(asked.column_names.index("position"), "position", pa.array(np.ones(len(rows))))
    usual = _expect(parts, asked)
    moved = {}
    for name in (*WORDS, *(name for name in NUMBERS if name != "position")):  # all are ranked at the first position
        dealt = asked.column(name).take(chance.permutation(len(rows)))
        dealt_out = asked.set_column(asked.column_names.index(name), name, dealt)
        moved[name] = float(np.abs(_expect(parts, dealt_out) - usual).sum())
    return {f"weight_{name}": value / (sum(moved.values()) or 1.0) for name, value in moved.items()}


def _expect(parts: dict[str, Any], pairs: pa.Table) -> Any:
    return np.log(np.maximum(expect_seconds(parts, pairs), LEAST_SECONDS))
