"""The runbook as a page for people who come from a mail: `docs/runbook.md` with an anchor for each section.

Links to other pages of the repository become plain text, because only the runbook is served.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape
from itertools import pairwise
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse
from markdown_it import MarkdownIt
from markdown_it.token import Token

from daybreak_airflow.ui.access import may_look
from include.core.html import STYLE
from include.core.settings import PROJECT

RUNBOOK = PROJECT / "docs" / "runbook.md"
OWN_STYLE = """
main{overflow-wrap:anywhere} h2{font-size:20px;margin-top:36px} h3,h4{margin:24px 0 6px;scroll-margin-top:12px}
h3:target{background:#fff3d6;outline:6px solid #fff3d6} a{color:#0b5cad} nav{columns:11rem} nav a{display:block}
li{margin:4px 0} @media(max-width:700px){table{display:table}td,th{padding:6px 4px}}
"""


router = APIRouter()


@router.get("/runbook", response_class=HTMLResponse, dependencies=may_look)
def runbook() -> str:
    """Return the runbook, to which mails link."""
    return runbook_page()


@router.get("/runbook/{section}", dependencies=may_look)
def runbook_section(section: str) -> RedirectResponse:
    """Lead to a section of the runbook; an anchor in the address of a mail would be lost at the sign-in."""
    return RedirectResponse(f"../runbook#{quote(section)}")


@cache
def runbook_page() -> str:
    """Return the page, with a list of its sections at the top."""
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(RUNBOOK.read_text())
    sections = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", anchor_of(inline.content))
            if opening.tag == "h3":
                sections.append(inline.content)
    for token in tokens:
        token.children = list(_without_links_to_files(token.children or []))
    contents = "".join(f'<a href="#{anchor_of(title)}">{escape(title)}</a>' for title in sections)
    first = next(place for place, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2")
    intro, body = (markdown.renderer.render(part, markdown.options, {}) for part in (tokens[:first], tokens[first:]))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>Runbook</title><style>{STYLE}{OWN_STYLE}</style><main class="paper">'
        f"{intro}<nav>{contents}</nav>{body}</main></html>"
    )


def anchor_of(title: str) -> str:
    """Return a heading's anchor, as GitHub spells it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _without_links_to_files(tokens: Iterable[Token]) -> Iterable[Token]:
    is_within = False
    for token in tokens:
        if token.type == "link_open":
            is_within = not str(token.attrGet("href")).startswith(("#", "https://"))
        if not (is_within and token.type in ("link_open", "link_close")):
            yield token
        if token.type == "link_close":
            is_within = False
