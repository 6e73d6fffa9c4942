"""The stages after a verdict: promote, ask a person, record the answer.

A promotion does not trust its caller: it rechecks the verdict from the saved checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from include.adapters import mlflow_registry
from include.adapters.warehouse import Connection, Rollback, connect, query
from include.alerts.outbox import raise_alert
from include.alerts.wording import Alert
from include.core.checks import Check
from include.core.clock import now
from include.core.errors import ArtifactDamaged, DaybreakError
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.judging import champion as champions
from include.judging import holds
from include.judging.verdict import Decision, Verdict, conclude, in_doubt
from include.lists import batch as batches
from include.models import registry
from include.pipeline.run import keep_audit, recorded


@recorded
def promote(run: Run, verdict: Reference) -> Reference:
    """Promote the challenger if the verdict says so and the champion has not changed since; return the champion."""
    why = cast(dict[str, Any], verdict.facts)["sentence"]
    if reason := str(run.form.get("reason") or "").strip().rstrip("."):
        why = f"{why} Started by {run.actor}: {reason}."
    damage = _find_damage(run.settings, verdict.id)
    with connect(run.settings) as warehouse:
        changed, sentence = _append(warehouse, run, verdict.id, "promote", run.actor, why, damage)
    return _as_it_is(run, verdict.id, changed, sentence)


@recorded
def ask(run: Run, verdict: Reference) -> Reference:
    """Ask on-call with a ticket to decide; a repeated question sends no second mail.

    If the champion has changed, an answer could change nothing: then `facts["not_asked"]` says so.
    """
    facts = cast(dict[str, Any], verdict.facts)
    version, hours = facts["challenger_version"], run.settings.ask_hours
    with connect(run.settings) as warehouse:
        row = warehouse.execute(query("pipeline/verdict"), [verdict.id]).fetchone()
        if row and (idle := _find_change(warehouse, row)):
            return replace(verdict, facts={**facts, "not_asked": f"No question is asked: {idle}"})
        warehouse.execute(query("pipeline/keep_question"), {"verdict_id": verdict.id, "moment": now()})
    doubts = _tell_doubts([Check(**check) for check in row[2]]) if row else ""
    subject = f"[ticket] v{version}: promote it or keep v{facts['champion_version']}? A decision is needed"
    body = (
        f"Question\n{facts['sentence']}\n\n"
        f"In doubt\n{doubts}\n\n"
        f"Without an answer\nThe champion stays. After {hours} h the question is closed and the champion is kept.\n\n"
        f"Next step\nRead the verdict and answer in Airflow under Required Actions, or run "
        f"`bin/daybreak approve {verdict.id}` (with --keep to keep the champion).\n\n"
        f"Links\nAnswer: {run.settings.airflow_url}/required_actions\n"
        f"Verdict: {run.settings.report_link(facts['report'])}\n"
        f"Runbook: {run.settings.runbook_link('a-person-is-asked')}\n"
    )
    raise_alert(run.settings, Alert(f"ask/{verdict.id}", "ticket", subject, body))
    return verdict


def _find_change(warehouse: Connection, row: tuple[Any, ...]) -> str:
    """Return how today's champion differs from the one that a verdict was reached against; empty if it does not."""
    champion = champions.find_champion(warehouse)
    if (row[1], row[4]) == ((champion.version, champion.seq) if champion else (None, 0)):
        return ""
    if row[8]:
        return "another run changed the champion after this verdict."
    today = f"today's champion is v{champion.version}" if champion else "there is no champion today"
    return f"{today}, and v{row[3]} was not compared with it. {row[7]}"


def find_question(settings: Settings, verdict_id: str | None) -> dict[str, str] | None:
    """Return the text of the open question about this verdict, else of the newest one; None if there is none."""
    with connect(settings) as warehouse:
        waiting = [str(row[0]) for row in warehouse.execute(query("pipeline/open_questions"))]
        name = verdict_id if verdict_id in waiting else next(iter(waiting), None)
        row = warehouse.execute(query("pipeline/verdict"), [name]).fetchone() if name else None
    if name is None or row is None:
        return None
    checks = [Check(**check) for check in row[2]]
    told = _tell_doubts(checks)
    better = next(
        (check.sentence for check in checks if check.code == "RT108"), "There was no champion to compare with."
    )
    link = settings.report_link(f"verdicts/{name}.html")
    return {
        "verdict_id": name,
        "subject": f"Promote v{row[3]}, or keep v{row[1]}?",
        "body": f"{better}\n\nAll blocking checks passed; in doubt:\n\n{told}\n\n[Verdict]({link})",
    }


def _tell_doubts(checks: Iterable[Check]) -> str:
    """Return the checks that a person has to decide about, a line each."""
    return "\n".join(f"- {check.sentence} [{check.code}]" for check in in_doubt(checks))


