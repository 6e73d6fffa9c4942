"""Roll back to the last intact champion and its lists, in one action.

The files are loaded and checked and a batch of the version is prepared first. Then ledger, live lists and audit change
in one transaction, so a kill at any moment leaves either the old state or the new one. MLflow's aliases follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from include.adapters.warehouse import Connection, connect, query
from include.alerts.outbox import keep_alert, raise_alert
from include.alerts.wording import Alert
from include.core.clock import now
from include.core.errors import ArtifactDamaged, DaybreakError, FormRefused
from include.core.references import Reference
from include.core.run import Run
from include.core.settings import Settings
from include.data.store import digest_of
from include.judging import champion as champions
from include.judging import holds
from include.judging.champion import Champion
from include.judging.holds import Hold
from include.lists import batch as batches
from include.lists.scoring import newest_features
from include.models import registry
from include.monitoring.fall import find_fall, find_reign
from include.pipeline.publishing import score_and_audit
from include.pipeline.run import keep_audit, recorded


@dataclass(frozen=True)
class Target:
    """A version to go back to, loaded and checked, and an audited batch of its lists, if there is one."""

    version: int
    snapshot_id: str
    batch_id: str | None
    passed_over: tuple[str, ...]


@recorded
def roll_back(run: Run, to: int | None, reason: str) -> Reference:
    """Make the previous champion (or `to`) champion again and its lists live; a second run changes nothing."""
    return _go_back(run, to, reason)


def _go_back(run: Run, to: int | None, reason: str, *, is_automatic: bool = False) -> Reference:
    """Do as `roll_back`; an automatic rollback also freezes promotions and opens a ticket."""
    settings = run.settings
    with connect(settings) as warehouse:
        champion = champions.need_champion(warehouse)
        held = holds.find_holds(warehouse, now())
    if _is_done(run, champion):  # a retry of what was done already
        return _reference(run, champion)
    if to == champion.version:
        raise FormRefused(f"v{to} is already champion.", hint="see since when with `bin/daybreak status`.")
    _forbid(held, to)
    target = _find_target(run, champion, to)
    passed = f" Passed over: {' '.join(target.passed_over)}" if target.passed_over else ""
    why = f"Rolled back from v{champion.version} to v{target.version}: {reason.rstrip('.')}.{passed}"
    with connect(settings) as warehouse:
        batches.lock(warehouse)
        holds.lock(warehouse)
        _forbid(holds.find_holds(warehouse, now()), target.version)
        if not champions.append(
            warehouse,
            after_seq=champion.seq,
            version=target.version,
            from_version=champion.version,
            why=why,
            actor=run.actor,
            run_id=run.run_id,
            snapshot_id=target.snapshot_id,
            action="rollback",
        ):
            raise DaybreakError(
                f"Another run changed the champion while v{target.version} was checked; nothing was rolled back.",
                hint="check with `bin/daybreak status`, then decide again.",
            )
        if target.batch_id:
            batches.restore(warehouse, target.batch_id, settings.stale_after_minutes)
        detail = {"from": champion.version, "to": target.version, "batch_id": target.batch_id, "why": why}
        keep_audit(warehouse, run.actor, "rollback", detail)
        if is_automatic:
            _freeze(warehouse, run.actor, settings.rollback_cooldown_hours)
            keep_alert(settings, warehouse, _alert(settings, champion, why))
        done = champions.need_champion(warehouse)
    return _reference(run, done, target.batch_id)


def _is_done(run: Run, champion: Champion) -> bool:
    return champion.action == "rollback" and champion.run_id == run.run_id


def _forbid(held: Sequence[Hold], to: int | None) -> None:
    """Raise an error if another version than `to` is pinned; a freeze does not forbid a rollback."""
    pins = [hold for hold in held if hold.kind == "pin" and hold.version != to]
    if pins:
        raise DaybreakError(pins[0].tell(), hint="run `bin/daybreak unpin` first.")


def _alert(settings: Settings, champion: Champion, sentence: str) -> Alert:
    link = f"Runbook: {settings.runbook_link('rolled-back')}"
    subject = f"[ticket] v{champion.version} does worse with readers than its predecessor"
    return Alert(f"guard/{champion.seq}", "ticket", subject, f"What happened\n{sentence}\n\nLinks\n{link}\n")


def _reference(run: Run, champion: Champion, batch_id: str | None = None) -> Reference:
    sentence = f"{champion.why} {champions.follow(run.settings)}".strip()
    facts = {"version": champion.version, "changed": True, "sentence": sentence, "batch_id": batch_id}
    return Reference("champion", str(champion.version), "", run.as_of, digest_of(champion.seq), (), facts)


def _find_target(run: Run, champion: Champion, to: int | None) -> Target:
    """Return the first version that can be loaded, with a batch of its lists; deleted lists are made again."""
    with connect(run.settings) as warehouse:
        candidates = [to] if to else champions.find_fallbacks(warehouse)
        if to and not champions.was_champion(warehouse, to):
            known = ", ".join(f"v{version}" for version in champions.find_fallbacks(warehouse)) or "none"
            raise FormRefused(
                f"v{to} was never champion, so a rollback to it is not possible.",
                hint=f"choose one of the former champions: {known}.",
            )
    passed_over = []
    for version in candidates:
        try:
            with connect(run.settings) as warehouse:
                registered = registry.find_model(warehouse, version)
            registry.load_version(run.settings, registered)  # checks every byte before anything changes
        except ArtifactDamaged as error:
            if to:
                raise FormRefused(error.fact, hint=error.hint) from error
            passed_over.append(f"v{version}: {error.fact}")
            continue
        with connect(run.settings) as warehouse:
            found = batches.newest_of_version(warehouse, version)
        features = None if found else newest_features(run.settings)
        if features is not None:
            found = score_and_audit(run, features, registered)
        return Target(version, registered.snapshot_id, found, tuple(passed_over))
    raise DaybreakError(
        f"There is no intact version to go back to from v{champion.version}. {' '.join(passed_over)}".strip(),
        hint="`bin/daybreak champions` lists the reigns: name one with `--to`, or train again.",
    )


@recorded
def guard(run: Run) -> Reference:
    """Roll back a champion on whose lists readers spend clearly less time than on its predecessor's."""
    settings = run.settings
    with connect(settings) as warehouse:
        champion = champions.need_champion(warehouse)
        rows = find_reign(settings, warehouse, champion, run.as_of)
        last = (warehouse.execute(query("pipeline/last_rollback")).fetchone() or (None,))[0]
        held = holds.find_holds(warehouse, now())
    why = find_fall(settings, champion, rows)
    sentence, changed, version = (
        why or "The champion stays: there is no clear fall in reading time.",
        False,
        champion.version,
    )
    if _is_done(run, champion):  # a retry of what was done already
        sentence, changed = champion.why, True
    elif why:
        cool = last is not None and run.as_of - last < timedelta(hours=settings.rollback_cooldown_hours)
        if cool or held:
            sentence = f"{why} Not rolled back: " + (
                held[0].tell() if held else f"the last rollback was at {last:%Y-%m-%d %H:%M} UTC."
            )
            raise_alert(settings, _alert(settings, champion, sentence))
        else:
            done = _go_back(run, None, why, is_automatic=True)
            sentence, changed, version = (done.facts or {})["sentence"], True, int(done.id)
    facts = {"sentence": sentence, "changed": changed, "version": version}
    return Reference("guard", f"{champion.seq}", "", run.as_of, digest_of(facts), (), facts)


def _freeze(warehouse: Connection, actor: str, hours: int) -> None:
    """Freeze promotions for a while, so that the next training does not bring the same model back."""
    moment = now()
    holds.set_hold(
        warehouse,
        "freeze",
        reason="automatic rollback; review the last promotion before the next one",
        actor=actor,
        moment=moment,
        until=moment + timedelta(hours=hours),
    )
