"""From a model to live lists: score, write a batch, audit it, publish it; and shadow batches, which never go live."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq

from include.adapters.warehouse import Connection, connect
from include.core.checks import Check, blocking
from include.core.errors import AuditFailed, SourceError
from include.core.numbers import write_count
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import read_json
from include.judging import champion as champions
from include.judging.serving_baseline import choose_baseline
from include.lists import batch as batches
from include.lists.audit import audit_written
from include.lists.beside_live import compare_with_live
from include.lists.page import report_lists
from include.lists.scoring import ListMaker, newest_features, score_features
from include.models import model_class, registry
from include.models.registry import RegisteredModel
from include.pipeline.run import keep_checks, recall_checks, recorded


@recorded
def score(run: Run, features: Reference) -> Reference:
    """Save every subscriber's list to a file: by the champion, or by the best baseline while there is none.

    In a backfill that is the champion of then, so that a past hour comes out as it would have.
    """
    with connect(run.settings) as warehouse:
        champion = champions.find_champion_of(warehouse, run)
        maker = (
            by_version(run.settings, registry.find_model(warehouse, champion.version))
            if champion
            else by_baseline(warehouse, run.as_of)
        )
    return score_features(run.settings, features, maker)


def by_version(settings: Settings, registered: RegisteredModel) -> ListMaker:
    """Return a registered version as a maker of lists."""
    return ListMaker(
        registered.digest,
        lambda: registry.load_version(settings, registered),
        f"Lists by v{registered.version}.",
        version=registered.version,
    )


def by_baseline(warehouse: Connection, as_of: datetime) -> ListMaker:
    """Return the serving baseline as a maker of lists; it learns nothing, so its name is all there is of it."""
    chosen = choose_baseline(warehouse, as_of)
    sentence = f"Lists by the baseline {chosen.name} ({chosen.why}); no model has been promoted yet."
    return ListMaker(chosen.name, lambda: model_class(chosen.name)(), sentence, baseline=chosen.name)


@recorded
def write_batch(run: Run, lists: Reference) -> Reference:
    """Write the lists to PostgreSQL under their batch id, not yet visible to readers."""
    readers, rows, expected = write_lists(run, lists)
    made_from = (lists.facts or {})["features"]
    sentence = (lists.facts or {}).get("sentence", "")
    facts = {
        "readers": readers,
        "rows": rows,
        "expected_readers": expected,
        "features": made_from,
        "sentence": sentence,
    }
    return Reference("batch", lists.id, lists.uri, run.as_of, lists.fingerprint, (lists.id,), facts)


@recorded
def audit(run: Run, batch: Reference) -> Reference:
    """Return the batch if it passes every blocking check; otherwise raise `AuditFailed`, and the live lists stay."""
    facts = cast(dict[str, Any], batch.facts)
    checks = audit_written(run.settings, batch, facts["features"], facts["expected_readers"])
    keep_checks(run, "audit", checks)
    report = _report(run, batch, facts["features"], checks)
    if failed := blocking(checks):
        raise AuditFailed(
            f"Batch {batch.id} failed {write_count(len(failed), 'check')}: "
            + " ".join(f"{c.sentence} [{c.code}]" for c in failed),
            hint="the last good lists stay live; see the batch in recs.recommendations.",
            report=report,
        )
    return replace(batch, facts={**facts, "report": report})


@recorded
def publish(run: Run, batch: Reference) -> Reference:
    """Make the batch live unless newer lists are live or the champion changed; `facts["changed"]` says which."""
    with connect(run.settings) as warehouse:
        is_live = batches.switch(warehouse, batch.id, batch.as_of, run.settings.stale_after_minutes)
    facts = {**(batch.facts or {}), "changed": is_live}
    return Reference("batch", batch.id, batch.uri, batch.as_of, batch.fingerprint, batch.parents, facts)


@recorded
def shadow(run: Run, version: int) -> Reference:
    """Write a version's lists as a batch that can never go live, and compare them with the live ones."""
    settings = run.settings
    features = newest_features(settings)
    if features is None:
        raise SourceError("There are no features to score with yet.", hint="run `recommend` once, then repeat this.")
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, version)
    lists = score_features(settings, features, by_version(settings, registered), prefix="shadow_")
    write_lists(run, lists)
    with connect(settings) as warehouse:
        batches.set_status(warehouse, lists.id, "shadow")
    beside = compare_with_live(settings, lists.id)
    facts = {
        "sentence": f"Shadow batch {lists.id}: {beside.sentence}",
        "kept_place_share": beside.kept_share,
        "readers_with_fewer": beside.readers_with_fewer,
        "report": _report(run, lists, features.uri, []),
    }
    return Reference("shadow", lists.id, lists.uri, features.as_of, lists.fingerprint, lists.parents, facts)


def _report(run: Run, batch: Reference, features: str, checks: list[Check]) -> str:
    """Save the page on a batch, with the trend of the last runs."""
    return report_lists(run, batch, features, checks, recall_checks(run.settings, run.as_of, ["audit"], checks))


def write_lists(run: Run, lists: Reference) -> tuple[int, int, int]:
    """Write the lists to PostgreSQL, not yet visible; return the written readers and rows, and the expected readers."""
    about = read_json(Path(lists.uri) / "batch.json")
    with connect(run.settings) as warehouse:
        parts = pq.ParquetFile(Path(lists.uri) / "lists.parquet").iter_batches(batches.ROWS_AT_ONCE)
        readers, rows = batches.write(warehouse, parts, {**about, "run_id": run.run_id})
    return readers, rows, about["readers"]


def score_and_audit(run: Run, features: Reference, registered: RegisteredModel) -> str | None:
    """Return a batch of this version that passed its audit, or None if it failed."""
    lists = score_features(run.settings, features, by_version(run.settings, registered))
    _, _, asked = write_lists(run, lists)
    return None if blocking(audit_written(run.settings, lists, features.uri, asked)) else lists.id
