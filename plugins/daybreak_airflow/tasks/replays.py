"""Tasks that bring rows back from quarantine as a new version of their snapshot."""

from __future__ import annotations

from dataclasses import replace

from airflow.sdk import get_current_context, task

from daybreak_airflow.assets import SNAPSHOT
from daybreak_airflow.passing import Passed, add_to_events, keeping_report, log, skip
from daybreak_airflow.runs import current_run
from daybreak_airflow.ui.links import ValidationReportLink, shows
from include.operations.launcher.pools import HEAVY


@shows(ValidationReportLink())
@task(pool=HEAVY, inlets=[SNAPSHOT])
def replay() -> Passed:
    """Return the new version of a clean snapshot, which includes the replayed rows; skipped in a dry run."""
    from include.pipeline import replaying

    form, run = get_current_context()["params"], current_run()
    wish = replaying.Wish(*(form.get(name) or None for name in ("snapshot", "table", "code")))
    try:
        raw = replaying.find_wished(run.settings, wish)
    except replaying.NothingWaits as nothing:
        raise skip(str(nothing)) from nothing
    run = replace(run, as_of=raw.as_of)
    with keeping_report():
        if form.get("dry_run"):
            would = replaying.try_again(run, raw, wish, dry_run=True).facts()
            raise skip(f"Dry run on {raw.id}: {replaying.describe_replay(would, None)}")
        version = replaying.replay(run, raw.id, wish)
    log.info("%s", replaying.describe_replay(dict(version.facts or {}), version.id))
    return version.to_dict()


@task(inlets=[SNAPSHOT])
def announce(version: Passed) -> str:
    """Emit the event of a new version and return its id; skipped without a new version."""
    if not version["facts"]["changed"]:
        raise skip(f"No new rows came back: {version['id']} holds them already.")
    add_to_events(snapshot_id=version["id"], as_of=version["as_of"], replayed_from=version["facts"]["replayed_from"])
    return str(version["id"])


@task
def train_on(version: Passed) -> Passed:
    """Return the version to train and judge a challenger on; skipped when the form does not ask for one."""
    if not get_current_context()["params"].get("retrain"):
        raise skip("The form does not ask for a retrain.")
    return version
