"""The actions under /daybreak/actions: a form, a confirmation that says what will change, and what was started.

An action starts a run of its DAG, or answers the question of `approve`, in the person's name. An incident is not a
matter of a DAG; it is looked after by whoever may start `monitor`, which mails about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from daybreak_airflow.connections import connected_settings
from daybreak_airflow.tasks.decisions import KEEP, PROMOTE
from daybreak_airflow.ui.access import Allowed, SeesReaders, places_of
from daybreak_airflow.ui.answering import answer
from daybreak_airflow.ui.confirmation import Confirmation, new_run_id, read_confirmation, refuse_other_sites
from daybreak_airflow.ui.inside import Airflow
from include.core.clock import now
from include.core.errors import DaybreakError
from include.operations import silencing
from include.operations.status_page import facts
from include.operations.status_page.actions import Action, Situation, find_situation, mute_end, read_form
from include.operations.status_page.details import build_started_page
from include.operations.status_page.parts import Page

router = APIRouter(prefix="/actions")


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent."""
    return {name: str(value) for name, value in (await request.form()).items()}


Form = Annotated[dict[str, str], Depends(form_of)]


@router.get("/{name}", response_class=HTMLResponse)
def show_form(request: Request, action: Allowed, may_see_readers: SeesReaders) -> Response:
    """Return the form of an action; the address may name values of its fields."""
    typed = {field.name: field.first for field in action.fields} | dict(request.query_params)
    return _show_form(request, action, find_situation(connected_settings(), now()), typed, {}, may_see_readers)


@router.post("/{name}", response_class=HTMLResponse, dependencies=[Depends(refuse_other_sites)])
def take_form(
    request: Request, action: Allowed, user: GetUserDep, form: Form, may_see_readers: SeesReaders
) -> Response:
    """Return the confirmation of a form that was filled in, or do what was confirmed."""
    settings, moment = connected_settings(), now()
    confirmed, in_time = None, True
    if "confirmation" in form:
        confirmed, in_time = read_confirmation(form["confirmation"], user, action.name)
    typed = confirmed.typed if confirmed else {field.name: form.get(field.name, "") for field in action.fields}
    wrong: dict[str, str] = {}
    try:
        if confirmed and in_time and form.get("step") == "do":
            _do(request, action, confirmed, user.get_name())
            return RedirectResponse(places_of(request).started(action.name, confirmed.run_id), 303)
        situation = find_situation(settings, moment)
        values, wrong = read_form(action, typed, situation)
        if not wrong and form.get("step") != "change":
            page = Page(action.title, action.foretell(values, situation), "ask")
            run_id = _choose_run(request, action, values, moment)
            asked = Confirmation(str(user.get_id()), action.name, typed, values, moment.isoformat(), run_id)
            return _show_confirmation(request, action, situation, asked, page, in_time, may_see_readers)
    except DaybreakError as error:
        wrong = {"": str(error)}
    if form.get("step") == "change":
        wrong = {}
    return _show_form(request, action, find_situation(settings, moment), typed, wrong, may_see_readers)


@router.get("/{name}/{started}", response_class=HTMLResponse)
def show_started(request: Request, action: Allowed, started: str, may_see_readers: SeesReaders) -> Response:
    """Return what was started: a run, or what became of an incident."""
    settings, moment, places = connected_settings(), now(), places_of(request)
    code = 200
    if not action.is_about_incidents:
        try:
            run = facts.find_run_facts(settings, moment, action.dag_id, started).run
            page = build_started_page(action.title, run, places, "answered" if action.name == "answer" else "started")
        except DaybreakError as error:
            page, code = Page(action.title, str(error), "ask"), 404
    else:
        told = [
            one.tell(moment) for one in find_situation(settings, moment).incidents if str(one.incident_id) == started
        ]
        page = Page(action.title, told[0] if told else "The incident is closed.", "good", places.page("", "Status"))
    return answer(request, "details", page, may_see_readers, here="actions", code=code)


def _choose_run(request: Request, action: Action, values: Mapping[str, Any], moment: datetime) -> str:
    """Return the run that will do it: a new one, or the one that waits for the answer; else the incident's number."""
    if action.to_form:
        return new_run_id(moment)
    if action.name != "answer":
        return str(values["incident"])
    run_id = Airflow(request).find_question(values["verdict"])
    if run_id is None:
        raise DaybreakError(
            "The question does not wait in Airflow.", hint=f"answer it with `bin/daybreak approve {values['verdict']}`."
        )
    return run_id


def _do(request: Request, action: Action, confirmed: Confirmation, who: str) -> None:
    """Do what was confirmed; once, however often it is sent."""
    values, settings, moment = confirmed.values, connected_settings(), confirmed.moment
    if action.to_form:
        Airflow(request).start(action.dag_id, confirmed.run_id, action.to_form(values))
    elif action.name == "answer":
        option = PROMOTE if values["choice"] == "promote" else KEEP
        Airflow(request).answer(confirmed.run_id, option, {"reason": values["reason"]})
    elif action.name == "acknowledge":
        silencing.acknowledge(settings, int(values["incident"]), who, moment, values["reason"])
    else:
        until = mute_end(values, moment)
        silencing.mute(settings, int(values["incident"]), who, moment, until, values["reason"])


def _show_form(
    request: Request,
    action: Action,
    situation: Situation,
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    may_see_readers: bool,
) -> Response:
    fields = [
        {
            "field": field,
            "typed": typed.get(field.name, ""),
            "wrong": wrong.get(field.name, ""),
            "choices": field.choices(situation),
        }
        for field in action.fields
    ]
    lead = wrong.get("") or ("Nothing was started: see what is marked below." if wrong else "")
    page = Page(action.title, lead, "bad" if wrong else "")
    code = 422 if wrong else 200
    return answer(request, "action", page, may_see_readers, here="actions", code=code, action=action, fields=fields)


def _show_confirmation(
    request: Request,
    action: Action,
    situation: Situation,
    asked: Confirmation,
    page: Page,
    in_time: bool,
    may_see_readers: bool,
) -> Response:
    told = [
        (field.label, dict(field.choices(situation)).get(typed, typed) if field.kind == "choice" else typed or "no")
        for field in action.fields
        for typed in [asked.typed[field.name].strip()]
    ]
    warnings = [] if in_time else ["The page was open for more than 15 minutes, so nothing was started yet."]
    if action.to_form and Airflow(request).is_paused(action.dag_id):
        warnings.append(f"{action.dag_id} is paused in Airflow: the run waits until it is unpaused.")
    more = {"action": action, "told": told, "warnings": warnings, "confirmation": asked.sign()}
    return answer(request, "confirm", page, may_see_readers, here="actions", **more)
