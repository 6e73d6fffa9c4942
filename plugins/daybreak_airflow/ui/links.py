"""Buttons on a task's page that lead to what the task made: its MLflow run, its report.

A worker asks each link of the task for its address when the task ends, failed or not, and Airflow keeps the answer; an
empty one shows no button. The addresses come from facts in the reference that the stage returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs
from airflow.sdk import BaseOperatorLink

REPORT_KEY = "report"  # where a stage that fails with a report leaves its path


class ReportLink(BaseOperatorLink):
    """A page under the report folder, served by the plugin: `facts["report"]`, else what a failed stage left."""

    fact = REPORT_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Address of the report, or nothing."""
        from include.core.settings import load_settings

        path = facts_of(ti_key).get(self.fact) or ti_key.xcom_pull(key=self.fact)
        return load_settings().report_link(path) if path else ""


class ValidationReportLink(ReportLink):
    """Data Docs of the snapshot."""

    name = "Validation report"


class VerdictLink(ReportLink):
    """The verdict on the challenger, check by check."""

    name = "Verdict"


class ListsReportLink(ReportLink):
    """What a batch of lists is made of, its checks, and how it differs from the live one."""

    name = "Lists report"


class ModelCardLink(ReportLink):
    """What is known of the version: its data, metrics, checks and limits."""

    name = "Model card"
    fact = "card"


class DriftReportLink(ReportLink):
    """Evidently's page on the window."""

    name = "Drift report"


class RetentionReportLink(ReportLink):
    """What a sweep removed, or would remove, and why the rest stays."""

    name = "Retention report"


class MlflowRunLink(BaseOperatorLink):
    """The training run in MLflow."""

    name = "MLflow run"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Address of the run, or nothing."""
        from include.core.settings import load_settings

        facts = facts_of(ti_key)
        if not facts.get("mlflow_run_id"):
            return ""
        experiment, run = quote(str(facts["mlflow_experiment_id"])), quote(str(facts["mlflow_run_id"]))
        return f"{load_settings().mlflow_link}/#/experiments/{experiment}/runs/{run}"


def shows(*links: BaseOperatorLink) -> Any:
    """A decorator over `@task` that puts buttons on the task's page."""

    def decorate(stage: Any) -> Any:
        base = stage.operator_class
        body = {"operator_extra_links": links, "__module__": base.__module__, "__doc__": base.__doc__}
        return attrs.evolve(stage, operator_class=type(base.__name__, (base,), body))

    return decorate


def facts_of(ti: Any) -> Mapping[str, Any]:
    """The facts in the reference that the task returned; none if it returned nothing."""
    returned = ti.xcom_pull(task_ids=ti.task_id)
    return (returned.get("facts") or {}) if isinstance(returned, Mapping) else {}
