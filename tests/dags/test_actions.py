"""The actions of the pages: who may do what, what a forged or repeated form does, and whether DAGs take the forms."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from include.operations.status_page import facts
from include.operations.status_page.actions import ACTIONS, read_form
from include.operations.status_page.facts import RunFacts
from tests.dags.test_status_pages import RUN
from tests.unit.operations.test_actions import FREEZE as FREEZE_IN_FORCE
from tests.unit.operations.test_actions import PIN, SITUATION, TYPED

SITE = {"origin": "http://testserver", "accept": "text/html"}
HTML = {"accept": "text/html"}
FREEZE = {"hours": "24", "reason": "elections <tonight>"}


class StandIn:
    """Airflow's API, which notes what it is asked, in whose name."""

    def __init__(self):
        self.app, self.runs, self.answers, self.refusal = FastAPI(), {}, {}, None
        self.question = {"body": "[Verdict](verdicts/v5-after-4.html)", "task_instance": {"dag_run_id": "asset+1"}}
        at = "/api/v2/dags"
        self.app.add_api_route(at + "/{dag_id}", lambda dag_id: {"is_paused": dag_id == "retrain"})
        self.app.add_api_route(at + "/{dag_id}/dagRuns", self.start, methods=["POST"])
        self.app.add_api_route(at + "/approve/dagRuns/~/hitlDetails", lambda: {"hitl_details": [self.question]})
        task = at + "/approve/dagRuns/{run_id}/taskInstances/wait_for_a_person/-1/hitlDetails"
        self.app.add_api_route(task, self.answer, methods=["PATCH"])
        self.app.add_api_route(task, self.answered, methods=["GET"])

    def start(self, dag_id: str, body: dict):
        if self.refusal:
            raise self.refusal
        if body["dag_run_id"] in self.runs:
            raise HTTPException(409, "There is such a run.")
        self.runs[body["dag_run_id"]] = (dag_id, body["conf"])

    def answer(self, run_id: str, body: dict):
        if run_id in self.answers:
            raise HTTPException(409, "It was answered.")
        self.answers[run_id] = (body["chosen_options"], body["params_input"])

    def answered(self, run_id: str):
        return {"chosen_options": self.answers[run_id][0], "responded_by_user": {"name": "bob"}}


@pytest.fixture
def airflow(monkeypatch, tmp_path):
    from airflow.models.dag import DagModel

    from daybreak_airflow.ui import actions
    from daybreak_airflow.ui.app import app

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    monkeypatch.setattr(DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(actions, "find_situation", lambda settings, moment: SITUATION)
    monkeypatch.setattr(
        facts, "find_run_facts", lambda *asked: RunFacts({**RUN, "run_id": f"{asked[2]}/{asked[3]}"}, {})
    )
    yield StandIn()
    app.dependency_overrides.clear()


def browser_of(role, airflow, name="ada"):
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    from daybreak_airflow.ui.app import app

    async def mounted(scope, receive, send):
        await app({**scope, "airflow": airflow.app}, receive, send)

    create_auth_manager()
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=name, role=role)
    return TestClient(mounted, follow_redirects=False)


def confirmation_in(page):
    return re.search(r'name="confirmation" value="([^"]+)"', page.text)[1]


def confirm(browser, name, typed):
    """The confirmation, sent back."""
    page = browser.post(f"/actions/{name}", data=typed, headers=SITE)
    assert page.status_code == 200, page.text
    return {"confirmation": confirmation_in(page), "step": "do"}


@pytest.mark.parametrize(("role", "code"), [("viewer", 403), ("user", 200), ("op", 200), ("admin", 200)])
@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_for_those_who_may_start_its_runs(airflow, role, code, name):
    browser = browser_of(role, airflow)
    found = browser.get(f"/actions/{name}", headers=HTML)
    assert found.status_code == code
    assert browser.post(f"/actions/{name}", data={"reason": "no"}, headers=SITE).status_code == (
        422 if code == 200 else 403
    )
    if code == 403:
        assert f"{ACTIONS[name].title}: your role in Airflow does not allow it." in found.text


def test_the_right_is_asked_of_the_dag_itself(airflow, monkeypatch):
    from airflow.api_fastapi.app import get_auth_manager

    browser = browser_of("admin", airflow)
    monkeypatch.setattr(
        get_auth_manager(), "is_authorized_dag", lambda details=None, **asked: bool(details and details.id == "hold")
    )
    assert browser.get("/actions/pin").status_code == 200
    assert browser.get("/actions/rollback").status_code == 403


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if action.to_form])
def test_a_confirmed_action_starts_one_run_however_often_it_is_sent(airflow, monkeypatch, name, dags):
    from daybreak_airflow.ui import actions

    held = replace(SITUATION, holds=[FREEZE_IN_FORCE] if name == "unfreeze" else [PIN] if name == "unpin" else [])
    monkeypatch.setattr(actions, "find_situation", lambda *asked: held)
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, name, {**TYPED[name], "reason": "it is time"})
    assert airflow.runs == {}
    first, second = (browser.post(f"/actions/{name}", data=confirmed, headers=SITE) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (303, second.headers["location"])
    ((run_id, (dag_id, form)),) = airflow.runs.items()
    assert dag_id == ACTIONS[name].dag_id
    dag = dags[dag_id]
    assert set(form) <= set(dag.params)
    for field, value in form.items():
        dag.params.get_param(field).resolve(value)
    shown = browser.get(first.headers["location"])
    assert f"/dags/{dag_id}/runs/{run_id.replace('+', '%2B').replace(':', '%3A')}" in shown.text


def test_a_question_is_answered_where_it_waits(airflow):
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, "answer", {**TYPED["answer"], "reason": "it reads well"})
    for _ in range(2):
        done = browser.post("/actions/answer", data=confirmed, headers=SITE)
        assert done.headers["location"].endswith("/actions/answer/asset%2B1")
    assert airflow.answers == {"asset+1": (["Promote"], {"reason": "it reads well"})}


