"""The stage `judge`: from a challenger to a verdict, with champion and baselines on the same hold-out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq

from include.adapters import mlflow_reports
from include.adapters.warehouse import connect
from include.core.clock import compact, now
from include.core.errors import ArtifactDamaged
from include.core.html import save
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.features.scenes import open_outcomes, open_scenes, rows_between
from include.judging import champion as champions
from include.judging import holds, turnover
from include.judging.card import Judged, keep_card
from include.judging.champion import Champion
from include.judging.checks import GateLimits
from include.judging.fresh_process import try_out
from include.judging.guardrails import NOT_LIVE
from include.judging.page import verdict_page
from include.judging.trial import Contestant, Holdout, hold_trial
from include.judging.verdict import sum_up
from include.models import registry, training
from include.pipeline.run import keep_checks, keep_verdict, recorded


@recorded
def judge(run: Run, model: Reference, features: Reference) -> Reference:
    """Compare a version with the champion and the baselines on the same fresh hold-out; return the verdict."""
    settings, build, version = run.settings, Path(features.uri), int(model.id)
    with connect(settings) as warehouse:
        champion = champions.find_champion(warehouse)
        challenger = registry.find_model(warehouse, version)
    start = training.holdout_start(settings, run.as_of)
    holdout = Holdout(
        scenes=open_scenes(build).between(start, run.as_of),
        outcomes=rows_between(open_outcomes(build), start, run.as_of),
        catalogue=pq.read_table(build / "articles"),
        start=start,
        end=run.as_of,
    )
    rivals, trouble = _find_rivals(settings, champion)
    candidate, works = try_out(settings, challenger, holdout.scenes)
    live = turnover.measure_live_turnover(settings, candidate, run.as_of) if candidate and rivals else NOT_LIVE
    reigning = champion.version if champion else None
    verdict, evidence = hold_trial(settings, challenger, candidate, works, rivals, holdout, trouble, live, reigning)
    keep_checks(run, "judge", verdict.checks)
    seq = champion.seq if champion else 0
    found = [(check.code, check.subject, check.outcome, check.limit_is) for check in verdict.checks]
    made_of = digest_of(features.fingerprint, model.fingerprint, trouble, found)  # other limits make another verdict
    verdict_id = f"{compact(run.as_of)}-v{version}-after-{seq}-{made_of[:8]}"
    report = f"verdicts/{verdict_id}.html"
    page = settings.home / "reports" / report
    with connect(settings) as warehouse:
        held = " ".join(hold.tell() for hold in holds.find_holds(warehouse, now()))
    save(page, verdict_page(GateLimits.of(settings), verdict, evidence, model, champion, run.as_of, held))
    facts = {
        "decision": verdict.decision,
        "sentence": verdict.sentence,
        "challenger_version": version,
        "champion_version": reigning,
        "champion_seq": seq,
        "snapshot_id": challenger.snapshot_id,
        "ndcg": evidence.means.get("challenger", {}).get("ndcg"),
        "report": report,
    }
    keep_verdict(run, verdict_id, facts, verdict.checks, evidence.means)
    if champion and champion.version == version:  # the champion keeps the card and the verdict of its promotion
        facts["card"] = keep_card(settings, challenger)
    else:
        mlflow_reports.keep_verdict(
            settings,
            version,
            challenger.mlflow_run_id,
            verdict.decision,
            verdict_id,
            sum_up(evidence),
            evidence.means,
            page,
            now(),
        )
        with suppress(ArtifactDamaged):  # a version that MLflow lost gets no card
            facts["card"] = keep_card(settings, challenger, Judged(verdict_id, verdict, evidence))
    return Reference("verdict", verdict_id, report, run.as_of, digest_of(facts), (model.id, features.id), facts)


def _find_rivals(settings: Settings, champion: Champion | None) -> tuple[dict[str, Contestant], str]:
    """Return the version to beat, and what is wrong with the champion if an earlier one stands in for it."""
    if champion is None:
        return {}, ""
    try:
        return {"champion": _contestant(settings, champion.version)}, ""
    except ArtifactDamaged as error:
        trouble = error.fact
    with connect(settings) as warehouse:
        fallbacks = champions.find_fallbacks(warehouse)
    for version in fallbacks:
        with suppress(ArtifactDamaged):
            return {"previous": _contestant(settings, version)}, trouble
    return {}, trouble


def _contestant(settings: Settings, version: int) -> Contestant:
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, version)
    return registered, registry.load_version(settings, registered)
