"""The flow's stages as Airflow tasks: read the run, call the pipeline, return its reference.

Tasks are short. They decide what concerns Airflow (skip or continue, which event to emit); `include/pipeline/` decides
the rest. A task with nothing to do is skipped with one sentence, and the run is green. Red means broken.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from airflow.sdk import get_current_context, task

from daybreak_airflow.assets import CHAMPION, CLEAN_SNAPSHOT, FEATURES, MODEL, PUBLISHED_LISTS, SNAPSHOT
from daybreak_airflow.passing import (
    Passed,
    add_to_events,
    keeping_report,
    log,
    received,
    run_on,
    skip,
    skip_unless_after,
    skipping_in_first_days,
)
from daybreak_airflow.runs import current_run, is_backfill, may_go_live, next_step, reason
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
from include.operations.launcher.pools import HEAVY

Purpose = Literal["training", "scoring"]


def wait_for_data() -> WaitForData:
    """Return the task that waits until the window is complete, and after the deadline fails with what is missing."""
    return WaitForData(task_id="wait_for_data", execution_timeout=timedelta(hours=5))


@task(pool=HEAVY, outlets=[SNAPSHOT])
def extract(purpose: Purpose) -> Passed:
    """Log the run's moment and reason, and take its data window as an immutable snapshot."""
    from include import pipeline
    from include.pipeline.orders import days_to_read

    context, run = get_current_context(), current_run()
    why = {"as_of": run.as_of.isoformat(), "reason": reason(context), "actor": run.actor}
    log.info("As of %(as_of)s, for %(actor)s, because: %(reason)s", why)
    context["ti"].xcom_push(key="why", value=why)
    with skipping_in_first_days():
        snapshot = pipeline.extract(run, context["params"].get("window_days") or days_to_read(run.settings, purpose))
    facts = dict(snapshot.facts or {})
    log.info("%s Days without an event: %s.", facts["late"], ", ".join(facts["missing_days"]) or "none")
    add_to_events(snapshot_id=snapshot.id, as_of=snapshot.as_of.isoformat())
    return snapshot.to_dict()


@shows(ValidationReportLink())
@task(pool=HEAVY, inlets=[SNAPSHOT])
def validate(snapshot: Passed) -> Passed:
    """Quarantine bad rows and return the clean snapshot; fail if a blocking check failed."""
    from include import pipeline

    with keeping_report():
        clean = pipeline.validate(current_run(), received(snapshot))
    add_to_events(snapshot_id=clean.id, as_of=clean.as_of.isoformat())
    return clean.to_dict()


@task(pool=HEAVY, inlets=[CLEAN_SNAPSHOT], outlets=[FEATURES])
def build_features(snapshot: Passed, purpose: Purpose) -> Passed:
    """Build the features of readers and articles as known at each moment; skipped if only data is asked for."""
    from include import pipeline

    skip_unless_after("validate")
    with skipping_in_first_days():
        features = pipeline.build_features(run_on(snapshot), received(snapshot), purpose)
    add_to_events(features_id=features.id, as_of=features.as_of.isoformat(), purpose=purpose)
    return features.to_dict()


@shows(MlflowRunLink(), ModelCardLink())
@task(pool=HEAVY, inlets=[FEATURES], outlets=[MODEL])
def train(features: Passed) -> Passed:
    """Train and register a challenger; skipped if only data and features are asked for."""
    from include import pipeline

    skip_unless_after("build_features")
    run = run_on(features)
    model = pipeline.train(run, received(features), get_current_context()["params"].get("model") or run.settings.model)
    add_to_events(version=model.id, as_of=model.as_of.isoformat())
    return model.to_dict()


@shows(VerdictLink(), ModelCardLink())
@task(pool=HEAVY, inlets=[MODEL, FEATURES])
def judge(model: Passed, features: Passed) -> Passed:
    """Judge the challenger against the version to beat and the baselines; skipped when the gate is off."""
    from include import pipeline

    skip_unless_after("train")
    verdict = pipeline.judge(run_on(model), received(model), received(features))
    log.info("%(sentence)s %(rival)s", dict(verdict.facts or {}))
    return verdict.to_dict()


@task(inlets=[MODEL])
def promote(verdict: Passed) -> Passed:
    """Make the challenger champion; skipped when the verdict, the mode or a backfill says no."""
    from include import pipeline

    facts = verdict["facts"]
    following = next_step(get_current_context(), facts["decision"])
    if following.step != "promote":
        raise skip(f"{following.reason} {facts['sentence']}")
    champion = pipeline.promote(current_run(), received(verdict))
    if not (champion.facts or {}).get("changed"):
        raise skip(champion.facts["sentence"])
    # Without as_of: lists made after a promotion must use today's articles, not those of the training day.
    add_to_events(version=champion.id, verdict_id=verdict["id"], reason=f"champion v{champion.id} was promoted")
    return champion.to_dict()


