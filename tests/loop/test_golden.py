"""What the loop makes of the tiny world, committed: a number that changes shows in the diff. `make golden` rewrites."""

from __future__ import annotations

import json

import pytest
from psycopg.rows import dict_row

from include.adapters import mlflow_client
from include.adapters.warehouse import connect
from include.core.settings import PROJECT
from tests.worlds import tiny

GOLDEN = PROJECT / "tests" / "golden" / "tiny_world.json"
DIGITS = 3  # other machines add in another order


@pytest.fixture(scope="module")
def found(first_retrain, live_lists, mlflow_server, snapshot, clean_snapshot, features, scoring_features):
    """The figures of the first retrain and of the first lists."""
    with connect(mlflow_server, "postgres") as warehouse, warehouse.cursor(row_factory=dict_row) as cursor:
        verdict = cursor.execute(
            "select decision, checks, metrics from ops.verdicts where verdict_id = %s", [first_retrain.verdict.id]
        ).fetchone()
        lists = cursor.execute(
            "select reader_id, article_id, regexp_replace(reason, '“.*”|in .*|on .*', '…') as why from recs.current"
        ).fetchall()
    with connect(mlflow_server, "newsroom") as publisher:
        categories = dict(publisher.execute("select article_id, category from source.articles").fetchall())
    lists = [{**row, "category": categories[row["article_id"]]} for row in lists]
    run = mlflow_client.client(mlflow_server).get_run(first_retrain.model.facts["mlflow_run_id"])
    own = [row for row in lists if row["category"] == tiny.CATEGORIES[tiny.group_of(row["reader_id"])]]
    reasons = [row["why"] for row in lists]
    return rounded(
        {
            "snapshot_rows": {name: snapshot.facts[name] for name in ("subscribers", "articles", "reading_events")},
            "quarantined_rows": clean_snapshot.facts["quarantined"],
            "training": {**features.facts, **{n: run.data.metrics[n] for n in ("example_rows", "example_reads")}},
            "scoring": scoring_features.facts,
            "decision": verdict["decision"],
            "checks": {check["code"]: check["outcome"] for check in verdict["checks"]},
            "metrics": verdict["metrics"],
            "lists": {
                "rows": len(lists),
                "share_of_own_category": len(own) / len(lists),
                "share_of_long_articles": sum(tiny.is_long(row["article_id"]) for row in lists) / len(lists),
                "reasons": {reason: reasons.count(reason) / len(reasons) for reason in sorted(set(reasons))},
            },
        }
    )


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value


def test_the_figures_of_the_tiny_world_are_the_committed_ones(found, request):
    if request.config.getoption("golden"):
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(GOLDEN.read_text()), "if the change was meant: make golden, and look at the diff"
