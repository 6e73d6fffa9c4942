"""Tasks around the choice of champion: ask a person, apply the answer, roll back, make a shadow batch.

As in `stages.py`, tasks decide what concerns Airflow; `include/` decides the rest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from daybreak_airflow import runs
from daybreak_airflow.assets import MODEL, PUBLISHED_LISTS, QUESTION, TAKEDOWN
from daybreak_airflow.forms import REASON
from daybreak_airflow.passing import Passed, add_to_events, log, received, skip, skipping_in_first_days
from daybreak_airflow.ui.links import ListsReportLink, shows
from include.operations.launcher.pools import HEAVY

PROMOTE, KEEP = "Promote", "Keep"
NO_ANSWER = "timeout"


@task(inlets=[MODEL])
def ask(verdict: Passed) -> str:
    """Ask on-call, by a mail and by an event that starts `approve`; skipped when the verdict is clear."""
    from daybreak_airflow.oncall import channels
    from include import pipeline
    from include.alerts.outbox import deliver_pending

    context, facts = get_current_context(), verdict["facts"]
    following = runs.next_step(context, facts["decision"])
    if following.step != "ask":
        raise skip(f"No decision by a person is needed. {following.reason or 'The verdict is clear.'}")
    run = runs.current_run()
    asked = pipeline.ask(run, received(verdict))
    if idle := (asked.facts or {}).get("not_asked"):
        raise skip(idle)
    deliver_pending(run.settings, channels(run.settings))
    add_to_events(verdict_id=verdict["id"], reason=facts["sentence"])
    return str(verdict["id"])


@task
def prepare_question() -> dict[str, str]:
    """Return the verdict that the newest event asks about, and the text of the question."""
    from include import pipeline

    told = [extra["verdict_id"] for extra in runs.event_extras(get_current_context()) if extra.get("verdict_id")]
    question = pipeline.find_question(runs.current_run().settings, told[-1] if told else None)
    if question is None:
        raise skip("There is nothing to decide: every question was answered, or the champion changed since.")
    return question


def wait_for_a_person() -> Any:
    """Return the task that waits in the UI without holding a worker; without an answer, the champion stays."""
    from airflow.providers.standard.operators.hitl import HITLOperator

    return HITLOperator(
        task_id="wait_for_a_person",
        subject="{{ ti.xcom_pull(task_ids='prepare_question')['subject'] }}",
        body="{{ ti.xcom_pull(task_ids='prepare_question')['body'] }}",
        options=[PROMOTE, KEEP],
        defaults=[KEEP],
        params={"reason": REASON},
        response_timeout=patience(),
    )


def patience() -> timedelta:
    """Return how long a question may wait for its answer."""
    from include.core.settings import load_settings

    return timedelta(hours=load_settings().ask_hours)


@task(inlets=[QUESTION])
def apply_answer(question: dict[str, str], answer: dict[str, Any]) -> Passed:
    """Apply the answer; skipped when the champion stays."""
    from include import pipeline

    choice = "promote" if answer["chosen_options"] == [PROMOTE] else "keep"
    who = (answer.get("responded_by_user") or {}).get("name") or NO_ANSWER
    why = str((answer.get("params_input") or {}).get("reason") or "")
    champion = pipeline.answer(runs.current_run(), question["verdict_id"], choice, who, why)
    return announce_champion(champion)


@task(inlets=[MODEL])
def roll_back() -> Passed:
    """Go back to the previous champion or to the version in the form, lists included."""
    from include import pipeline

    params = get_current_context()["params"]
    return announce_champion(pipeline.roll_back(runs.current_run(), params.get("to"), params["why"]))


@task
def hold() -> str:
    """Freeze promotions, pin the champion, or lift either, in the name of the person who started the run."""
    from include import pipeline

    form = get_current_context()["params"]
    with skipping_in_first_days():
        held = pipeline.hold(runs.current_run(), form["action"], form["hours"], form["why"])
    said = str((held.facts or {})["sentence"])
    log.info("%s", said)
    return said


@task(inlets=[PUBLISHED_LISTS], outlets=[TAKEDOWN])
def take_down() -> str:
    """Take an article down or lift its takedown; skipped if nothing changed, so that no lists are made for it."""
    from include import pipeline

    form = get_current_context()["params"]
    done = pipeline.take_down(runs.current_run(), form["article_id"], form["why"], form["lift"])
    facts = done.facts or {}
    if not facts["changed"]:
        raise skip(facts["sentence"])
    add_to_events(reason=facts["sentence"])
    log.info("%s", facts["sentence"])
    return str(facts["sentence"])


@task(inlets=[PUBLISHED_LISTS])
def guard(health: Passed) -> Passed:
    """Go back to the previous champion when readers spend clearly less time with this one; skipped otherwise."""
    from include import pipeline

    if runs.is_backfill(get_current_context()):
        raise skip("Backfill: a past window does not change today's champion.")
    with skipping_in_first_days():
        return announce_champion(pipeline.guard(runs.current_run()))


@shows(ListsReportLink())
@task(pool=HEAVY, inlets=[MODEL])
def shadow(verdict: Passed) -> Passed:
    """Write the challenger's lists to a batch that never goes live; skipped unless in a dry run."""
    from include import pipeline

    if runs.next_step(get_current_context(), verdict["facts"]["decision"]).step != "shadow":
        raise skip("Not a dry run: no shadow batch is made.")
    made = pipeline.shadow(runs.current_run(), verdict["facts"]["challenger_version"])
    log.info("%s", (made.facts or {})["sentence"])
    return made.to_dict()


def announce_champion(champion: Any) -> Passed:
    """Return the reference and emit an event if the champion changed; skip with the reason if not."""
    facts = champion.facts or {}
    if not facts["changed"]:
        raise skip(facts["sentence"])
    log.info("%s", facts["sentence"])
    add_to_events(version=facts["version"], reason=facts["sentence"])
    return dict(champion.to_dict())
