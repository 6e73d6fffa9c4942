"""The app under /daybreak: the status pages, the reports and the runbook, behind Airflow's own login."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import RedirectResponse, Response

from daybreak_airflow.ui import actions, reports, runbook, status
from daybreak_airflow.ui.access import places_of
from daybreak_airflow.ui.answering import answer
from daybreak_airflow.ui.inside import Refused
from include.core.errors import DaybreakError
from include.operations.status_page.parts import Page

app = FastAPI(title="Daybreak", docs_url=None, redoc_url=None, openapi_url=None)
app.include_router(actions.router)
app.include_router(reports.router)
app.include_router(runbook.router)
app.include_router(status.router)


@app.exception_handler(401)
async def ask_to_sign_in(request: Request, error: HTTPException) -> Response:
    """Redirect a browser, often coming from a mail, to the login page and back; programs get the plain 401."""
    if not _is_browser(request):
        return await http_exception_handler(request, error)
    return RedirectResponse(f"{places_of(request).airflow}/api/v2/auth/login?next={quote(str(request.url), safe='')}")


@app.exception_handler(403)
async def refuse(request: Request, error: HTTPException) -> Response:
    """Tell a browser that the person may not see or do this; programs get the plain 403."""
    lead = (
        "You may not see this page. A reader's list is for people who may start runs, the rest for those who may look."
    )
    if isinstance(error, Refused):
        lead = error.detail
    return await _tell(request, error, "Not for you", lead)


@app.exception_handler(404)
async def miss(request: Request, error: HTTPException) -> Response:
    """Tell a browser that there is no such page, as after an old link; programs get the plain 404."""
    lead = "There is no such page. Reports are removed after a while; the newest ones stand under Reports."
    return await _tell(request, error, "Not found", lead)


@app.exception_handler(DaybreakError)
async def fail(request: Request, error: DaybreakError) -> Response:
    """Say which service does not answer."""
    page = Page("Daybreak", f"No. {error}", "bad")
    return answer(request, "details", page, False, here="elsewhere", code=503)


async def _tell(request: Request, error: HTTPException, title: str, lead: str) -> Response:
    if not _is_browser(request):
        return await http_exception_handler(request, error)
    return answer(request, "details", Page(title, lead, "ask"), False, here="elsewhere", code=error.status_code)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
