"""Defaults of every DAG and task: owner, first day, retries, time limits, and what on-call is told.

A DAG takes them with `@dag(**DEFAULTS, ...)`, or those of its kind, and adds only its own arguments.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from daybreak_airflow.logs import begin
from daybreak_airflow.oncall import AllClear, Oncall
from include.operations.launcher.pools import TRAINING_SLOTS

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # fixed: moving it would change which days can be backfilled

# A service that does not answer may answer in a minute. A retry cannot change any other DaybreakError and would only
# delay the mail to on-call. The first rule that matches decides.
PATIENCE = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="include.core.errors.ServiceError", action=RetryAction.RETRY, reason="a service did not answer"
        ),
        RetryRule(
            exception="include.core.errors.DaybreakError", action=RetryAction.FAIL, reason="a retry cannot change it"
        ),
    ]
)

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "daybreak",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_policy": PATIENCE,
    "execution_timeout": timedelta(hours=1),
    "weight_rule": "absolute",  # a task's own priority, whatever follows it: comparable between DAGs
    "pre_execute": begin,
    "on_failure_callback": Oncall(),
}

# That of failures is set at both levels: a task that the system kills does not call its own, but its run always does.
DEFAULTS: dict[str, Any] = {
    "start_date": FIRST_DAY,
    "catchup": False,
    "max_active_runs": 1,
    "default_args": TASK_DEFAULTS,
    "on_failure_callback": Oncall(),
    "on_success_callback": AllClear(),
}


def _with(**task_defaults: Any) -> dict[str, Any]:
    return {**DEFAULTS, "default_args": {**TASK_DEFAULTS, **task_defaults}}


# For a DAG that only people start. It is not paused at first, because a run of a paused DAG would only queue.
BY_HAND: dict[str, Any] = {"schedule": None, "is_paused_upon_creation": False}

# When slots are scarce, the lists that readers see come first, then the look at them, then training, then the search.
LISTS = _with(priority_weight=40)
WATCHING = _with(priority_weight=30)
TRAINING = _with(priority_weight=20, pool_slots=TRAINING_SLOTS)
SEARCHING = _with(priority_weight=10, pool_slots=TRAINING_SLOTS)
