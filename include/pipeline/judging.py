"""The stage `judge`: from a challenger to a verdict, with the version to beat and baselines on the same hold-out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq

from include.adapters import mlflow_reports
from include.adapters.warehouse import connect, query
from include.core.about import find_links
from include.core.checks import Check
from include.core.clock import compact, now
from include.core.errors import ArtifactDamaged
from include.core.html import save
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.snapshot import find_validation
from include.data.store import digest_of
from include.features.scenes import open_outcomes, open_scenes, rows_between
from include.judging import champion as champions
from include.judging import holds, turnover
from include.judging.card import Judged, keep_card
from include.judging.checks import GateLimits
from include.judging.fresh_process import try_out
from include.judging.guardrails import NOT_LIVE, Turnover
from include.judging.page import find_differences, verdict_page
from include.judging.rival import Incumbent, choose_incumbent
from include.judging.serving_baseline import find_best
from include.judging.trial import Contestant, Holdout, hold_trial
from include.judging.verdict import Evidence, Verdict, sum_up
from include.models import Recommender, registry, training
from include.pipeline.run import keep_checks, keep_verdict, recorded


@recorded
def judge(run: Run, model: Reference, features: Reference) -> Reference:
    """Compare a version with the version to beat and the baselines on the same fresh hold-out; return the verdict."""
    settings, build, version = run.settings, Path(features.uri), int(model.id)
    with connect(settings) as warehouse:
        incumbent = choose_incumbent(warehouse, run)
        challenger = registry.find_model(warehouse, version)
    start = training.holdout_start(settings, run.as_of)
    holdout = Holdout(
        scenes=open_scenes(build).between(start, run.as_of),
        outcomes=rows_between(open_outcomes(build), start, run.as_of),
        catalogue=pq.read_table(build / "articles"),
        start=start,
        end=run.as_of,
    )
    incumbent, rivals, trouble = _find_rivals(settings, incumbent)
    candidate, works = try_out(settings, challenger, holdout.scenes)
    live = _compare_with_live(run, version, candidate, incumbent) if rivals else NOT_LIVE
    verdict, evidence = hold_trial(
        settings,
        challenger,
        candidate,
        works,
        rivals,
        holdout,
        trouble,
        live,
        incumbent.version,
        is_binding=incumbent.is_of_record or (run.may_promote and incumbent.is_current),
    )
    keep_checks(run, "judge", verdict.checks)
    found = [(check.code, check.subject, check.outcome, check.limit_is) for check in verdict.checks]
    # other limits make another verdict, and so does a version to beat that is not that row of the ledger
    made_of = digest_of(features.fingerprint, model.fingerprint, trouble, found, *incumbent.apart)
    verdict_id = f"{compact(run.as_of)}-v{version}-after-{incumbent.seq}-{made_of[:8]}"
    report = f"verdicts/{verdict_id}.html"
    page = settings.home / "reports" / report
    with connect(settings) as warehouse:
        held = " ".join(hold.tell() for hold in holds.find_holds(warehouse, now()))
    pages = {
        "Model card": f"cards/v{version}.html",
        "Validation of its data": find_validation(settings, challenger.snapshot_id),
    }
    links = find_links(settings, pages)
    save(page, verdict_page(GateLimits.of(settings), verdict, evidence, model, run, incumbent.told, held, links))
    facts = {
        "decision": verdict.decision,
        "sentence": f"{verdict.sentence} {_tell_lists(verdict, evidence, incumbent)}".strip(),
        "rival": incumbent.told,
        "challenger_version": version,
        "champion_version": incumbent.version,
        "champion_seq": incumbent.seq,
        "snapshot_id": challenger.snapshot_id,
        "ndcg": evidence.means.get("challenger", {}).get("ndcg"),
        "report": report,
    }
    counts = {"version": version, "is_binding": evidence.is_binding}
    with connect(settings) as warehouse:
        (has_record,) = warehouse.execute(query("judging/has_record"), counts).fetchone() or (False,)
    differences = find_differences(GateLimits.of(settings), evidence)
    keep_verdict(run, verdict_id, facts, verdict.checks, evidence.means, differences, is_of_record=evidence.is_binding)
    if has_record:  # card and MLflow go on showing the verdict that counted
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


def _tell_lists(verdict: Verdict, evidence: Evidence, incumbent: Incumbent) -> str:
    """Say what makes the lists when a first challenger was not promoted; empty otherwise."""
    if incumbent.seq or not incumbent.is_current or verdict.decision != "keep":
        return ""
    best = find_best(evidence.means)
    which = f", in this verdict {best}" if best else ""
    return f"Until a model is promoted, the best baseline makes the lists{which}."


def _find_rivals(settings: Settings, incumbent: Incumbent) -> tuple[Incumbent, dict[str, Contestant], str]:
    """Return the version to beat, loaded, and what is wrong with the champion if an earlier one stands in for it.

    The champion of a past day has no stand-in: without its files, only the baselines are left.
    """
    if incumbent.version is None:
        return incumbent, {}, ""
    try:
        return incumbent, {"champion": _contestant(settings, incumbent.version)}, ""
    except ArtifactDamaged as error:
        trouble = error.fact
    if incumbent.is_past:
        return incumbent.without_files(trouble), {}, ""
    with connect(settings) as warehouse:
        fallbacks = champions.find_fallbacks(warehouse)
    for version in fallbacks:
        with suppress(ArtifactDamaged):
            return incumbent, {"previous": _contestant(settings, version)}, trouble
    return incumbent, {}, trouble


def _contestant(settings: Settings, version: int) -> Contestant:
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, version)
    return registered, registry.load_version(settings, registered)


def _compare_with_live(run: Run, version: int, candidate: Recommender | None, incumbent: Incumbent) -> Turnover | Check:
    """Compare the live lists with the challenger's; a run that is judged again keeps its first comparison."""
    if candidate is None:
        return NOT_LIVE
    asked = {"run_id": run.run_id, "as_of": run.as_of, "version": version}
    with connect(run.settings) as warehouse:
        before = warehouse.execute(query("judging/live_turnover"), asked).fetchone()
    if before:
        return Check(**before[0])
    if incumbent.is_past or not incumbent.is_current:
        return Turnover("A past day is not compared with today's lists.")
    return turnover.measure_live_turnover(run.settings, candidate, run.as_of)
