"""The graph of all DAGs and the page about them, committed: what changes shows in the diff. `make golden` rewrites."""

from __future__ import annotations

import json
import re

from include.core.settings import PROJECT

GRAPH = PROJECT / "tests" / "golden" / "graph.json"
PAGE = PROJECT / "docs" / "dags.md"
HEAD = """# DAGs

Made from the docstrings in `dags/`, which Airflow shows beside each DAG; `make golden` rewrites this page. The
[runbook](runbook.md) says what to do when one fails.

"""
MEANT = "if the change was meant: make golden, and look at the diff"


def test_the_graph_is_the_committed_one(dags, request):
    graph = json.dumps({dag_id: describe(dag) for dag_id, dag in dags.items()}, indent=1, sort_keys=True) + "\n"
    if request.config.getoption("golden"):
        GRAPH.write_text(graph)
    assert graph == GRAPH.read_text(), MEANT


def describe(dag):
    """What a DAG is to the others: when it starts, its tasks and their order, the assets it waits for and changes."""
    return {
        "schedule": schedule(dag.timetable),
        "tasks": sorted(task.task_id for task in dag.tasks),
        "edges": sorted(f"{task.task_id} > {after}" for task in dag.tasks for after in task.downstream_task_ids),
        "consumes": consumed(dag.timetable),
        "reads": sorted(f"{asset.name} > {task.task_id}" for task in dag.tasks for asset in task.inlets),
        "produces": sorted(f"{task.task_id} > {asset.name}" for task in dag.tasks for asset in task.outlets),
    }


def schedule(timetable):
    """When a DAG starts, as a person says it: `0 3 * * * UTC, or an event`."""
    clock = getattr(timetable, "timetable", timetable)
    starts = [f"{clock.expression} {clock.timezone}"] if hasattr(clock, "expression") else []
    starts += ["an event"] if consumed(timetable) else []
    return ", or ".join(starts) or "by hand"


def consumed(timetable):
    """The names of the assets whose events start a DAG."""
    condition = getattr(timetable, "asset_condition", None)
    return sorted(asset.name for asset in getattr(condition, "objects", [condition]) if asset is not None)


def test_the_page_about_dags_is_made_from_their_docstrings(dags, request):
    page = HEAD + "\n".join(section(dag) for _, dag in sorted(dags.items()))
    if request.config.getoption("golden"):
        PAGE.write_text(page)
    assert page == PAGE.read_text(), MEANT


def section(dag):
    """A DAG's docstring below a heading of its own."""
    return f"## {dag.dag_id}\n\n{re.sub('^## ', '### ', dag.doc_md.strip(), flags=re.MULTILINE)}\n"
