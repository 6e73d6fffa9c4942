"""The flow's stages as Airflow tasks: fetch the run, call the pipeline, hand on its reference.

A task is a few lines. What belongs to Airflow is decided here (skip or go on, which event to emit); what belongs to the
domain is decided in `include/pipeline/`. Nothing to do is a skip with one sentence: a green run. Red means broken.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from airflow.sdk import get_current_context, task

from daybreak_airflow.passing import (
    Passed,
    keeping_report,
    log,
    received,
    run_on,
    skip,
    skipping_without_champion,
    tell,
)
from daybreak_airflow.runs import current_run, is_backfill, may_go_live, mode, next_step, reason
from daybreak_airflow.tasks.waiting import WaitForData
from daybreak_airflow.ui.links import (
    DriftReportLink,
    ListsReportLink,
    MlflowRunLink,
    ModelCardLink,
    RetentionReportLink,
    ValidationReportLink,
    VerdictLink,
    shows,
)

Purpose = Literal["training", "scoring"]


def wait_for_data() -> WaitForData:
    """Nothing before the window is complete; after the deadline a failure that says what is missing."""
    return WaitForData(task_id="wait_for_data", execution_timeout=timedelta(hours=5))


@task
def extract(purpose: Purpose) -> Passed:
    """The run's own data window as an immutable snapshot; says first as of when and why the run works."""
    from include import pipeline
    from include.pipeline.orders import days_to_read

    context, run = get_current_context(), current_run()
    why = {"as_of": run.as_of.isoformat(), "reason": reason(context), "actor": run.actor}
    log.info("As of %(as_of)s, for %(actor)s, because: %(reason)s", why)
    context["ti"].xcom_push(key="why", value=why)
    snapshot = pipeline.extract(run, context["params"].get("window_days") or days_to_read(run.settings, purpose))
    facts = dict(snapshot.facts or {})
    log.info("%s Days without an event: %s.", facts["late"], ", ".join(facts["missing_days"]) or "none")
    return snapshot.to_dict()


@shows(ValidationReportLink())
@task
def validate(snapshot: Passed) -> Passed:
    """The snapshot without its bad rows, or no further if a blocking check failed."""
    from include import pipeline

    with keeping_report():
        clean = pipeline.validate(current_run(), received(snapshot))
    tell(snapshot_id=clean.id, as_of=clean.as_of.isoformat())
    return clean.to_dict()


@task
def build_features(snapshot: Passed, purpose: Purpose) -> Passed:
    """Features of readers and articles, as they were known."""
    from include import pipeline

    return pipeline.build_features(run_on(snapshot), received(snapshot), purpose).to_dict()


@shows(MlflowRunLink(), ModelCardLink())
@task
def train(features: Passed) -> Passed:
    """A challenger, registered."""
    from include import pipeline

    run = run_on(features)
    return pipeline.train(
        run, received(features), get_current_context()["params"].get("model") or run.settings.model
    ).to_dict()


@shows(VerdictLink(), ModelCardLink())
@task
def judge(model: Passed, features: Passed) -> Passed:
    """The verdict on the challenger against champion and baselines; skipped when the gate is off."""
    from include import pipeline

    if mode(get_current_context()) == "off":
        raise skip(next_step(get_current_context(), "keep").reason)
    return pipeline.judge(run_on(model), received(model), received(features)).to_dict()


@task
def promote(verdict: Passed) -> Passed:
    """The new champion; skipped when the challenger is not to become one."""
    from include import pipeline

    facts = verdict["facts"]
    following = next_step(get_current_context(), facts["decision"])
    if following.step != "promote":
        raise skip(f"{following.reason} {facts['sentence']}")
    champion = pipeline.promote(current_run(), received(verdict))
    if not (champion.facts or {}).get("changed"):
        raise skip(champion.facts["sentence"])
    # No as_of here: lists made after a promotion should know today's articles, not those of the training day.
    tell(version=champion.id, verdict_id=verdict["id"], reason=f"champion v{champion.id} was promoted")
    return champion.to_dict()


@task
def score(features: Passed) -> Passed:
    """The next list of every active reader, by the champion."""
    from include import pipeline

    with skipping_without_champion():
        return pipeline.score(current_run(), received(features)).to_dict()


@task
def write_batch(lists: Passed) -> Passed:
    """The lists in the warehouse under a batch id, seen by nobody yet."""
    from include import pipeline

    return pipeline.write_batch(current_run(), received(lists)).to_dict()


@shows(ListsReportLink())
@task
def audit(batch: Passed) -> Passed:
    """The batch, checked as a whole; a refused one fails here and the live lists stay."""
    from include import pipeline

    with keeping_report():
        return pipeline.audit(current_run(), received(batch)).to_dict()


@task
def publish(batch: Passed) -> Passed:
    """The batch, live; skipped for a backfill and when newer lists are live already."""
    from include import pipeline

    if not may_go_live(get_current_context()):
        raise skip(f"Backfill: batch {batch['id']} passed its audit and stays unpublished.")
    live = pipeline.publish(current_run(), received(batch))
    if not (live.facts or {}).get("changed", True):
        raise skip(f"Batch {batch['id']} stays unpublished: newer lists are live already, or another champion came.")
    tell(batch_id=live.id, as_of=live.as_of.isoformat())
    return live.to_dict()


@shows(DriftReportLink())
@task
def watch() -> Passed:
    """How the live lists do and whether readers or news have changed."""
    from include import pipeline

    with skipping_without_champion():
        health = pipeline.watch(current_run())
    log.info("%s", (health.facts or {}).get("sentence", ""))
    return health.to_dict()


@task
def request_retrain(health: Passed) -> str:
    """The reason for a retrain, sent to it as an event; skipped when there is none, and in a backfill."""
    why = health["facts"].get("retrain_reason")
    if not why:
        raise skip("No retrain is needed.")
    if is_backfill(get_current_context()):
        raise skip(f"Backfill: a past window requests no retrain today ({why}).")
    tell(reason=why, as_of=health["as_of"])
    return str(why)


@task
def deliver_alerts() -> dict[str, int]:
    """How many waiting alerts were mailed and how many still wait; a mail server that is down fails nothing."""
    from daybreak_airflow.connections import connected_settings
    from daybreak_airflow.oncall import mailer
    from include.alerts.outbox import deliver_pending

    settings = connected_settings()
    sent, waiting = deliver_pending(settings, mailer(settings))
    return {"sent": sent, "waiting": waiting}


@shows(RetentionReportLink())
@task
def clean_up() -> Passed:
    """What retention removed, or would remove, and the gaps found."""
    from include.operations.retention.stage import clean_up as sweep

    done = sweep(current_run(), bool(get_current_context()["params"].get("dry_run")))
    log.info("%s", (done.facts or {})["table"])
    return done.to_dict()


@task
def play() -> None:
    """The demo publisher's news and readers, up to the run's moment."""
    from include.operations.demo import newsroom

    run = current_run()
    log.info("Played: %s", newsroom.play(run.settings, until=run.as_of))
