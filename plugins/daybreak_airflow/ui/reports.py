"""The report pages under /daybreak/reports: what runs wrote.

Files are served from `$DAYBREAK_HOME/reports` only; a path that leads out of it is not found.

A report shows text by publishers and readers, so it runs in a sandbox: its scripts work without the visitor's session,
and a hostile title cannot act in Airflow on the visitor's behalf. Reports load nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from daybreak_airflow.ui.access import SeesReaders, may_look, places_of
from daybreak_airflow.ui.answering import answer
from include.core.clock import now
from include.core.settings import load_settings
from include.operations.status_page import facts
from include.operations.status_page.details import build_reports_page

SANDBOX = {"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-modals allow-downloads"}

router = APIRouter()


@router.get("/reports/", response_class=HTMLResponse, dependencies=may_look)
def index(
    request: Request, may_see_readers: SeesReaders, of: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Return a page with the latest runs and their reports: of one DAG or command, or of all."""
    page = build_reports_page(facts.find_reports(load_settings(), now(), of), of, places_of(request))
    return answer(request, "details", page, may_see_readers, here="reports/")


@router.get("/reports/{path:path}", dependencies=may_look)
def report(path: str) -> FileResponse:
    """Serve a report, or a page of one."""
    file = inside(report_folder(), path)
    if file is None:
        raise HTTPException(404, "There is no such report.")
    return FileResponse(file, headers=SANDBOX)


def inside(folder: Path, path: str) -> Path | None:
    """Return the file at this path below the folder; None if it is missing or outside the folder."""
    try:
        file = (folder / path).resolve(strict=True)
        return file if file.is_relative_to(folder) and file.is_file() else None
    except (OSError, ValueError):  # missing, too long, or with a null byte
        return None


def report_folder() -> Path:
    """Return the folder where runs write their reports."""
    return (load_settings().home / "reports").resolve()
