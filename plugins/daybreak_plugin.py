"""Daybreak in Airflow's UI: status pages, reports, the runbook, and links to them and to MLflow in the navigation.

Every Airflow process loads this file, and workers load it for every task, so the pages are imported only on request.
"""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from include.core.settings import load_settings


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Serve the app under /daybreak; what a person starts there goes through the app of Airflow that it is part of."""
    from daybreak_airflow.ui.app import app

    await app({**scope, "airflow": scope.get("app")}, receive, send)


class DaybreakPlugin(AirflowPlugin):
    """The pages, their entries in the navigation, and the card of a run as its tab.

    Reports, the runbook and MLflow stand under Browse: there a link to another server is a link, at the top level a
    button that does nothing.
    """

    name = "daybreak"
    fastapi_apps = [{"app": pages, "url_prefix": "/daybreak", "name": "daybreak"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Daybreak",
            "href": "daybreak/",
            "destination": "nav",
            "url_route": "daybreak",
            "nav_top_level": True,
            "icon": "daybreak/static/icon.svg",
        },
        {
            "name": "Daybreak",
            "href": "daybreak/runs/{DAG_ID}/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "daybreak-run",
        },
        {
            "name": "Reports",
            "href": "daybreak/reports/",
            "destination": "nav",
            "url_route": "daybreak-reports",
            "category": "browse",
        },
        {
            "name": "Runbook",
            "href": "daybreak/runbook",
            "destination": "nav",
            "url_route": "daybreak-runbook",
            "category": "browse",
        },
        {"name": "MLflow", "href": load_settings().mlflow_link, "destination": "nav", "category": "browse"},
    ]