def test_an_answer_that_came_too_late_is_not_told_as_done(airflow):
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, "answer", {**TYPED["answer"], "reason": "it reads well"})
    airflow.answers["asset+1"] = (["Keep"], {})
    told = browser.post("/actions/answer", data=confirmed, headers=SITE)
    assert told.status_code == 422
    assert "It was answered before, by bob: Keep." in told.text


def test_a_question_that_does_not_wait_in_airflow_is_told(airflow):
    airflow.question = {"body": "another"}
    page = browser_of("op", airflow).post("/actions/answer", data={**TYPED["answer"], "reason": "yes"}, headers=SITE)
    assert (page.status_code, "`bin/daybreak approve v5-after-4`" in page.text) == (422, True)


@pytest.mark.parametrize("origin", ["http://testserver:5000", "http://evil.example", "null", None])
def test_a_form_of_another_site_is_refused(airflow, origin):
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, "freeze", FREEZE)
    headers = {**HTML, **({"origin": origin} if origin else {})}
    found = browser.post("/actions/freeze", data=confirmed, headers=headers)
    assert (found.status_code, "The form came from another site." in found.text) == (403, True)
    assert airflow.runs == {}


def test_a_confirmation_is_for_one_person_and_one_action(airflow):
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, "freeze", FREEZE)
    forged = {**confirmed, "confirmation": confirmed["confirmation"][:-2]}
    assert browser.post("/actions/pin", data=confirmed, headers=SITE).status_code == 403
    assert browser.post("/actions/freeze", data=forged, headers=SITE).status_code == 403
    found = browser_of("op", airflow, "bob").post("/actions/freeze", data=confirmed, headers=SITE)
    assert (found.status_code, "was not made for you" in found.text) == (403, True)
    assert airflow.runs == {}


def test_an_old_confirmation_starts_nothing_and_is_asked_for_again(airflow, monkeypatch):
    from daybreak_airflow.ui import confirmation

    browser = browser_of("op", airflow)
    confirmed = confirm(browser, "freeze", FREEZE)
    monkeypatch.setattr(confirmation, "VALID_SECONDS", -1)
    found = browser.post("/actions/freeze", data=confirmed, headers=SITE)
    assert "open for more than 15 minutes" in found.text
    assert "elections &lt;tonight&gt;" in found.text
    assert airflow.runs == {}


def test_what_was_typed_stays_when_something_is_wrong_or_is_to_be_changed(airflow):
    browser = browser_of("op", airflow)
    wrong = browser.post("/actions/freeze", data={**FREEZE, "hours": "many"}, headers=SITE)
    assert wrong.status_code == 422
    for kept in ("&#39;many&#39; is not a number.", 'value="many"', ">elections &lt;tonight&gt;</textarea>"):
        assert kept in wrong.text
    back = browser.post("/actions/freeze", data={**confirm(browser, "freeze", FREEZE), "step": "change"}, headers=SITE)
    assert ">elections &lt;tonight&gt;</textarea>" in back.text
    assert "Nothing was started: see" not in back.text


def test_a_refusal_of_airflow_is_told_and_the_form_stays(airflow):
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, "freeze", FREEZE)
    airflow.refusal = HTTPException(400, "hours: 24 is too long.")
    found = browser.post("/actions/freeze", data=confirmed, headers=SITE)
    assert (found.status_code, "Airflow refused it: hours: 24 is too long." in found.text) == (422, True)
    assert "elections &lt;tonight&gt;" in found.text
    airflow.refusal = HTTPException(403, "Forbidden")
    assert browser.post("/actions/freeze", data=confirmed, headers=SITE).status_code == 403


def test_a_paused_dag_is_told_before_it_is_confirmed(airflow):
    page = browser_of("op", airflow).post("/actions/retrain", data={**TYPED["retrain"], "reason": "now"}, headers=SITE)
    assert "retrain is paused in Airflow" in page.text


def test_the_address_fills_in_the_form(airflow):
    page = browser_of("op", airflow).get("/actions/mute?incident=12").text
    assert '<option value="12" selected>#12 MLflow is away.</option>' in page
    assert 'value="8"' in page


def test_there_is_no_other_action(airflow):
    assert browser_of("admin", airflow).get("/actions/delete").status_code == 404


@pytest.mark.parametrize("name", ["acknowledge", "mute"])
def test_an_incident_is_looked_after_in_the_name_of_the_person(airflow, monkeypatch, name):
    from include.operations import silencing

    asked = []
    monkeypatch.setattr(silencing, name, lambda *told: asked.append(told[1:]))
    browser = browser_of("op", airflow)
    confirmed = confirm(browser, name, {**TYPED[name], "reason": "I look"})
    done = browser.post(f"/actions/{name}", data=confirmed, headers=SITE)
    assert done.headers["location"].endswith(f"/actions/{name}/12")
    assert [(one[0], one[1], one[-1]) for one in asked] == [(12, "ada", "I look")]
    assert "#12 [ticket] MLflow is away." in browser.get(done.headers["location"]).text


def test_the_values_of_every_form_travel_as_json():
    import json

    for name, action in ACTIONS.items():
        values, wrong = read_form(action, {**TYPED[name], "reason": "it is"}, SITUATION)
        assert wrong == {}
        assert json.loads(json.dumps(values)) == values
