"""The report pages: for people who signed in, and nothing but reports."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_HOME", str(tmp_path))
    (tmp_path / "daybreak.env").write_text("DAYBREAK_RUN_PASSWORD=secret-word\n")
    folder = tmp_path / "reports"
    (folder / "validation" / "s1").mkdir(parents=True)
    (folder / "validation" / "s1" / "index.html").write_text("<h1>Data Docs</h1>")
    (folder / "validation" / "s1" / "page.html").write_text("a page of it")
    (folder / "verdicts").mkdir()
    (folder / "verdicts" / "<b>v1.html").write_text("<h1>Verdict</h1>")
    return folder


@pytest.fixture(autouse=True)
def runs(monkeypatch):
    """The runs that left reports, without a database; the names that were asked for."""
    from include.operations.status_page import facts

    asked = []
    run = {
        **{"run_id": "retrain/r1", "name": "retrain", "started_at": NOW, "as_of": NOW, "outcome": "Kept v1: <b>"},
        **{"pages": ["verdicts/<b>v1.html"]},
    }

    def find(settings, moment, name):
        asked.append(name)
        return [] if name else [run]

    monkeypatch.setattr(facts, "find_reports", find)
    return asked


@pytest.fixture
def stranger(folder):
    """A browser that has not signed in."""
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import HTTPException

    from daybreak_airflow.ui.app import app

    def nobody():
        raise HTTPException(401, "Not authenticated")

    app.dependency_overrides[get_user] = nobody
    yield TestClient(app, root_path="/daybreak", follow_redirects=False)
    app.dependency_overrides.clear()


def browser_of(role):
    """A browser of somebody who has signed in, with this role."""
    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.core_api.security import get_user

    from daybreak_airflow.ui.app import app

    create_auth_manager()
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="ada", role=role)
    yield TestClient(app, root_path="/daybreak", follow_redirects=False)
    app.dependency_overrides.clear()


@pytest.fixture
def reader(folder):
    """A browser of somebody who may look."""
    yield from browser_of("viewer")


@pytest.fixture
def outsider(folder):
    """A browser of somebody who signed in and has no role."""
    yield from browser_of(None)


@pytest.mark.parametrize("path", ["", "verdicts/v1.html", "validation/s1/index.html", "nowhere"])
def test_a_stranger_sees_nothing(stranger, path):
    assert stranger.get(f"/reports/{path}").status_code == 401


def test_by_default_people_sign_in_as_airflow_has_it_by_default():
    from airflow.api_fastapi.app import get_auth_manager_cls
    from airflow.sdk.module_loading import import_string

    from include.operations.launcher.environment import AUTH_MANAGERS

    assert import_string(AUTH_MANAGERS["simple"]) is get_auth_manager_cls()


@pytest.mark.parametrize("path", ["", "verdicts/%3Cb%3Ev1.html", "validation/s1/index.html"])
def test_somebody_who_may_not_look_at_runs_reads_no_report(outsider, path):
    assert outsider.get(f"/reports/{path}").status_code == 403


def test_a_stranger_with_a_browser_may_sign_in_and_comes_back(stranger):
    answer = stranger.get("/reports/validation/s1/index.html", headers={"accept": "text/html,*/*"})
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("/api/v2/auth/login?next=http%3A%2F%2F")
    assert answer.headers["location"].endswith("%2Freports%2Fvalidation%2Fs1%2Findex.html")


def test_a_report_is_served_in_a_sandbox(reader):
    answer = reader.get("/reports/validation/s1/index.html")
    assert (answer.status_code, answer.text) == (200, "<h1>Data Docs</h1>")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "../daybreak.env",
        "..%2fdaybreak.env",
        "%2e%2e/daybreak.env",
        "verdicts/..%2f..%2fdaybreak.env",
        "%2fetc%2fpasswd",
        "%00",
        "verdicts",
        "x" * 5000,
    ],
)
def test_nothing_else_is(reader, path):
    answer = reader.get(f"/reports/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_link_that_leads_out_leads_nowhere(reader, folder):
    (folder / "out.html").symlink_to(folder.parent / "daybreak.env")
    assert reader.get("/reports/out.html").status_code == 404


def test_the_index_has_runs_with_their_reports_of_all_or_of_one_dag(reader, runs):
    page = reader.get("/reports/").text
    assert '<a href="/daybreak/reports/verdicts/%3Cb%3Ev1.html" target="_blank" rel="noopener">Verdict</a>' in page
    assert "Kept v1: &lt;b&gt;" in page
    assert "<b>" not in page
    assert reader.get("/reports/?of=monitor").text.count("No reports of monitor yet.") == 1
    assert runs == [None, "monitor"]


def test_a_section_of_the_runbook_is_found_after_the_sign_in_too(reader):
    asked = reader.get("/runbook/source-unusable")
    assert (asked.status_code, asked.headers["location"]) == (307, "../runbook#source-unusable")
    page = reader.get("/runbook").text
    assert '<h3 id="source-unusable">Source unusable</h3>' in page
    assert '<a href="#source-unusable">Source unusable</a>' in page
    assert reader.get("/runbook/a%0d%0ab: c").headers["location"] == "../runbook#a%0D%0Ab%3A%20c"


def test_a_stranger_reads_no_runbook(stranger):
    assert stranger.get("/runbook").status_code == 401
    answer = stranger.get("/runbook/service-down", headers={"accept": "text/html"})
    assert answer.headers["location"].endswith("%2Frunbook%2Fservice-down")


def test_every_link_within_the_runbook_leads_somewhere():
    from daybreak_airflow.ui.runbook import runbook_page

    page = runbook_page()
    targets = set(re.findall(r'href="([^"]+)"', page))
    assert {target for target in targets if not target.startswith("#")} == set()
    assert {target[1:] for target in targets} <= set(re.findall(r'id="([^"]+)"', page))
    assert "checks.md" in page
    assert "<td>" in page


def test_the_navigation_leads_to_the_status_page_and_browse_to_reports_and_mlflow():
    import daybreak_plugin

    views = {(view["name"], view["destination"]): view for view in daybreak_plugin.DaybreakPlugin.external_views}
    assert views["Daybreak", "nav"]["href"] == "daybreak/"
    assert [name for (name, _), view in views.items() if view.get("nav_top_level")] == ["Daybreak"]
    assert views["Daybreak", "dag_run"]["href"] == "daybreak/runs/{DAG_ID}/{RUN_ID}"
    assert views["Reports", "nav"]["href"] == "daybreak/reports/"
    assert views["Runbook", "nav"]["href"] == "daybreak/runbook"
    assert views["MLflow", "nav"]["href"].startswith("http")
    # at the top level Airflow draws a link to another server as a button that does nothing
    assert views["MLflow", "nav"]["category"] == "browse"
    assert {app["url_prefix"] for app in daybreak_plugin.DaybreakPlugin.fastapi_apps} == {"/daybreak"}
