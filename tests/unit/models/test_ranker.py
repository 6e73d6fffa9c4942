"""What the ranker learns from: all examples, whatever their number; and what it makes of a version saved before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bench.train import make_examples
from include.core.settings import PROJECT
from include.models.kinds.two_stage import TwoStage
from include.models.kinds.two_stage.ranker import TREES, expect_seconds, fit_ranker


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


@pytest.mark.parametrize("answer", [True, False])
def test_examples_that_were_all_read_or_all_left_give_an_order_too(answer):
    made = make_examples(500, 1)
    made = made.set_column(made.column_names.index("is_read"), "is_read", pa.array(np.full(500, answer)))
    found = expect_seconds(fit_ranker(made, 1), made)
    assert np.isfinite(found).all()
    assert len(np.unique(found)) > 100 if answer else len(np.unique(found)) == 1


def test_a_version_saved_in_form_2_scores_as_on_the_day_it_was_saved():
    """Learnt from the tiny world (seed 7, 10 trees) by the code of before `line.py` was of scikit-learn's parts."""
    before = TwoStage.load(PROJECT / "tests" / "worlds" / "saved")
    assert expect_seconds(before.parts, make_examples(6, 1)) == pytest.approx(
        [
            9.363112385539731,
            9.002673103185073,
            0.5598420862601603,
            30.754281106524683,
            64.23373659964271,
            6.799108189351678,
        ]
    )
