"""Who may do what: every page and action, tried in every role, is what the table of docs/server.md says."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from include.core.settings import PROJECT
from include.operations.status_page.actions import ACTIONS
from tests.dags.test_actions import SITE, airflow  # noqa: F401 - a fixture
from tests.dags.test_status_pages import browser_of, found  # noqa: F401 - a fixture

OF_THE_SITE = {"origin": SITE["origin"]}  # of a program, which is not sent to the sign-in
ROLES = {"not signed in": "", "no role": None, "viewer": "viewer", "user": "user", "operator": "op", "admin": "admin"}
HEAD = (
    f"| page or action | {' | '.join(ROLES)} |",
    f"|---|{'---|' * len(ROLES)}",
)
EXAMPLES = {
    "{reader:path}": "7",
    "{article:path}": "5",
    "{dag_id}": "retrain",
    "{run_id:path}": "r%2B1",
    "{section}": "retrain-failed",
    "{path:path}": "verdicts/v1.html",
    "{name}": "style.css",
}


def browser_in(role):
    from daybreak_airflow.ui.app import app

    if role == "":
        app.dependency_overrides.clear()
        return TestClient(app, root_path="/airflow/daybreak", follow_redirects=False)
    return browser_of(role)


def word_of(codes):
    """What the answers to every way of asking for one thing say together."""
    (word,) = {{401: "sign in", 403: "no"}.get(code, "yes") for code in codes}
    return word


def try_page(browser, path):
    for name, example in EXAMPLES.items():
        path = path.replace(name, example)
    return word_of([browser.get(path).status_code])


def try_action(browser, name):
    form, started = f"/actions/{name}", f"/actions/{name}/12"
    answers = [browser.get(form), browser.post(form, data={"reason": "no"}, headers=OF_THE_SITE), browser.get(started)]
    return word_of([answer.status_code for answer in answers])


def table():
    """The table, by asking in every role."""
    from daybreak_airflow.ui.app import app

    pages = [route.path for route in app.routes if not route.path.startswith("/actions/")]
    words = {f"`{path}`": [] for path in pages} | {f"action `{name}`": [] for name in ACTIONS}
    for role in ROLES.values():
        browser = browser_in(role)
        for path in pages:
            words[f"`{path}`"].append(try_page(browser, path))
        for name in ACTIONS:
            words[f"action `{name}`"].append(try_action(browser, name))
    return [*HEAD, *(f"| {asked} | {' | '.join(told)} |" for asked, told in words.items())]


@pytest.mark.usefixtures("airflow", "found")
def test_the_docs_say_what_each_role_may_do():
    lines = (PROJECT / "docs" / "server.md").read_text().splitlines()
    begin = lines.index(HEAD[0])
    told = lines[begin : lines.index("", begin)]
    assert told == table()
