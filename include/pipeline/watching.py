"""The stage `watch`: from live lists and later reading to health, drift and a reason to retrain."""

from __future__ import annotations

from datetime import timedelta

from include.adapters.warehouse import connect, query
from include.core.clock import compact
from include.core.references import Reference
from include.core.run import Run
from include.data import snapshot
from include.data.store import digest_of
from include.judging import champion as champions
from include.monitoring import drift, realised, trigger
from include.pipeline.run import recorded
from include.validation import broken_rows


@recorded
def watch(run: Run) -> Reference:
    """Measure realised quality and drift of a window; `facts["retrain_reason"]` is set if a retrain is due."""
    settings = run.settings
    champions.follow(settings)  # once an hour, in case MLflow was down when the champion changed
    with connect(settings) as warehouse:
        champion = champions.need_champion(warehouse)
        published = warehouse.execute(query("pipeline/published_batches"), [run.as_of]).fetchall()
    taken = snapshot.take_snapshot(settings, run.as_of, timedelta(hours=settings.monitor_window_hours))
    with broken_rows.open_rows(settings, taken) as connection:
        window = broken_rows.leave_out(settings, taken, broken_rows.find_broken_rows(connection))
    trained_on = snapshot.find_snapshot(settings, champion.snapshot_id)
    report = f"drift/{compact(run.as_of)}-v{champion.version}.html"
    quality = realised.measure_realised(settings, window, published, snapshot.read_kind_of(settings, trained_on))
    finding = drift.find_drift(settings, window, trained_on, settings.home / "reports" / report)
    with connect(settings) as warehouse:
        realised.keep_realised(warehouse, run.as_of, settings.monitor_window_hours, quality)
        drift.keep_drift(warehouse, run.as_of, champion.version, finding, settings.drift_share)
        reason = trigger.ask_for_retraining(settings, warehouse, run.as_of, champion.version, finding)
    facts = {
        "sentence": f"{realised.tell_realised(quality)} {finding.sentence}",
        "report": report if finding.columns else None,
        "retrain_reason": reason,
        "champion_version": champion.version,
    }
    return Reference(
        "health", f"{compact(run.as_of)}-v{champion.version}", report, run.as_of, digest_of(facts), (), facts
    )
