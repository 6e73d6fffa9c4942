"""Daybreak in Airflow's UI: the report pages, the runbook, and links to them and to MLflow in the navigation.

Every Airflow process loads this file, and workers load it for every task, so the pages are imported only on request.
"""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from include.core.settings import load_settings


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Serve the app under /daybreak."""
    from daybreak_airflow.ui.reports import app

    await app(scope, receive, send)


class DaybreakPlugin(AirflowPlugin):
    """The pages and the navigation entries."""

    name = "daybreak"
    fastapi_apps = [{"app": pages, "url_prefix": "/daybreak", "name": "daybreak"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "Reports",
            "href": "daybreak/reports/",
            "destination": "nav",
            "url_route": "daybreak-reports",
            "nav_top_level": True,
        },
        {"name": "Runbook", "href": "daybreak/runbook", "destination": "nav", "url_route": "daybreak-runbook"},
        {"name": "MLflow", "href": load_settings().mlflow_link, "destination": "nav", "nav_top_level": True},
    ]
