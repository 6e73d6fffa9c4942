"""The demo mailbox's pages: the list of mails, a single mail, and both as JSON.

A mail may contain anything, so its HTML part is shown in a sandboxed frame with a policy that runs and fetches nothing;
a link in it opens a new tab.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from include.operations.demo.mailbox.store import Mailbox

SAFE_HEADERS = {
    # no scripts, nothing fetched from outside
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
LINKS = "allow-popups allow-popups-to-escape-sandbox"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1c2733; background: #f6f7f9; margin: 0; }}
main {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.3rem; }} a {{ color: #0b5cad; text-decoration: none; }} a:hover {{ text-decoration: underline; }}
table {{ width: 100%; border-collapse: collapse; background: #fff; box-shadow: 0 1px 3px #0002; }}
th, td {{ text-align: left; padding: .5rem .75rem; border-top: 1px solid #e6e9ee; vertical-align: top; }}
th {{ border: 0; font-weight: 600; color: #5b6b7c; white-space: nowrap; }}
pre, iframe {{ background: #fff; box-shadow: 0 1px 3px #0002; padding: 1rem; white-space: pre-wrap; }}
pre {{ overflow-wrap: anywhere; }}
iframe {{ width: 100%; height: 46rem; border: 0; box-sizing: border-box; }}
.quiet {{ color: #5b6b7c; }}
</style><main>{body}</main></html>"""


def page(
    mailbox: Mailbox, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None
) -> Starlette:
    """Return the web application that shows a mailbox."""

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def mails(request: Request) -> Response:
        return JSONResponse([mail.listed() for mail in mailbox.latest()])

    async def index(request: Request) -> Response:
        rows = "".join(
            f'<tr><td class="quiet">{_shown(mail.date)}</td><td>{_shown(mail.to)}</td>'
            f'<td><a href="/mails/{mail.id}">{_shown(mail.subject) or "(no subject)"}</a></td></tr>'
            for mail in mailbox.latest()
        )
        table = f"<table><tr><th>Date<th>To<th>Subject</tr>{rows}</table>"
        return _html("Mailbox", table if rows else '<p class="quiet">No mail yet.</p>')

    async def one(request: Request) -> Response:
        mail = mailbox.read(request.path_params["mail_id"])
        if mail is None:
            return _html("No such mail", '<p><a href="/">All mails</a></p>', 404)
        head = "".join(
            f"<tr><th>{name}<td>{_shown(text)}</tr>"
            for name, text in (("From", mail.sender), ("To", mail.to), ("Date", mail.date))
        )
        body = f'<p><a href="/">All mails</a></p><table>{head}</table>'
        if mail.html:
            body += f'<h2>HTML</h2><iframe sandbox="{LINKS}" src="/mails/{mail.id}/html" title="HTML part"></iframe>'
        if mail.body:
            body += f"<h2>Text</h2><pre>{_shown(mail.body)}</pre>"
        return _html(mail.subject or "(no subject)", body)

    async def html_part(request: Request) -> Response:
        mail = mailbox.read(request.path_params["mail_id"])
        headers = SAFE_HEADERS | {
            "Content-Security-Policy": SAFE_HEADERS["Content-Security-Policy"] + f"; sandbox {LINKS}"
        }
        return HTMLResponse(mail.html if mail else "", 200 if mail else 404, headers=headers)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/health", health),
            Route("/api/mails", mails),
            Route("/mails/{mail_id}", one),
            Route("/mails/{mail_id}/html", html_part),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        lifespan=lifespan,
    )


def _shown(text: str) -> str:
    return html.escape(text)


def _html(title: str, body: str, status: int = 200) -> Response:
    text = PAGE.format(title=_shown(title), body=f"<h1>{_shown(title)}</h1>{body}")
    return HTMLResponse(text, status, headers=SAFE_HEADERS)
