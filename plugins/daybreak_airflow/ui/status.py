"""The status pages: whether everything is all right, champions, readers, articles, and the card of a run.

What they show and say is decided in `include/operations/status_page/`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from daybreak_airflow.connections import connected_settings
from daybreak_airflow.ui.access import AllAllowed, SeesReaders, may_look, may_look_at_readers, places_of
from daybreak_airflow.ui.answering import answer
from include.core.clock import now
from include.core.errors import DaybreakError
from include.operations.cli.commands import version_number
from include.operations.status_page import comparison, details, facts, overview
from include.operations.status_page.parts import Page
from include.operations.status_page.render import STATIC, read_static

STATIC_FOR_SECONDS = 300

Version = Annotated[str, Query(max_length=12)]
Asked = Annotated[str, Query(alias="id", max_length=200)]

router = APIRouter()


@router.get("/", response_class=HTMLResponse, dependencies=may_look)
def show_status(request: Request, may_see_readers: SeesReaders, may: AllAllowed) -> Response:
    """Return the status page."""
    found = facts.find_facts(connected_settings(), now())
    page = overview.build_status_page(found, places_of(request), may_see_readers=may_see_readers, may=may)
    return answer(request, "status", page, may_see_readers, here="")


@router.get("/champions", response_class=HTMLResponse, dependencies=may_look)
def show_champions(request: Request, may_see_readers: SeesReaders) -> Response:
    """Return the history of champions and versions."""
    reigns, versions = facts.find_champions(connected_settings())
    page = details.build_champions_page(reigns, versions, places_of(request), now())
    names = [f"v{row['version']}" for row in versions if row["removed_at"] is None]
    return answer(request, "champions", page, may_see_readers, here="champions", versions=names)


@router.get("/champions/compare", response_class=HTMLResponse, dependencies=may_look)
def compare_versions(request: Request, may_see_readers: SeesReaders, a: Version, b: Version) -> Response:
    """Return two versions side by side, the earlier one first."""
    try:
        first, second = sorted(version_number(name) for name in (a, b))
        found = comparison.find_comparison(connected_settings(), first, second)
    except DaybreakError as error:
        page, code = Page("Two versions side by side", str(error), "ask"), 404
    else:
        page, code = comparison.build_comparison_page(found, places_of(request)), 200
    return answer(request, "details", page, may_see_readers, here="champions", code=code)


@router.get("/readers", response_class=HTMLResponse, dependencies=may_look_at_readers)
def look_up_reader(request: Request, reader: Asked = "") -> Response:
    """Return the form for a reader's id, or the reader's page."""
    if reader:
        return RedirectResponse(places_of(request).page_of("readers", reader).address, 303)
    return _ask(request, "readers", True)


@router.get("/readers/{reader:path}", response_class=HTMLResponse, dependencies=may_look_at_readers)
def show_reader(request: Request, reader: str) -> Response:
    """Return a reader's list with reasons and reads."""
    try:
        found = facts.find_reader(connected_settings(), reader)
    except DaybreakError as error:
        return _ask(request, "readers", True, reader, error)
    return answer(request, "details", details.build_reader_page(found, places_of(request)), True, here="readers")


@router.get("/articles", response_class=HTMLResponse, dependencies=may_look)
def look_up_article(request: Request, may_see_readers: SeesReaders, article: Asked = "") -> Response:
    """Return the form for an article's id, or the article's page."""
    if article:
        return RedirectResponse(places_of(request).page_of("articles", article).address, 303)
    return _ask(request, "articles", may_see_readers)


@router.get("/articles/{article:path}", response_class=HTMLResponse, dependencies=may_look)
def show_article(request: Request, article: str, may_see_readers: SeesReaders, may: AllAllowed) -> Response:
    """Return to how many readers an article is listed."""
    try:
        found = facts.find_article(connected_settings(), article)
    except DaybreakError as error:
        return _ask(request, "articles", may_see_readers, article, error)
    page = details.build_article_page(found, places_of(request), may)
    return answer(request, "details", page, may_see_readers, here="articles")


@router.get("/runs/{dag_id}/{run_id:path}", response_class=HTMLResponse, dependencies=may_look)
def show_run(request: Request, dag_id: str, run_id: str, may_see_readers: SeesReaders) -> Response:
    """Return the card of a run, which is also a tab of the run in Airflow."""
    try:
        found = facts.find_run_facts(connected_settings(), now(), dag_id, run_id)
    except DaybreakError as error:
        page = Page("Run", str(error), "ask")
        return answer(request, "details", page, may_see_readers, here="runs", code=404)
    page = details.build_run_page(found, places_of(request))
    return answer(request, "details", page, may_see_readers, here="runs")


@router.get("/static/{name}", dependencies=may_look)
def static(name: str) -> Response:
    """Return the stylesheet, the script or the icon of the pages."""
    if name not in STATIC:
        raise HTTPException(404, "There is no such file.")
    headers = {"Cache-Control": f"private, max-age={STATIC_FOR_SECONDS}"}
    return Response(read_static(name), media_type=STATIC[name], headers=headers)


LABELS = {
    "readers": "Reader's id: a number, or the id in the loaded log",
    "articles": "Article's id: a number, or the id in the loaded log",
}


def _ask(
    request: Request, here: str, may_see_readers: bool, asked: str = "", error: DaybreakError | None = None
) -> Response:
    """Return the form for an id, after one that was not found with what is wrong."""
    page = Page(here.capitalize(), str(error) if error else "", "ask" if error else "")
    return answer(
        request,
        "search",
        page,
        may_see_readers,
        here=here,
        code=404 if error else 200,
        label=LABELS[here],
        asked=asked,
    )
