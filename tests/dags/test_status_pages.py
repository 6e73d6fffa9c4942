"""The status pages: for people who signed in, readers' lists only for those who may start runs, and nothing foreign."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from include.core.errors import DaybreakError, ServiceError
from include.operations.status_page import facts
from include.operations.status_page.facts import ArticleFacts, Facts, ReaderFacts, RunFacts

NOW = datetime(2026, 11, 30, 16, 44, tzinfo=UTC)
LIVE = {
    "batch_id": "b1",
    "generated_at": NOW,
    "model_version": 1,
    "baseline": None,
    "list_length": 10,
    "readers": 2999,
    "readers_with_ten": 2999,
    "is_stale": False,
}
ARTICLE = {"article_id": 5, "title": "<b>War</b>", "category": "news", "publisher": "Post", "name": None}
STATUS = {
    **{
        "champion": None,
        "lists": LIVE,
        "verdict": None,
        "other_verdicts": [],
        "holds": [],
        "held": [],
        "takedowns": [],
        "questions": [],
        "gaps": [],
        "incidents": [],
    },
    **{"quarantined": [], "running": [], "failing": [], "next": [], "reports": {}, "late_rows": None},
}
RUN = {
    **{"run_id": "retrain/r+1", "name": "retrain", "how": "scheduled run", "as_of": NOW, "reason": ""},
    **{"started_at": NOW, "ended_at": None, "state": "running", "outcome": "train has just begun.", "stages": []},
}
PAGES = ["", "champions", "articles", "articles/5", "runs/retrain/r%2B1", "reports/", "static/style.css"]
PERSONAL = ["readers", "readers/7"]


@pytest.fixture(autouse=True)
def found(monkeypatch, tmp_path):
    """The facts, without a database."""
    from airflow.models.dag import DagModel

    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    monkeypatch.setattr(DagModel, "get_team_name", lambda dag_id: None)
    sizes = {"warehouse": 1, "files": 1, "free": 1}
    answers = {
        "find_facts": Facts(NOW, STATUS, state=sizes),
        "find_champions": ([], []),
        "find_reader": ReaderFacts("7", [{**ARTICLE, "rank": 1, "reason": "New"}], LIVE, None, [], []),
        "find_article": ArticleFacts(ARTICLE, LIVE, [{"rank": 1, "reason": "New", "readers": 3}]),
        "find_run_facts": RunFacts(RUN, {}),
        "find_reports": [],
    }
    for name, answer in answers.items():
        monkeypatch.setattr(facts, name, lambda *asked, answer=answer: answer)


def browser_of(role):
    """A browser of somebody who signed in with this role, below a path of the server's own."""
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    from daybreak_airflow.ui.app import app

    create_auth_manager()
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="ada", role=role)
    return TestClient(app, root_path="/airflow/daybreak", follow_redirects=False)


@pytest.fixture(autouse=True)
def everybody_leaves():
    from daybreak_airflow.ui.app import app

    yield
    app.dependency_overrides.clear()


def test_every_page_asks_airflow_who_is_there():
    from airflow.api_fastapi.core_api.security import get_user

    from daybreak_airflow.ui.app import app

    asks = {
        route.path: any(
            asked.call is get_user for access in route.dependant.dependencies for asked in access.dependencies
        )
        for route in app.routes
    }
    assert len(asks) == 15
    assert all(asks.values())


@pytest.mark.parametrize("path", [*PAGES, *PERSONAL])
def test_a_stranger_and_somebody_without_a_role_see_nothing(path):
    from daybreak_airflow.ui.app import app

    assert TestClient(app, root_path="/daybreak").get(f"/{path}").status_code == 401
    assert browser_of(None).get(f"/{path}").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_sees_every_page_on_the_product(path):
    answer = browser_of("viewer").get(f"/{path}")
    assert answer.status_code == 200
    assert "readers" not in set(re.findall(r'href="/airflow/daybreak/([^"]*)"', answer.text))


@pytest.mark.parametrize(("page", "asked"), [("readers", "find_reader"), ("articles", "find_article")])
def test_an_id_with_a_slash_is_looked_up_as_it_is(monkeypatch, page, asked):
    names = []

    def find(settings, name):
        names.append(name)
        raise DaybreakError(f"There is no {name}.", hint="give another.")

    monkeypatch.setattr(facts, asked, find)
    browser = browser_of("op")
    address = browser.get(f"/{page}?id=news/7").headers["location"].removeprefix("/airflow/daybreak")
    assert browser.get(address).status_code == 404
    assert names == ["news/7"]


