"""A page as an answer to a browser.

The pages show text by publishers. Templates escape it, and the policy allows no script and no style but our own, and
no other host.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from daybreak_airflow.ui.access import places_of
from include.operations.status_page.parts import Page
from include.operations.status_page.render import render

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


def answer(
    request: Request, template: str, page: Page, may_see_readers: bool, *, here: str, code: int = 200, **more: object
) -> Response:
    """Return the page as HTML; `here` is the entry of the navigation that it stands under."""
    html = render(template, page, places_of(request), may_see_readers=may_see_readers, here=here, **more)
    return HTMLResponse(html, code, HEADERS)
