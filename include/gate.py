"""The stages that decide who is champion: judge, promote, ask and answer; and shadow, which only shows.

They are the pipeline's; DAGs and CLI call them there. Nothing is believed that a caller says of a verdict: whoever
promotes looks at the checks that were kept with it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, cast

import pyarrow.parquet as pq

from include import batch as batches
from include import champion as champions
from include import holds, live_lists, registry, training
from include.adapters import mlflow_registry, mlflow_reports
from include.adapters.warehouse import Connection, Rollback, connect, query
from include.alerts import raise_alert
from include.card import Judged, keep_card
from include.champion import Champion
from include.checks import Check
from include.clock import compact, now
from include.errors import ArtifactDamaged, DaybreakError, SourceError
from include.failures import Alert
from include.features import open_outcomes, open_scenes, rows_between
from include.guardrails import NOT_LIVE
from include.lists_page import compare_with_live, report_lists
from include.mechanics import try_out
from include.record import Run, keep_checks, keep_verdict, recorded
from include.references import Reference
from include.report import save
from include.rollback import keep_audit
from include.scoring import newest_features, score_features, write_lists
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
    live = live_lists.compare(settings, candidate, run.as_of) if candidate and rivals else NOT_LIVE
    verdict, evidence = hold_trial(settings, challenger, candidate, works, rivals, holdout, trouble, live)
    keep_checks(run, "judge", verdict.checks)
    seq = champion.seq if champion else 0
    found = [(check.code, check.subject, check.outcome, check.limit_is) for check in verdict.checks]
    made_of = digest_of(features.fingerprint, model.fingerprint, trouble, found)  # other limits: another verdict
    verdict_id = f"{compact(run.as_of)}-v{version}-after-{seq}-{made_of[:8]}"
    report = f"verdicts/{verdict_id}.html"
    page = settings.home / "reports" / report
    with connect(settings) as warehouse:
        held = " ".join(hold.tell() for hold in holds.find_holds(warehouse, now()))
    save(page, verdict_page(settings, verdict, evidence, model, champion, run.as_of, held))
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
    if champion and champion.version == version:  # it keeps the card, and the verdict, that it was promoted with
        facts["card"] = keep_card(settings, challenger)
    else:
        mlflow_reports.keep_verdict(
            settings, version, challenger.mlflow_run_id, verdict.decision, verdict_id, evidence.means, page
        )
        with suppress(ArtifactDamaged):  # of one that MLflow lost since, as the verdict says, there is nothing to tell
            facts["card"] = keep_card(settings, challenger, Judged(verdict_id, verdict, evidence))
    return Reference("verdict", verdict_id, report, run.as_of, digest_of(facts), (model.id, features.id), facts)


@recorded
def promote(run: Run, verdict: Reference) -> Reference:
    """The challenger as champion, if the verdict says so and nobody was promoted since; else the champion as it is."""
    why = cast(dict[str, Any], verdict.facts)["sentence"]
    damage = _find_damage(run.settings, verdict.id)
    with connect(run.settings) as warehouse:
        changed, sentence = _append(warehouse, run, verdict.id, "promote", run.actor, why, damage)
    return _as_it_is(run, verdict.id, changed, sentence)


@recorded
def ask(run: Run, verdict: Reference) -> Reference:
    """The verdict, once on-call has been asked by a ticket to decide; one question is one mail."""
    facts = cast(dict[str, Any], verdict.facts)
    version, hours = facts["challenger_version"], run.settings.ask_hours
    subject = f"[ticket] v{version}: promote it or keep v{facts['champion_version']}? A decision is wanted"
    body = (
        f"What is asked\n{facts['sentence']}\n\n"
        f"What happens by itself\nThe champion stays. Without an answer within {hours} h it is kept for good.\n\n"
        f"Next step\nRead the verdict and answer in Airflow under Required Actions, or type "
        f"`bin/daybreak approve {verdict.id}` (with --keep to say no).\n\n"
        f"Links\nAnswer: {run.settings.airflow_url}/required_actions\n"
        f"Verdict: {run.settings.airflow_url}/daybreak/reports/{facts['report']}\n"
        f"Runbook: docs/runbook.md#a-person-is-asked\n"
    )
    raise_alert(run.settings, Alert(f"ask/{verdict.id}", "ticket", subject, body))
    return verdict


def find_question(settings: Settings, verdict_id: str | None) -> dict[str, str] | None:
    """The open question about this verdict, else the newest one, in words; None when there is nothing to decide."""
    with connect(settings) as warehouse:
        waiting = [str(row[0]) for row in warehouse.execute(query("ops/open_questions"))]
        name = verdict_id if verdict_id in waiting else next(iter(waiting), None)
        row = warehouse.execute(query("ops/verdict"), [name]).fetchone() if name else None
    if name is None or row is None:
        return None
    checks = [Check(**check) for check in row[2]]
    doubts = [check for check in checks if check.severity == "warn" and check.outcome == "failed"]
    told = "\n".join(f"- **{check.code} {check.title}**: {check.sentence}" for check in doubts)
    better = next((check.sentence for check in checks if check.code == "RT108"), "Nobody could be compared with it.")
    link = f"{settings.airflow_url}/daybreak/reports/verdicts/{name}.html"
    return {
        "verdict_id": name,
        "subject": f"Promote v{row[3]}, or keep v{row[1]}?",
        "body": f"{better}\n\nEvery check that blocks has passed; these are in doubt:\n\n{told}\n\n[Verdict]({link})",
    }


@recorded
def answer(run: Run, verdict_id: str, choice: Literal["promote", "keep"], who: str, reason: str = "") -> Reference:
    """What a person, or nobody in time, made of a verdict that asked; the first answer counts.

    A yes and the champion that it makes are one transaction. One that can make nobody champion is no answer: while
    promotions are frozen the question stays open.
    """
    reason = reason.rstrip(".")
    why = f"Promoted by {who}{f': {reason}' if reason else ''}."
    damage = _find_damage(run.settings, verdict_id) if choice == "promote" else ""
    with connect(run.settings) as warehouse, warehouse.transaction() as whole:
        if warehouse.execute(query("ops/verdict"), [verdict_id]).fetchone() is None:
            raise DaybreakError(f"There is no verdict {verdict_id}.", hint="`bin/daybreak status` shows the newest.")
        values = {"verdict_id": verdict_id, "answer": choice, "actor": who, "answered_at": now()}
        if warehouse.execute(query("ops/keep_answer"), values).fetchone() is not None:
            keep_audit(warehouse, who, f"answer {choice}", {"verdict_id": verdict_id, "reason": reason})
        given, by = warehouse.execute(query("ops/answer"), [verdict_id]).fetchone() or (choice, who)
        if (given, by) != (choice, who):
            changed, sentence = False, f"The first answer counts, and it was “{given}”, by {by}."
        elif choice == "keep":
            changed, sentence = False, f"Kept by {who}."
        else:
            changed, sentence = _append(warehouse, run, verdict_id, "ask", who, why, damage)
            if not changed:
                raise Rollback(whole)
    return _as_it_is(run, verdict_id, changed, sentence)


def _append(
    warehouse: Connection, run: Run, verdict_id: str, wanted: Decision, actor: str, why: str, damage: str
) -> tuple[bool, str]:
    """Whether the ledger has a row of this verdict, and why or why not: its checks must come to `wanted`, and nothing
    may hold its challenger back.
    """
    holds.lock(warehouse)  # a freeze comes before this promotion or after it
    row = warehouse.execute(query("ops/verdict"), [verdict_id]).fetchone()
    champion = champions.find_champion(warehouse)
    if row is None or conclude_again(warehouse, verdict_id) != wanted:
        return False, f"The checks of verdict {verdict_id} do not come to {wanted}, so the champion stays. {why}"
    version = row[3]
    if champion is not None and champion.verdict_id == verdict_id:
        return True, why  # a retry after a crash finds its own row
    if forbidden := holds.forbid(holds.find_holds(warehouse, now()), version):
        return False, f"v{version} is not promoted. {forbidden}"
    if damage:
        return False, f"v{version} is not promoted, for it cannot be used any more: {damage}"
    done = champions.append(
        warehouse,
        after_seq=row[4],
        version=version,
        from_version=row[1],
        why=why,
        actor=actor,
        run_id=run.run_id,
        snapshot_id=row[5],
        verdict_id=verdict_id,
    )
    return done, why if done else "The champion stays: another run changed it while this one judged."


def _find_damage(settings: Settings, verdict_id: str) -> str:
    """What is wrong with a challenger since it was judged; empty while the registry holds it and its files are sound,
    and when it is champion already, whom nothing keeps from being it.
    """
    with connect(settings) as warehouse:
        row, champion = (
            warehouse.execute(query("ops/verdict"), [verdict_id]).fetchone(),
            champions.find_champion(warehouse),
        )
    if row is None or (champion is not None and champion.verdict_id == verdict_id):
        return ""
    try:
        with connect(settings) as warehouse:
            registered = registry.find_model(warehouse, row[3])
        mlflow_registry.need_version(settings, row[3])
        registry.fetch_files(settings, registered)
    except ArtifactDamaged as error:
        return error.fact
    return ""


def _as_it_is(run: Run, verdict_id: str, changed: bool, sentence: str) -> Reference:
    sentence = f"{sentence} {champions.follow(run.settings)}".strip()
    with connect(run.settings) as warehouse:
        champion = champions.find_champion(warehouse)
    version = champion.version if champion else None
    facts = {"version": version, "changed": changed, "sentence": sentence}
    return Reference("champion", str(version), "", run.as_of, digest_of(version), (verdict_id,), facts)


def conclude_again(warehouse: Connection, verdict_id: str) -> Decision:
    """What follows from the checks that were kept under this verdict, whatever anybody says that it says."""
    row = warehouse.execute(query("ops/verdict"), [verdict_id]).fetchone()
    if row is None:
        return "keep"
    decision, champion_version, kept = row[:3]
    checks = [Check(**check) for check in kept]
    has_rival = champion_version is not None and not any(check.code == "RT118" for check in checks)
    found = conclude(checks, has_champion=has_rival).decision
    return found if found == decision else "keep"


@recorded
def shadow(run: Run, version: int) -> Reference:
    """Full lists of a version in a batch that can never go live, and how they differ from the live ones."""
    settings = run.settings
    features = newest_features(settings)
    if features is None:
        raise SourceError("There are no features to score with yet.", hint="run `recommend` once, then this again.")
    with connect(settings) as warehouse:
        registered = registry.find_model(warehouse, version)
    lists = score_features(
        settings, features, registered, lambda: registry.load_version(settings, registered), prefix="shadow_"
    )
    write_lists(run, lists)
    with connect(settings) as warehouse:
        batches.set_status(warehouse, lists.id, "shadow")
    beside = compare_with_live(run, lists.id)
    facts = {
        "sentence": f"Shadow batch {lists.id}: {beside.sentence}",
        "kept_place_share": beside.kept_share,
        "readers_with_fewer": beside.readers_with_fewer,
        "report": report_lists(run, lists, features.uri, []),
    }
    return Reference("shadow", lists.id, lists.uri, features.as_of, lists.fingerprint, lists.parents, facts)


def _find_rivals(settings: Settings, champion: Champion | None) -> tuple[dict[str, Contestant], str]:
    """Whom the challenger must beat, and what is wrong with the champion if somebody else stands in for it."""
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
