"""The task that searches for better model parameters."""

from __future__ import annotations

from airflow.sdk import get_current_context, task

from daybreak_airflow.assets import FEATURES
from daybreak_airflow.passing import Passed, log, received, run_on
from include.operations.launcher.pools import HEAVY


@task(pool=HEAVY, inlets=[FEATURES])
def tune(features: Passed) -> Passed:
    """Search for better parameters within the form's budget and return the result."""
    from include import pipeline

    form, run = get_current_context()["params"], run_on(features)
    model = form.get("model") or run.settings.model
    found = pipeline.tune(run, received(features), model, form["trials"], form["minutes"], log.info)
    log.info("%s", (found.facts or {})["sentence"])
    return found.to_dict()
