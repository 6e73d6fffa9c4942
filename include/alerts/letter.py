"""The HTML part of a mail, made from its text: headings, bold lines, lists and links that can be clicked.

Text stays the mail's source, so both parts always say the same. Styles are inline and widths fluid, because mail
programs on phones drop style sheets.
"""

from __future__ import annotations

import re
from html import escape

URL = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:)\]]")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"^([A-Z][\w ]*): (https?://\S+)$")
COLOURS = {"page": "#b3261e", "ticket": "#8a6d00", "recovered": "#117a3d"}
FONT = "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#1c2733"
BUTTON = (
    "display:inline-block;margin:0 8px 8px 0;padding:8px 14px;border:1px solid #0b5cad;border-radius:6px;"
    "color:#0b5cad;text-decoration:none"
)


def as_html(subject: str, body: str) -> str:
    """Return the page of a mail whose text consists of sections: a title line, then lines."""
    mark, _, title = subject.removeprefix("[").partition("] ") if subject.startswith("[") else ("", "", subject)
    badge = f'<span style="background:{COLOURS.get(mark, "#56636f")};color:#fff;padding:2px 10px;border-radius:10px;'
    badge = f'{badge}font-size:14px">{escape(mark)}</span>' if mark else ""
    sections = "".join(_section(*part.split("\n", 1)) for part in body.strip().split("\n\n"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"></head>'
        f'<body style="margin:0;padding:16px;background:#f6f7f9;{FONT}">'
        '<div style="max-width:680px;margin:0 auto;background:#fff;padding:20px;border-radius:8px;'
        f'overflow-wrap:anywhere">{badge}<h1 style="font-size:20px;line-height:1.35;margin:10px 0 0">'
        f"{_marked(title)}</h1>{sections}</div></body></html>"
    )


def _section(title: str, text: str = "") -> str:
    head = f'<h2 style="font-size:14px;color:#56636f;margin:20px 0 4px">{escape(title)}</h2>'
    lines = text.split("\n") if text else []
    links = [found for line in lines if (found := LINK.match(line))]
    if lines and len(links) == len(lines):
        buttons = "".join(
            f'<a href="{escape(url)}" target="_blank" style="{BUTTON}">{escape(name)}</a>'
            for name, url in map(_pair, links)
        )
        return f"{head}<div>{buttons}</div>"
    return head + "".join(f'<p style="margin:0 0 6px">{_marked(line)}</p>' for line in lines)


def _pair(found: re.Match[str]) -> tuple[str, str]:
    return found[1], found[2]


def _marked(line: str) -> str:
    """Return a line as HTML, with its addresses as links and its commands as code."""
    parts, end = [], 0
    for found in URL.finditer(line):
        url = escape(found[0])
        parts += [_coded(line[end : found.start()]), f'<a href="{url}" target="_blank" style="color:#0b5cad">{url}</a>']
        end = found.end()
    return "".join([*parts, _coded(line[end:])])


def _coded(text: str) -> str:
    style = "background:#eef1f4;padding:1px 5px;border-radius:4px;font-size:14px"
    return CODE.sub(rf'<code style="{style}">\1</code>', escape(text))
