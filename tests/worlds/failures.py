"""Failures that the tests of alerts report."""

from __future__ import annotations

from include.alerts.wording import Failure

SHORT_LISTS = Failure(
    dag_id="recommend",
    run_id="scheduled__1",
    run_type="scheduled",
    task_id="score",
    kind="AuditFailed",
    fact="12 lists are short.",
)
