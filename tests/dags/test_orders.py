"""The order of stages without Airflow (`include/pipeline/orders.py`) is the order of the DAGs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.pipeline import orders
from tests.worlds.tiny import AS_OF


def order_of(name, *inputs):
    """The stages of an order, as they are called."""
    stages = []

    def call(run, stage, *given):
        stages.append(stage.__name__)
        return Reference(
            stage.__name__,
            "1",
            "",
            AS_OF,
            "f",
            (),
            {"decision": "promote", "changed": True, "sentence": "", "rival": ""},
        )

    getattr(orders, name)(Run(Settings(_env_file=None), "test", AS_OF, "somebody"), *inputs, call=call)
    return stages


@pytest.mark.parametrize(
    ("dag_id", "order", "inputs"),
    [("retrain", "retrain", ()), ("recommend", "recommend", ()), ("tune", "tune_model", (1, 1.0, print))],
)
def test_the_command_line_runs_the_stages_of_the_dag_in_its_order(dags, dag_id, order, inputs):
    dag, stages = dags[dag_id], order_of(order, *inputs)
    tasks = [task.task_id for task in dag.topological_sort()]
    assert [task for task in tasks if task in stages] == stages
    for before, after in pairwise(stages):
        assert after in dag.get_task(before).get_flat_relative_ids(upstream=False), f"{after} does not follow {before}"


def test_the_dags_have_no_stage_that_the_command_line_leaves_out(dags):
    """Beside the stages stand only waiting, and what else may follow a verdict."""
    beside = {"wait_for_data", "ask", "shadow"}
    assert set(dags["retrain"].task_ids) - set(order_of("retrain")) == beside
    assert set(dags["recommend"].task_ids) == set(order_of("recommend"))
    assert set(dags["tune"].task_ids) == set(order_of("tune_model", 1, 1.0, print))
