"""The stages that decide who is champion: judge, and promote. They are the pipeline's; DAGs and CLI call them there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq

from include import champion as champions
from include import registry, training
from include.adapters import mlflow_registry
from include.adapters.warehouse import Connection, connect, query
from include.champion import Champion
from include.checks import Check
from include.clock import compact
from include.errors import ArtifactDamaged
from include.features import open_outcomes, open_scenes, rows_between
from include.mechanics import try_out
from include.record import Run, keep_checks, keep_verdict, recorded
from include.references import Reference
from include.report import save
from include.settings import Settings
from include.store import digest_of
from include.trial import Contestant, Holdout, hold_trial
from include.verdict import Decision, conclude
from include.verdict_page import verdict_page


@recorded
def judge(run: Run, model: Reference, features: Reference) -> Reference:
    """The verdict on a version: it, the champion and the baselines on the same fresh hold-out, in this run."""
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
    verdict, evidence = hold_trial(settings, challenger, candidate, works, rivals, holdout, trouble)
    keep_checks(run, "judge", verdict.checks)
    seq = champion.seq if champion else 0
    made_of = digest_of(features.fingerprint, model.fingerprint, trouble)
    verdict_id = f"{compact(run.as_of)}-v{version}-after-{seq}-{made_of[:8]}"
    report = f"verdicts/{verdict_id}.html"
    page = settings.home / "reports" / report
    save(page, verdict_page(settings, verdict, evidence, model, champion, run.as_of))
    facts = {
        "decision": verdict.decision,
        "sentence": verdict.sentence,
        "challenger_version": version,
        "champion_version": champion.version if champion else None,
        "champion_seq": seq,
        "snapshot_id": challenger.snapshot_id,
        "ndcg": evidence.means.get("challenger", {}).get("ndcg"),
        "report": report,
    }
    keep_verdict(run, verdict_id, facts, verdict.checks, evidence.means)
    mlflow_registry.keep_verdict(
        settings, version, challenger.mlflow_run_id, verdict.decision, verdict_id, evidence.means, page
    )
    return Reference("verdict", verdict_id, report, run.as_of, digest_of(facts), (model.id, features.id), facts)


@recorded
def promote(run: Run, verdict: Reference) -> Reference:
    """The challenger as champion, if the verdict says so and nobody was promoted since; else the champion as it is."""
    facts = cast(dict[str, Any], verdict.facts)
    changed = False
    with connect(run.settings) as warehouse:
        sound = conclude_again(warehouse, verdict.id)
        if sound == "promote" == facts["decision"]:
            changed = champions.append(
                warehouse,
                after_seq=facts["champion_seq"],
                version=facts["challenger_version"],
                from_version=facts["champion_version"],
                why=facts["sentence"],
                actor=run.actor,
                run_id=run.run_id,
                snapshot_id=facts["snapshot_id"],
                verdict_id=verdict.id,
            )
        champion = champions.find_champion(warehouse)
    # a retry after a crash finds its own row in the ledger: that is a promotion, too
    changed = changed or (champion is not None and champion.verdict_id == verdict.id)
    champions.repair_aliases(run.settings)
    version = champion.version if champion else None
    return Reference(
        "champion",
        str(version),
        verdict.uri,
        run.as_of,
        digest_of(version),
        (verdict.id,),
        {"version": version, "changed": changed, "sentence": facts["sentence"]},
    )


def conclude_again(warehouse: Connection, verdict_id: str) -> Decision:
    """What follows from the checks that were kept under this verdict, whatever anybody says that it says."""
    row = warehouse.execute(query("ops/verdict"), [verdict_id]).fetchone()
    if row is None:
        return "keep"
    decision, champion_version, kept = row
    checks = [Check(**check) for check in kept]
    has_rival = champion_version is not None and not any(check.code == "RT118" for check in checks)
    found = conclude(checks, has_champion=has_rival).decision
    return found if found == decision else "keep"


def _find_rivals(settings: Settings, champion: Champion | None) -> tuple[dict[str, Contestant], str]:
    """Whom the challenger must beat, and what is wrong with the champion if somebody else stands in for it."""
    if champion is None:
        return {}, ""
    try:
        return {"champion": _contestant(settings, champion.version)}, ""
    except ArtifactDamaged as error:
        trouble = error.fact
    try:
        return ({"previous": _contestant(settings, champion.from_version)} if champion.from_version else {}), trouble
    except ArtifactDamaged:
        return {}, trouble


def _contestant(settings: Settings, version: int) -> Contestant:
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, version)
    return registered, registry.load_version(settings, registered)