@task(pool=HEAVY, inlets=[FEATURES, CHAMPION])
def score(features: Passed) -> Passed:
    """Rank the next list of every active reader with the champion, or with the best baseline before there is one."""
    from include import pipeline

    lists = pipeline.score(current_run(), received(features))
    log.info("%s", (lists.facts or {})["sentence"])
    return lists.to_dict()


@task(pool=HEAVY)
def write_batch(lists: Passed) -> Passed:
    """Write the lists to the warehouse as a batch that is not live yet."""
    from include import pipeline

    return pipeline.write_batch(current_run(), received(lists)).to_dict()


@shows(ListsReportLink())
@task(pool=HEAVY)
def audit(batch: Passed) -> Passed:
    """Check the batch as a whole; fail if it is refused, and the live lists stay."""
    from include import pipeline

    with keeping_report():
        return pipeline.audit(current_run(), received(batch)).to_dict()


@task(inlets=[CHAMPION])
def publish(batch: Passed) -> Passed:
    """Make the batch live; skipped in a backfill and when newer lists are live already."""
    from include import pipeline

    if not may_go_live(get_current_context()):
        raise skip(f"Backfill: batch {batch['id']} passed its audit and stays unpublished.")
    live = pipeline.publish(current_run(), received(batch))
    if not (live.facts or {}).get("changed", True):
        raise skip(f"Batch {batch['id']} stays unpublished: newer lists are live, or the champion has changed.")
    add_to_events(batch_id=live.id, as_of=live.as_of.isoformat())
    return live.to_dict()


@shows(DriftReportLink())
@task(pool=HEAVY, inlets=[PUBLISHED_LISTS, CHAMPION])
def watch() -> Passed:
    """Measure the live lists, and the drift of readers and news."""
    from include import pipeline

    with skipping_in_first_days():
        health = pipeline.watch(current_run())
    log.info("%s", (health.facts or {}).get("sentence", ""))
    return health.to_dict()


@task(inlets=[PUBLISHED_LISTS])
def request_retrain(health: Passed) -> str:
    """Emit an event that starts `retrain`, with the reason; skipped without a reason and in a backfill."""
    why = health["facts"].get("retrain_reason")
    if not why:
        raise skip("No retrain is needed.")
    if is_backfill(get_current_context()):
        raise skip(f"Backfill: a past window does not request a retrain ({why}).")
    mode = health["facts"].get("retrain_mode")
    add_to_events(reason=why, as_of=health["as_of"], **({"mode": mode} if mode else {}))
    return str(why)


@task
def deliver_alerts() -> dict[str, int]:
    """Review open incidents, mail what waits, and return how many mails were sent and still wait.

    A mail server that is down does not make it fail. Skipped in a backfill, because alerts are about the present.
    """
    from daybreak_airflow.connections import connected_settings
    from daybreak_airflow.oncall import channels
    from include.alerts.reporting import review

    if is_backfill(get_current_context()):
        raise skip("Backfill: alerts are about the present, and the hourly run delivers them.")
    settings = connected_settings()
    sent, waiting = review(settings, channels(settings))
    return {"sent": sent, "waiting": waiting}


@task
def mail_digest() -> None:
    """Mail the digest of the day; skipped if it is switched off, and in runs that a person started."""
    from daybreak_airflow.oncall import channels
    from include.alerts.outbox import deliver_pending
    from include.operations.digest import raise_digest

    run = current_run()
    if not run.settings.mail_digest:
        raise skip("The digest is switched off (DAYBREAK_MAIL_DIGEST).")
    if run.kind != "scheduled":
        raise skip("The digest is mailed by the scheduled run.")
    raise_digest(run)
    deliver_pending(run.settings, channels(run.settings))


@shows(RetentionReportLink())
@task
def clean_up() -> Passed:
    """Remove what retention no longer keeps, or list it in a dry run."""
    from include.operations.retention.stage import clean_up as sweep

    done = sweep(current_run(), bool(get_current_context()["params"].get("dry_run")))
    log.info("%s", (done.facts or {})["table"])
    return done.to_dict()


@task
def clean_airflow() -> Passed:
    """Return what was removed from Airflow's own database, or would be."""
    from include.operations.retention.airflow import clean_airflow as sweep

    done = sweep(current_run(), bool(get_current_context()["params"].get("dry_run")))
    log.info("%s", (done.facts or {})["sentence"])
    return done.to_dict()


@task
def look_for_gaps() -> Passed:
    """Find scheduled runs that are missing or failed, and a model that late data has outdated."""
    from include.operations.gaps import look_for_gaps as look

    found = look(current_run())
    log.info("%s", (found.facts or {})["sentence"])
    return found.to_dict()


@task
def play() -> None:
    """Play the demo publisher's news and readers up to the run's moment; skipped while another process does."""
    from include.operations.demo import newsroom

    run = current_run()
    try:
        log.info("Played: %s", newsroom.play(run.settings, until=run.as_of))
    except newsroom.Busy as busy:
        raise skip(f"{busy.fact} The next run continues where it stopped.") from busy
