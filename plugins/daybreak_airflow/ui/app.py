"""The app under /daybreak: the status pages, the reports and the runbook, behind Airflow's own login."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import RedirectResponse, Response

from daybreak_airflow.ui import reports, runbook, status
from daybreak_airflow.ui.access import places_of

app = FastAPI(title="Daybreak", docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(reports.router)
app.include_router(runbook.router)
app.include_router(status.router)


@app.exception_handler(401)
async def ask_to_sign_in(request: Request, error: HTTPException) -> Response:
    """Redirect a browser, often coming from a mail, to the login page and back; programs get the plain 401."""
    if "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, error)
    return RedirectResponse(f"{places_of(request).airflow}/api/v2/auth/login?next={quote(str(request.url), safe='')}")
