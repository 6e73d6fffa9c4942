"""What the ranker learns from: all examples, whatever their number."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bench.train import make_examples
from include.models.kinds.two_stage.ranker import TREES, fit_ranker


def test_no_part_of_many_examples_is_kept_back_to_decide_how_many_trees_grow():
    """On noise, whoever kept a part back would stop at once; above 10,000 rows scikit-learn does so unless told."""
    made, chance = make_examples(24_000, 3), np.random.default_rng(4)
    read = chance.random(made.num_rows) < 0.5
    noise = {"is_read": read, "read_seconds": np.where(read, chance.exponential(90.0, made.num_rows), 0.0)}
    for name, values in noise.items():
        made = made.set_column(made.column_names.index(name), name, pa.array(values))
    parts = fit_ranker(made, 1)
    assert {name: parts[name].n_iter_ for name in ("reading", "dwell")} == dict.fromkeys(
        ("reading", "dwell"), TREES["max_iter"]
    )
