"""The stages: load, compute, store, return a reference. DAGs and CLI call these and nothing below them.

Each stage may be run again at any time: what it makes follows from its inputs, so it lands on itself. The stages meet
here only; the modules they call do not know each other. Those that decide who is champion are written in `gate.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq

from include import batch as batches
from include import (
    broken_rows,
    budget,
    history,
    lateness,
    monitoring,
    provenance,
    registry,
    retention,
    retention_page,
    skew,
    snapshot,
    table_checks,
    training,
    trend,
    validation,
)
from include import champion as champions
from include.adapters import feast_store, mlflow_registry
from include.adapters.warehouse import connect, query
from include.card import keep_card
from include.checks import blocking
from include.clock import compact
from include.crowd import keep_crowd
from include.errors import AuditFailed, ValidationBlocked
from include.feature_audit import audit_features
from include.features import VERSION, Purpose, compute_features, open_outcomes, open_scenes
from include.gate import answer, ask, find_question, judge, promote, shadow
from include.hindsight import backtest
from include.lists_page import report_lists
from include.models import ranges_of
from include.record import Run, keep_checks, recorded
from include.references import Reference
from include.reproduction import reproduce
from include.rollback import guard, roll_back
from include.scoring import audit_written, score_features, write_lists
from include.store import digest_of, whole_folder
from include.tuned import find_tuned
from include.tuning import tune
from include.validation_page import save_front_page

__all__ = ["Run", "answer", "ask", "backtest", "find_question", "guard", "judge"]
__all__ += ["promote", "reproduce", "roll_back", "shadow", "tune"]


@recorded
def extract(run: Run, days: int) -> Reference:
    """The snapshot of the last `days` days before `as_of`; its facts say what is missing and what came late."""
    taken = snapshot.take_snapshot(run.settings, run.as_of, timedelta(days=days))
    with connect(run.settings) as warehouse:
        late = lateness.look_back(run.settings, warehouse, taken)
    return snapshot.refer_to(run.settings, taken, "snapshot", missing_days=taken.missing_days, late=late)


@recorded
def validate(run: Run, reference: Reference) -> Reference:
    """The snapshot without its broken rows; `ValidationBlocked` when too many are broken."""
    settings, raw = run.settings, snapshot.open_snapshot(reference)
    report = f"validation/{raw.id}/index.html"
    with whole_folder(settings, (settings.home / "reports" / report).parent) as docs:
        judgement = validation.judge_snapshot(settings, raw, docs)
        checks = [*judgement.checks, *table_checks.check_offered_columns(settings)]
        with snapshot.open_tables(settings, raw) as connection:
            checks += history.check(settings, raw, connection)
        broken = judgement.broken
        validation.set_aside(settings, raw, validation.examples(broken) if blocking(checks) else broken, run.run_id)
        if not blocking(checks):
            clean = broken_rows.leave_out(settings, raw, broken)
            checks += table_checks.check_split(settings, raw, clean)
        trends = trend.recall(settings, raw.as_of, checks)
        save_front_page(docs, raw, checks, judgement.counts, broken, trends)
    keep_checks(run, "validate", checks)
    if stopped := blocking(checks):
        raise judgement.blocked(stopped, raw, report)
    clean = snapshot.keep_snapshot(settings, clean)
    return snapshot.refer_to(run.settings, clean, "clean_snapshot", report=report)


@recorded
def build_features(run: Run, reference: Reference, purpose: Purpose) -> Reference:
    """Features, side tables and, for training, outcomes of a clean snapshot."""
    settings = run.settings
    shape = [settings.lookback_days, settings.article_max_age_hours, settings.list_step_hours]
    if purpose == "training":
        shape += [settings.train_days, settings.holdout_hours]
    fingerprint = digest_of(reference.fingerprint, purpose, VERSION, shape, provenance.code_digest())
    build = settings.home / "features" / f"{compact(run.as_of)}-{purpose}-{fingerprint[:12]}"
    if not build.exists():
        with whole_folder(settings, build) as folder:
            clean = snapshot.open_snapshot(reference)
            compute_features(settings, clean, purpose, folder, build)
            keep_crowd(settings, clean, folder)
    reach = timedelta(hours=settings.holdout_hours if purpose == "training" else 0)
    checks = audit_features(build, run.as_of, reach)
    keep_checks(run, f"build_features/{purpose}", checks)
    if stopped := blocking(checks):
        raise ValidationBlocked(
            f"{len(stopped)} check(s) failed on features {build.name}: "
            + " ".join(f"{check.code}: {check.sentence}" for check in stopped),
            hint="nothing is trained or scored on them; look at the snapshot's newest days in the validation report.",
        )
    if purpose == "scoring":
        feast_store.serve_build(settings, build, run.as_of)
    else:
        skew.keep_profile(settings, build)
    rows = {name: pq.read_metadata(build / name / "part.parquet").num_rows for name in ("requests", "article_stats")}
    return Reference("features", build.name, str(build), run.as_of, fingerprint, (reference.id,), rows)


@recorded
def train(run: Run, features: Reference, model: str) -> Reference:
    """A challenger, trained on what came before the hold-out and registered in MLflow as a version."""
    settings, build, snapshot_id = run.settings, Path(features.uri), features.parents[0]
    used = budget.find_budget(settings, build, training.training_end(settings, run.as_of))
    found = find_tuned(settings, model, run.as_of)
    if found and not found.parameters.keys() <= ranges_of(model).keys():
        found = None  # what may be tuned has changed since: the next search will tell
    tuned = found.parameters if found else {}
    parameters = training.parameters(settings, model, used, tuned, found.tuning_id if found else "")

    def fit(folder: Path) -> training.Trained:
        scenes, outcomes = open_scenes(build), open_outcomes(build)
        return training.fit_model(settings, model, scenes, outcomes, used, run.as_of, folder, build, tuned)

    about = {
        "model": model,
        "features_id": features.id,
        "snapshot_id": snapshot_id,
        "as_of": run.as_of,
        "run_id": run.run_id,
    }
    version = registry.fit_and_register(settings, digest_of(features.fingerprint, parameters), fit, parameters, about)
    said = {"training_data": used.sentence, "tuned": found.sentence if found else "Not tuned."}
    facts = {"model": model, **said, **mlflow_registry.where(settings, version.mlflow_run_id)}
    facts["card"] = keep_card(settings, version)
    number = str(version.version)
    return Reference("model", number, f"models:/{number}", run.as_of, version.digest, (features.id, snapshot_id), facts)


@recorded
def score(run: Run, features: Reference) -> Reference:
    """Every subscriber's list by the champion, as a file; how far its features are from the training's is noted."""
    settings = run.settings
    with connect(settings) as warehouse:
        champion = champions.need_champion(warehouse)
        registered = registry.find_model(warehouse, champion.version)
    keep_checks(run, "score", skew.check(settings, registered.features_id, Path(features.uri)))
    return score_features(settings, features, registered, lambda: registry.load_version(settings, registered))


@recorded
def write_batch(run: Run, lists: Reference) -> Reference:
    """The lists in PostgreSQL under their batch id, unseen by readers."""
    readers, rows, expected = write_lists(run, lists)
    made_from = (lists.facts or {})["features"]
    facts = {"readers": readers, "rows": rows, "expected_readers": expected, "features": made_from}
    return Reference("batch", lists.id, lists.uri, run.as_of, lists.fingerprint, (lists.id,), facts)


@recorded
def audit(run: Run, batch: Reference) -> Reference:
    """The batch, once it has passed every blocking check; `AuditFailed` otherwise, and the live lists stay."""
    facts = cast(dict[str, Any], batch.facts)
    checks = audit_written(run.settings, batch, facts["features"], facts["expected_readers"])
    keep_checks(run, "audit", checks)
    report = report_lists(run, batch, facts["features"], checks)
    if failed := blocking(checks):
        raise AuditFailed(
            f"Batch {batch.id} failed {len(failed)} check(s): " + " ".join(f"{c.code}: {c.sentence}" for c in failed),
            hint="the last good lists stay live; look at the batch in recs.recommendations.",
            report=report,
        )
    return replace(batch, facts={**facts, "report": report})


@recorded
def publish(run: Run, batch: Reference) -> Reference:
    """The batch live, unless newer lists are or it is by a champion of before; `facts["changed"]` tells."""
    with connect(run.settings) as warehouse:
        is_live = batches.switch(warehouse, batch.id, batch.as_of, run.settings.stale_after_minutes)
    facts = {**(batch.facts or {}), "changed": is_live}
    return Reference("batch", batch.id, batch.uri, batch.as_of, batch.fingerprint, batch.parents, facts)


@recorded
def watch(run: Run) -> Reference:
    """Realised quality and drift of one window, kept in `ops`; `facts["retrain_reason"]` when a retrain is due."""
    settings = run.settings
    champions.follow(settings)  # once an hour, in case MLflow was away when the champion changed
    with connect(settings) as warehouse:
        champion = champions.need_champion(warehouse)
        published = warehouse.execute(query("monitor/batches"), [run.as_of]).fetchall()
    taken = snapshot.take_snapshot(settings, run.as_of, timedelta(hours=settings.monitor_window_hours))
    with broken_rows.open_rows(settings, taken) as connection:
        window = broken_rows.leave_out(settings, taken, broken_rows.find_broken_rows(connection))
    trained_on = snapshot.find_snapshot(settings, champion.snapshot_id)
    report = f"drift/{compact(run.as_of)}-v{champion.version}.html"
    realised = monitoring.measure_realised(settings, window, published, monitoring.read_kind_of(settings, trained_on))
    finding = monitoring.find_drift(settings, window, trained_on, settings.home / "reports" / report)
    with connect(settings) as warehouse:
        monitoring.keep_realised(warehouse, run.as_of, settings.monitor_window_hours, realised)
        monitoring.keep_drift(warehouse, run.as_of, champion.version, finding, settings.drift_share)
        reason = monitoring.ask_for_retraining(settings, warehouse, run.as_of, champion.version, finding)
    facts = {
        "sentence": f"{monitoring.tell_realised(realised)} {finding.sentence}",
        "report": report if finding.columns else None,
        "retrain_reason": reason,
        "champion_version": champion.version,
    }
    return Reference(
        "health", f"{compact(run.as_of)}-v{champion.version}", report, run.as_of, digest_of(facts), (), facts
    )


@recorded
def clean_up(run: Run, dry_run: bool = False) -> Reference:
    """What was old is gone (or only named), aliases agree with the ledger, and missing days are named."""
    if not dry_run:
        champions.repair_aliases(run.settings)
    swept = retention.sweep(run.settings, run.as_of, dry_run=dry_run)
    facts = {
        **swept.facts,
        "table": retention_page.tell(swept),
        "report": retention_page.save_page(run.settings, swept),
    }
    return Reference("clean_up", compact(run.as_of), str(run.settings.home), run.as_of, digest_of(facts), (), facts)