@recorded
def answer(run: Run, verdict_id: str, choice: Literal["promote", "keep"], who: str, reason: str = "") -> Reference:
    """Record the answer to a verdict that asked, of a person or after the time limit; the first answer counts.

    A yes is recorded in the same transaction as its promotion. If the promotion is refused, for example because
    promotions are frozen, no answer is recorded and the question stays open.
    """
    reason = reason.strip().rstrip(".")
    by_whom = f"{who}{f': {reason}' if reason else ''}."
    why = f"Promoted by {by_whom}"
    damage = _find_damage(run.settings, verdict_id) if choice == "promote" else ""
    with connect(run.settings) as warehouse, warehouse.transaction() as whole:
        if warehouse.execute(query("pipeline/verdict"), [verdict_id]).fetchone() is None:
            raise DaybreakError(
                f"There is no verdict {verdict_id}.", hint="find the newest with `bin/daybreak status`."
            )
        values = {"verdict_id": verdict_id, "answer": choice, "actor": who, "answered_at": now(), "reason": reason}
        if warehouse.execute(query("pipeline/keep_answer"), values).fetchone() is not None:
            keep_audit(warehouse, who, f"answer {choice}", {"verdict_id": verdict_id, "reason": reason})
        given, by = warehouse.execute(query("pipeline/answer"), [verdict_id]).fetchone() or (choice, who)
        if (given, by) != (choice, who):
            changed, sentence = False, f"Already answered “{given}” by {by}; the first answer counts."
        elif choice == "keep":
            changed, sentence = False, f"Kept by {by_whom}"
        else:
            changed, sentence = _append(warehouse, run, verdict_id, "ask", who, why, damage)
            if not changed:
                raise Rollback(whole)
    return _as_it_is(run, verdict_id, changed, sentence)


def _append(
    warehouse: Connection, run: Run, verdict_id: str, wanted: Decision, actor: str, why: str, damage: str
) -> tuple[bool, str]:
    """Promote the verdict's challenger if its saved checks lead to `wanted` and no hold forbids it; return whether the
    ledger has its row, and the reason.
    """
    holds.lock(warehouse)  # a freeze is set before this promotion or after it, never during it
    row = warehouse.execute(query("pipeline/verdict"), [verdict_id]).fetchone()
    champion = champions.find_champion(warehouse)
    if row is None or conclude_again(warehouse, verdict_id) != wanted:
        return False, f"The checks of verdict {verdict_id} do not lead to “{wanted}”, so the champion stays. {why}"
    version = row[3]
    if champion is not None and champion.verdict_id == verdict_id:
        return True, champion.why  # a retry after a crash finds its own row
    if changed := _find_change(warehouse, row):
        return False, f"Not promoted: {changed}"
    if forbidden := holds.forbid(holds.find_holds(warehouse, now()), version):
        return False, f"v{version} is not promoted. {forbidden}"
    if damage:
        return False, f"v{version} is not promoted because it can no longer be used: {damage}"
    live = batches.find_live(warehouse)
    if champion is None and live is not None and live[4]:
        why = f"{why} It replaces the baseline {live[4]}, which made the lists until now."
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
    return done, why if done else "Not promoted: another run changed the champion after this verdict."


def _find_damage(settings: Settings, verdict_id: str) -> str:
    """Return what broke in a challenger since it was judged; empty if the registry has it and its files are intact,
    or if it is already champion.
    """
    with connect(settings) as warehouse:
        row, champion = (
            warehouse.execute(query("pipeline/verdict"), [verdict_id]).fetchone(),
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
    """Return the decision that follows from the verdict's saved checks; "keep" if it differs from the saved one."""
    row = warehouse.execute(query("pipeline/verdict"), [verdict_id]).fetchone()
    if row is None:
        return "keep"
    decision, champion_version, kept, version = row[:4]
    found = _conclude_saved(kept, version, champion_version).decision
    return found if found == decision else "keep"


def tell_verdict(row: Mapping[str, Any]) -> str:
    """Return the sentence of a verdict from its row in `ops.verdicts`."""
    decision, is_binding = row["decision"], row["is_binding"]
    found = _conclude_saved(row["checks"], row["challenger_version"], row["champion_version"], is_binding=is_binding)
    return found.sentence if found.decision == decision else f"{decision.capitalize()}, by the checks of its release."


def _conclude_saved(
    kept: list[dict[str, Any]], version: int, champion_version: int | None, *, is_binding: bool = True
) -> Verdict:
    checks = [Check(**check) for check in kept]
    has_rival = champion_version is not None and not any(check.code == "RT118" for check in checks)
    return conclude(checks, has_rival=has_rival, challenger=version, champion=champion_version, is_binding=is_binding)
