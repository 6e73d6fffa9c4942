"""Pages as HTML: the templates beside this file, with every value escaped, and the style of the reports."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment

from include.core.html import STYLE, Figure, templates_in
from include.operations.status_page.parts import Link, Moment, Page, Places

HERE = Path(__file__).parent
STATIC = {"style.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


def render(template: str, page: Page, places: Places, **more: object) -> str:
    """Return the page as HTML."""
    return _templates().get_template(f"{template}.html").render(page=page, places=places, **more)


@cache
def read_static(name: str) -> bytes:
    """Return a file that pages load; the stylesheet begins with that of the reports."""
    text = (HERE / "static" / name).read_text()
    return (STYLE + text if name == "style.css" else text).encode()


@cache
def _templates() -> Environment:
    templates = templates_in(HERE / "templates")
    templates.tests["link"] = lambda value: isinstance(value, Link)
    templates.tests["moment"] = lambda value: isinstance(value, Moment)
    templates.tests["figure"] = lambda value: isinstance(value, Figure)
    return templates
