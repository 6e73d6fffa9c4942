"""What every line of a task's log carries, for whoever collects logs: the moment, the version, and no secret.

Airflow itself writes a task's log as JSON, a line for each event, with the ids of DAG, run and task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk.log import mask_secret
from structlog.contextvars import bind_contextvars

from daybreak_airflow.runs import as_of, refuse_form


def begin(context: Mapping[str, Any]) -> None:
    """Hide this installation's secrets, refuse a form that no run can follow, and add the run's as_of to the log."""
    from include.core.settings import load_settings

    for secret in load_settings().secrets():
        mask_secret(secret)
    refuse_form(context)
    bind_contextvars(as_of=as_of(context).isoformat())


def add_version(passed: Mapping[str, Any]) -> None:
    """Add the model's version that a reference is about to the log of the rest of the task."""
    facts = passed.get("facts") or {}
    named = [passed["id"]] if passed["kind"] == "model" else []
    named += [facts[name] for name in ("challenger_version", "model_version", "champion_version") if facts.get(name)]
    if named:
        bind_contextvars(version=str(named[0]))
