"""Buttons on a task's page that link to its results: the MLflow run, the report.

When a task ends, failed or not, the worker computes each link's address and Airflow stores it; an empty address shows
no button. The addresses come from facts in the reference that the stage returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs
from airflow.sdk import BaseOperatorLink

REPORT_KEY = "report"  # XCom key of the report's path when a stage failed with one


class ReportLink(BaseOperatorLink):
    """A page under the report folder, served by the plugin: `facts["report"]`, else the report of a failed stage."""

    fact = REPORT_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the report; empty without one."""
        from include.core.settings import load_settings

        path = facts_of(ti_key).get(self.fact) or ti_key.xcom_pull(key=self.fact)
        return load_settings().report_link(path) if path else ""


class ValidationReportLink(ReportLink):
    """The Data Docs of the snapshot."""

    name = "Validation report"


class VerdictLink(ReportLink):
    """The verdict on the challenger, check by check."""

    name = "Verdict"


class ListsReportLink(ReportLink):
    """The contents and checks of a batch of lists, compared with the live batch."""

    name = "Lists report"


class ModelCardLink(ReportLink):
    """The version's data, metrics, checks and limits."""

    name = "Model card"
    fact = "card"


class DriftReportLink(ReportLink):
    """Evidently's report on the window."""

    name = "Drift report"


class RetentionReportLink(ReportLink):
    """The items that a sweep removed or would remove, and the reasons for keeping the rest."""

    name = "Retention report"


class MlflowRunLink(BaseOperatorLink):
    """The training run in MLflow."""

    name = "MLflow run"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address of the run; empty without one."""
        from include.core.settings import load_settings

        facts = facts_of(ti_key)
        if not facts.get("mlflow_run_id"):
            return ""
        experiment, run = quote(str(facts["mlflow_experiment_id"])), quote(str(facts["mlflow_run_id"]))
        return f"{load_settings().mlflow_link}/#/experiments/{experiment}/runs/{run}"


def shows(*links: BaseOperatorLink) -> Any:
    """Return a decorator above `@task` that adds buttons to the task's page."""

    def decorate(stage: Any) -> Any:
        base = stage.operator_class
        body = {"operator_extra_links": links, "__module__": base.__module__, "__doc__": base.__doc__}
        return attrs.evolve(stage, operator_class=type(base.__name__, (base,), body))

    return decorate


def facts_of(ti: Any) -> Mapping[str, Any]:
    """Return the facts in the reference that the task returned; empty if it returned nothing."""
    returned = ti.xcom_pull(task_ids=ti.task_id)
    return (returned.get("facts") or {}) if isinstance(returned, Mapping) else {}
