"""The stage `watch`: from live lists, their features and later reading to health, drift and a reason to retrain."""

from __future__ import annotations

from datetime import timedelta

from include.adapters.warehouse import connect, query
from include.alerts import rehearsing
from include.alerts.conditions import Condition
from include.alerts.guides import WATCHED
from include.alerts.rehearsing import DRIFT
from include.alerts.reporting import take_conditions
from include.core.clock import compact
from include.core.numbers import capital
from include.core.references import Reference
from include.core.run import Run
from include.data import snapshot
from include.data.store import digest_of
from include.features import skew
from include.judging import champion as champions
from include.lists import mix
from include.monitoring import drift, realised, trigger
from include.monitoring.drift import DriftFinding
from include.monitoring.page import report_drift, tell_window
from include.monitoring.sentences import LABELS, tell_place
from include.monitoring.trigger import Answer
from include.pipeline.first_days import before_the_first_reading
from include.pipeline.run import keep_checks, recorded
from include.validation import broken_rows


@recorded
def watch(run: Run) -> Reference:
    """Measure realised quality and drift of a window; `facts["retrain_reason"]` is set if a retrain is due.

    While a rehearsal of drift goes on, `facts["retrain_mode"]` keeps the retrain from promoting.

    Before the first promotion there is no training to compare the window with, so only the lists are measured.
    """
    settings = run.settings
    champions.follow(settings)  # once an hour, in case MLflow was down when the champion changed
    with connect(settings) as warehouse:
        champion = champions.find_champion_of(warehouse, run)
        published = warehouse.execute(query("pipeline/published_batches"), [run.as_of]).fetchall()
    with before_the_first_reading(settings):
        taken = snapshot.take_snapshot(settings, run.as_of, timedelta(hours=settings.monitor_window_hours))
    with broken_rows.open_rows(settings, taken) as connection:
        window = broken_rows.leave_out(settings, taken, broken_rows.find_broken_rows(settings, connection))
    if champion is None:
        quality = realised.measure_realised(settings, window, published, snapshot.read_kind_of(settings, window))
        return _refer_to_lists(run, realised.tell_realised(quality))
    trained_on = snapshot.find_snapshot(settings, champion.snapshot_id)
    quality = realised.measure_realised(settings, window, published, snapshot.read_kind_of(settings, trained_on))
    with connect(settings) as warehouse:
        lists = mix.find_published(warehouse, champion.version, run.as_of)
        before = drift.find_quality_before(settings, warehouse, run.as_of)
    usage = realised.measure_usage(settings, window, published, snapshot.read_kind_of(settings, trained_on))
    finding = drift.find_drift(settings, taken, trained_on, drift.measure_quality(quality), before)
    skews = skew.compare_builds(settings, lists[-1].trained_on, lists[-1].scored) if lists else []
    checks = skew.check(skews)
    others = [mix.compare_mix(settings, champion.version, lists), *(found.drift for found in skews)]
    keep_checks(run, "watch", checks)
    with connect(settings) as warehouse:
        realised.keep_realised(warehouse, run.as_of, settings.monitor_window_hours, quality)
        drift.keep_drift(warehouse, run.as_of, champion.version, finding, others)
        (is_newest,) = warehouse.execute(query("pipeline/is_newest_window"), [run.as_of]).fetchone() or (True,)
        answer = trigger.ask_for_retraining(
            settings, warehouse, run.as_of, champion.version, finding.findings, is_past=run.kind == "backfill"
        )
    report = report_drift(settings, run.as_of, champion.version, finding, others, checks, answer)
    if run.kind != "backfill" and is_newest:  # an earlier window says nothing of the tickets that are open now
        _tell_on_call(run, champion.version, finding, answer, report)
    is_rehearsed = rehearsing.moves_windows(settings, run.as_of)
    facts = {
        "sentence": f"{realised.tell_realised(quality)} {finding.sentence} {answer.sentence}",
        "report": report,
        "retrain_reason": f"{rehearsing.REASON}{answer.reason}" if answer.reason and is_rehearsed else answer.reason,
        "retrain_mode": "dry_run" if is_rehearsed else None,
        "champion_version": champion.version,
        "usage": usage,
    }
    return Reference(
        "health", f"{compact(run.as_of)}-v{champion.version}", report or "", run.as_of, digest_of(facts), (), facts
    )


def _tell_on_call(run: Run, version: int, finding: DriftFinding, answer: Answer, report: str | None) -> None:
    """Open a ticket for each column that a retrain did not help or cannot answer to, and close those that are over."""
    lead = tell_window(run.settings, run.as_of, version, finding, answer)
    unhelped = answer.unhelped.columns if answer.unhelped else ()
    found = []
    for one in finding.findings:
        if one.moved and (one in answer.noted or one.column in unhelped):
            why = " A retrain did not help." if one.column in unhelped else ""
            what = " ".join(LABELS[one.column].format(name="").split())
            fact = f"{capital(tell_place(one.column, one.moved[0]))}.{why}\n{lead}"
            links = {"Page": run.settings.report_link(report)} if report else {}
            found.append(Condition(DRIFT, one.column, f"Drift: {what}.", fact, answer.sentence, links=links))
    lasting = [(DRIFT, column) for column in answer.moved_lately]
    take_conditions(run.settings, found, WATCHED, lasting)


def _refer_to_lists(run: Run, told: str) -> Reference:
    """Return the health of lists by a baseline."""
    facts = {
        "sentence": f"{told} No model has been promoted yet, so there is no drift to measure.",
        "report": None,
        "retrain_reason": None,
        "champion_version": None,
    }
    return Reference("health", f"{compact(run.as_of)}-baseline", "", run.as_of, digest_of(facts), (), facts)
