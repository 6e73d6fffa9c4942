"""From the publisher's database to features: extract, validate, build features."""

from __future__ import annotations

from datetime import timedelta

import pyarrow.parquet as pq

from include.adapters.warehouse import connect
from include.core.checks import blocking
from include.core.clock import compact
from include.core.errors import ValidationBlocked
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.data import lateness, snapshot
from include.data.store import digest_of, whole_folder
from include.features import skew
from include.features.audit import audit_features
from include.features.build import Purpose, compute_features, find_lookback_days
from include.features.crowd import keep_crowd
from include.features.scenes import VERSION
from include.models import provenance
from include.pipeline.first_days import before_the_first_reading, need_examples
from include.pipeline.run import keep_checks, recall, recorded
from include.validation import broken_rows, table_checks
from include.validation import judgement as validation
from include.validation.page import save_front_page


@recorded
def extract(run: Run, days: int) -> Reference:
    """Take a snapshot of the `days` days before `as_of`; its facts list missing days and late rows."""
    with before_the_first_reading(run.settings):
        taken = snapshot.take_snapshot(run.settings, run.as_of, timedelta(days=days))
    with connect(run.settings) as warehouse:
        late = lateness.look_back(run.settings, warehouse, taken)
    return snapshot.refer_to(run.settings, taken, "snapshot", missing_days=taken.missing_days, late=late)


@recorded
def validate(run: Run, reference: Reference) -> Reference:
    """Return the snapshot without its broken rows; raise `ValidationBlocked` if too many are broken."""
    settings, raw = run.settings, snapshot.open_snapshot(reference)
    report = f"validation/{raw.id}/index.html"
    with whole_folder(settings, (settings.home / "reports" / report).parent) as docs:
        judgement = validation.judge_snapshot(settings, raw, docs)
        checks = [*judgement.checks, *table_checks.check_offered_columns(settings)]
        broken = judgement.broken
        validation.quarantine_rows(
            settings, raw, validation.examples(broken) if blocking(checks) else broken, run.run_id
        )
        if not blocking(checks):
            clean = broken_rows.leave_out(settings, raw, broken)
            checks += table_checks.check_split(settings, raw, clean)
        trends = recall(settings, raw.as_of, checks)
        save_front_page(run, docs, raw, checks, judgement.counts, broken, trends)
    keep_checks(run, "validate", checks)
    if stopped := blocking(checks):
        raise judgement.blocked(stopped, raw, report)
    clean = snapshot.keep_snapshot(settings, clean)
    counts = broken_rows.count_by_publisher(broken)
    return snapshot.refer_to(run.settings, clean, "clean_snapshot", report=report, quarantined_by=counts)


@recorded
def build_features(run: Run, reference: Reference, purpose: Purpose) -> Reference:
    """Build features, side tables and, for training, outcomes from a clean snapshot."""
    settings = run.settings
    shape = [find_lookback_days(settings), settings.article_max_age_hours, settings.list_step_hours]
    if purpose == "training":
        need_examples(settings, snapshot.open_snapshot(reference))
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
            f"{write_count(len(stopped), 'check')} failed on features {build.name}: "
            + " ".join(f"{check.sentence} [{check.code}]" for check in stopped),
            hint="nothing is trained or scored on them; check the snapshot's newest days in the validation report.",
        )
    if purpose == "training":
        skew.keep_sample(settings, build)
    rows = {name: pq.read_table(build / name, columns=[]).num_rows for name in ("requests", "article_stats")}
    return Reference("features", build.name, str(build), run.as_of, fingerprint, (reference.id,), rows)
