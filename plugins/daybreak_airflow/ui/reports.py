"""The pages under /daybreak: reports that runs wrote and the runbook, behind Airflow's own login.

Files are served from `$DAYBREAK_HOME/reports` only; a path that leads out of it is not found.

A report shows text by publishers and readers, so it runs in a sandbox: its scripts work without the visitor's session,
and a hostile title cannot act in Airflow on the visitor's behalf. Reports load nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from heapq import nlargest
from html import escape
from pathlib import Path
from urllib.parse import quote

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from include.core.settings import load_settings

NEWEST = 100
STYLE = "body{font-family:sans-serif;margin:2rem;background:#fff;color:#111}td,th{padding:.2rem 1rem;text-align:left}"

SANDBOX = {"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-modals allow-downloads"}

app = FastAPI(title="Daybreak", docs_url=None, redoc_url=None, openapi_url=None)
# Without this, a plugin's routes are public. Reports are about runs: whoever may read runs may read them.
may_look = [Depends(requires_access_dag("GET", DagAccessEntity.RUN))]


@app.exception_handler(401)
async def ask_to_sign_in(request: Request, error: HTTPException) -> Response:
    """Redirect a browser, often coming from a mail, to the login page and back; programs get the plain 401."""
    if "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, error)
    airflow = request.scope["root_path"].removesuffix("/daybreak")
    return RedirectResponse(f"{airflow}/api/v2/auth/login?next={quote(str(request.url), safe='')}")


@app.get("/reports/", response_class=HTMLResponse, dependencies=may_look)
def index() -> str:
    """Return a page with the newest reports, one line each."""
    lines = "".join(
        f'<tr><td>{written_at:%Y-%m-%d %H:%M}<td><a href="{quote(path)}" target="_blank">{escape(path)}</a></tr>'
        for written_at, path in newest(report_folder())
    )
    table = f"<table><tr><th>written (UTC)<th>report</tr>{lines}</table>" if lines else "<p>No reports yet.</p>"
    return f"<!doctype html><title>Reports</title><style>{STYLE}</style><h1>Reports</h1>{table}"


@app.get("/reports/{path:path}", dependencies=may_look)
def report(path: str) -> FileResponse:
    """Serve a report, or a page of one."""
    file = inside(report_folder(), path)
    if file is None:
        raise HTTPException(404, "There is no such report.")
    return FileResponse(file, headers=SANDBOX)


@app.get("/runbook", response_class=HTMLResponse, dependencies=may_look)
def runbook() -> str:
    """Return the runbook, to which mails link."""
    from daybreak_airflow.ui.runbook import runbook_page

    return runbook_page()


@app.get("/runbook/{section}", dependencies=may_look)
def runbook_section(section: str) -> RedirectResponse:
    """Lead to a section of the runbook; an anchor in the address of a mail would be lost at the sign-in."""
    return RedirectResponse(f"../runbook#{quote(section)}")


def inside(folder: Path, path: str) -> Path | None:
    """Return the file at this path below the folder; None if it is missing or outside the folder."""
    try:
        file = (folder / path).resolve(strict=True)
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError):  # missing, too long, or with a null byte
        return None


def newest(folder: Path) -> list[tuple[datetime, str]]:
    """Return when each report was written and its path, newest first, without pages within a report."""
    pages = [*folder.glob("*/*.html"), *folder.glob("*/*/index.html")]
    dated = ((datetime.fromtimestamp(page.stat().st_mtime, UTC), page.relative_to(folder).as_posix()) for page in pages)
    return nlargest(NEWEST, dated)


def report_folder() -> Path:
    """Return the folder where runs write their reports."""
    return (load_settings().home / "reports").resolve()