def test_a_service_that_does_not_answer_is_named(monkeypatch):
    def fail(settings):
        raise ServiceError("PostgreSQL does not answer.", hint="start it.")

    monkeypatch.setattr(facts, "find_champions", fail)
    answer = browser_of("viewer").get("/champions", headers={"accept": "text/html"})
    assert (answer.status_code, "No. PostgreSQL does not answer. Hint: start it." in answer.text) == (503, True)


@pytest.mark.parametrize("path", PERSONAL)
@pytest.mark.parametrize(("role", "code"), [("viewer", 403), ("user", 200), ("op", 200), ("admin", 200)])
def test_a_readers_list_is_for_those_who_may_start_runs(path, role, code):
    assert browser_of(role).get(f"/{path}").status_code == code


def test_who_may_open_readers_is_shown_the_way():
    assert 'href="/airflow/daybreak/readers"' in browser_of("op").get("/").text


def test_an_id_that_was_asked_for_leads_to_its_page():
    answer = browser_of("op").get("/readers", params={"id": "a/b c"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/airflow/daybreak/readers/a%2Fb%20c")
    assert browser_of("viewer").get("/articles", params={"id": "5"}).headers["location"].endswith("/articles/5")


def test_an_unknown_id_is_told_kindly_and_asked_for_again(monkeypatch):

    def refuse(*asked):
        raise DaybreakError("There is no reader '<i>'.", hint="give a number.")

    monkeypatch.setattr(facts, "find_reader", refuse)
    answer = browser_of("op").get("/readers/<i>")
    assert answer.status_code == 404
    assert "There is no reader &#39;&lt;i&gt;&#39;. Hint: give a number." in answer.text
    assert 'value="&lt;i&gt;"' in answer.text


def test_text_of_publishers_is_escaped_and_nothing_foreign_is_loaded():
    answer = browser_of("op").get("/readers/7")
    assert "&lt;b&gt;War&lt;/b&gt;" in answer.text
    assert "<b>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert re.findall(r'(?:src|href|action)="(?!/airflow/|#)[^"]*"', answer.text) == []
    assert "style=" not in answer.text


def test_links_lead_to_airflow_below_its_own_path():
    page = browser_of("viewer").get("/runs/retrain/r%2B1").text
    assert '<a href="/airflow/dags/retrain/runs/r%2B1" target="_top">The run in Airflow</a>' in page


def test_two_versions_are_compared_by_their_names(monkeypatch):
    from include.operations.status_page import comparison

    asked = []

    def find(settings, a, b):
        asked.append((a, b))
        raise DaybreakError("There is no version v9.", hint="the page Champions lists them all.")

    monkeypatch.setattr(comparison, "find_comparison", find)
    found = browser_of("viewer").get("/champions/compare?a=v9&b=3")
    assert (found.status_code, asked, "There is no version v9." in found.text) == (404, [(3, 9)], True)
    assert "&#39;&lt;b&gt;&#39; is not a version." in browser_of("viewer").get("/champions/compare?a=<b>&b=3").text


def test_nothing_else_is_served_beside_the_pages():
    assert browser_of("admin").get("/static/render.py").status_code == 404
    assert browser_of("admin").get("/static/..%2frender.py").status_code == 404


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("readers/7", 403, "You may not see this page."),
        ("reports/verdicts/gone.html", 404, "There is no such page."),
        ("nowhere", 404, "There is no such page."),
    ],
)
def test_a_browser_is_told_in_words_what_it_cannot_have_and_a_program_briefly(path, code, told):
    browser = browser_of("viewer")
    answer = browser.get(f"/{path}", headers={"accept": "text/html,*/*"})
    assert answer.status_code == code
    assert told in answer.text
    assert 'aria-current="page"' not in answer.text
    assert "detail" in browser.get(f"/{path}").json()


def test_a_viewer_sees_no_buttons_and_an_operator_does():
    assert "/daybreak/actions/" not in browser_of("viewer").get("/").text
    assert 'class="button" href="/airflow/daybreak/actions/recommend"' in browser_of("op").get("/").text
