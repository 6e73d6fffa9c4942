"""Read a run's moment, form, reason and trigger from Airflow's context.

A run's dates depend on how it started: a manual run may have no logical date and an event's run never has one, and then
the keys are absent from the context, not None. So everything is read from `dag_run`, where they always exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context

from daybreak_airflow.assets import LANDED

if TYPE_CHECKING:
    from include.core.run import Run
    from include.pipeline.decide import Decision, NextStep


def current_run(context: Mapping[str, Any] | None = None) -> Run:
    """Return the run that the pipeline's stages work for."""
    from daybreak_airflow.connections import connected_settings
    from include.core.run import Run

    context = context or get_current_context()
    dag_run = context["dag_run"]
    return Run(
        settings=connected_settings(),
        run_id=f"{dag_run.dag_id}/{dag_run.run_id}",
        as_of=as_of(context),
        actor=actor(context),
        reason=reason(context),
        mode=mode(context),
        kind=kind(context),
        form={name: value for name, value in (dag_run.conf or {}).items() if value not in (None, "")},
        may_go_live=may_go_live(context),
    )


def refuse_form(context: Mapping[str, Any]) -> None:
    """Raise `FormRefused` when the form has a field that the DAG does not know, or values that it cannot take.

    Airflow checks the type of every known field when a run or a backfill is made, but takes unknown ones along: a
    `dry_run` for a DAG that has none would promote for real.
    """
    from include.core.errors import FormRefused
    from include.pipeline.decide import refuse_unconfirmed

    dag_run, known = context["dag_run"], sorted(context["dag"].params)
    unknown = sorted(set(dag_run.conf or ()) - set(known))
    if unknown:
        raise FormRefused(
            f"The form of {dag_run.dag_id} has no field {', '.join(unknown)}.",
            hint=f"trigger it again with {', '.join(known)} only." if known else "trigger it again with an empty form.",
        )
    asked_moment(context)
    if is_backfill(context) and "mode" in known:
        form = dag_run.conf or {}
        refuse_unconfirmed(form.get("mode"), form.get("confirm"))


def as_of(context: Mapping[str, Any]) -> datetime:
    """Return the run's moment: the form's, else the data interval's end, else its event's, else its own.

    A moment in the future is refused: lists made "as of tomorrow" would keep all of today's from going live.
    """
    from include.core.clock import now, parse_moment, refuse_future

    if asked := asked_moment(context):
        return asked
    told = [extra["as_of"] for extra in event_extras(context) if extra.get("as_of")]
    moment = max(told, key=parse_moment, default=context["dag_run"].run_after.isoformat())
    return refuse_future(parse_moment(moment), now())


def asked_moment(context: Mapping[str, Any]) -> datetime | None:
    """Return the moment of the form, else the end of the run's interval, else None.

    It is compared with the start of the run, so that every task and every callback of the run comes to the same answer.
    """
    from include.core.clock import now, parse_moment, refuse_future
    from include.core.errors import DaybreakError, FormRefused

    dag_run = context["dag_run"]
    asked = form_as_of(context) or (dag_run.data_interval_end.isoformat() if dag_run.data_interval_end else None)
    if asked is None:
        return None
    try:
        return refuse_future(parse_moment(asked), dag_run.start_date or now())
    except DaybreakError as error:
        raise FormRefused(error.fact, hint=error.hint) from error


def form_as_of(context: Mapping[str, Any]) -> str | None:
    """Return the moment in the form; None without one. A backfill takes its days from its range and refuses one."""
    from include.core.errors import FormRefused

    asked = (context.get("params") or {}).get("as_of")
    if asked and is_backfill(context):
        raise FormRefused(
            f"The form of the backfill sets as_of to {asked}, so all of its runs would work as of the same moment.",
            hint="leave as_of empty; each run takes the end of its own interval.",
        )
    return asked or None


def is_backfill(context: Mapping[str, Any]) -> bool:
    """Return whether the run repeats a past interval; it also holds for a scheduled run that a backfill cleared."""
    return run_type(context) == "backfill"


def may_go_live(context: Mapping[str, Any]) -> bool:
    """Return whether the run may promote and publish: no replay, and a backfill only if its form confirms it."""
    from include.pipeline.decide import CONFIRMED

    if kind(context) == "replay":
        return False
    return not is_backfill(context) or (context.get("params") or {}).get("confirm") == CONFIRMED


def kind(context: Mapping[str, Any]) -> str:
    """Return how the run was started: scheduled, event, manual, backfill, or replay for rows out of quarantine."""
    if context["dag_run"].dag_id == "replay_quarantine":
        return "replay"
    return "event" if run_type(context).startswith("asset") else run_type(context)


def mode(context: Mapping[str, Any]) -> str:
    """Return how far the run goes: by its form, else by the setting; a backfill promotes nothing by itself.

    Of a backfill that trains once, all days but the last end with their features. An event may ask for a dry run, as in
    a rehearsal, and for nothing else.
    """
    from daybreak_airflow.connections import connected_settings
    from include.core.settings import load_settings
    from include.operations.backfills import is_last_day
    from include.pipeline.decide import OF_BACKFILL, mode_before_last

    params, dag_run = context.get("params") or {}, context["dag_run"]
    if not is_backfill(context) or "mode" not in context["dag"].params:
        is_dry = any(extra.get("mode") == "dry_run" for extra in event_extras(context))
        return params.get("mode") or ("dry_run" if is_dry else load_settings().gate_mode)
    asked = params.get("mode") or OF_BACKFILL
    if params.get("train_once") and not is_last_day(connected_settings(), dag_run.dag_id, dag_run.run_id):
        return mode_before_last(asked)
    return str(asked)


def next_step(context: Mapping[str, Any], decision: Decision) -> NextStep:
    """Return the step that follows a verdict in this run."""
    from include.pipeline.decide import decide

    return decide(mode(context), decision, is_backfill=not may_go_live(context))


def reason(context: Mapping[str, Any]) -> str:
    """Return the reason for the run in words: the form's, else the event's, else how it was started."""
    written = (context.get("params") or {}).get("reason")
    told = [extra["reason"] for extra in event_extras(context) if extra.get("reason")]
    return written or "; ".join(told) or f"{run_type(context).replace('_', ' ')} run"


def actor(context: Mapping[str, Any]) -> str:
    """Return who started the run: the user who triggered it, else `event`, else `schedule`."""
    user = context["dag_run"].triggering_user_name
    return user or ("event" if kind(context) == "event" else "schedule")


def run_type(context: Mapping[str, Any]) -> str:
    """Return how the run was started, as Airflow spells it: scheduled, manual, backfill, asset_triggered."""
    kind = context["dag_run"].run_type
    return str(getattr(kind, "value", kind))


def event_extras(context: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the extras of the asset events that started the run; of a trigger's event, what the trigger said."""
    for event in context["dag_run"].consumed_asset_events or ():
        extra = event.extra or {}
        yield extra.get("payload") or extra


def is_landing(context: Mapping[str, Any]) -> bool:
    """Return whether the run started because data have landed, and for no other reason."""
    events = context["dag_run"].consumed_asset_events or ()
    return bool(events) and all(event.asset.name == LANDED.name for event in events)
