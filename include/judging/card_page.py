"""Render a card as Markdown and as HTML, from the same sections of tables and points.

Both escape their input, because a card holds text from publishers, such as names of categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from include.core.html import Link, Tone, Value, folded, page, table
from include.core.numbers import write_figure


@dataclass(frozen=True)
class Table:
    """A table: headings and rows."""

    headings: tuple[str, ...]
    rows: tuple[Sequence[object], ...]


Points = tuple[str, ...]
Section = tuple[str, Table | Points]


def as_html(
    title: str,
    lead: str,
    sections: Sequence[Section],
    *,
    tone: Tone = "",
    facts: Sequence[tuple[str, Value]] = (),
    links: Sequence[Link] = (),
    drawn: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the card as an HTML page: `drawn`, then what people must know (points), and all tables folded away."""
    points = [(heading, _html(content)) for heading, content in sections if not isinstance(content, Table)]
    tables = [folded(heading, _html(content)) for heading, content in sections if isinstance(content, Table)]
    parts = [*drawn, *points, ("Details", "".join(tables))]
    return page(title, lead, parts, tone=tone, facts=facts, links=links)


def _html(content: Table | Points) -> str:
    if isinstance(content, Table):
        return table(content.headings, content.rows)
    return f"<ul>{''.join(f'<li>{escape(point)}</li>' for point in content)}</ul>"


def as_markdown(title: str, lead: str, sections: Iterable[Section]) -> str:
    """Return the card as plain Markdown."""
    parts = [f"# {_text(title)}", _text(lead)]
    for heading, content in sections:
        parts += [f"## {_text(heading)}", _markdown(content)]
    return "\n\n".join(parts) + "\n"


def _markdown(content: Table | Points) -> str:
    if not isinstance(content, Table):
        return "\n".join(f"- {_text(point)}" for point in content)
    lines = [content.headings, ["---"] * len(content.headings), *content.rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return write_figure(value)
    return _text(str(value)).replace("|", "\\|")


def _text(words: str) -> str:
    return " ".join(words.replace("<", "&lt;").split())
