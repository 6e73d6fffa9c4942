"""HTML pages for people: self-contained files without scripts or network access."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import cycle
from pathlib import Path

from include.core.checks import Check

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c2733;background:#f6f7f9;margin:0;padding:32px}
main{max-width:1000px;margin:auto;background:#fff;padding:28px 36px;border-radius:10px;box-shadow:0 1px 4px #0002}
h1{font-size:24px;margin:0 0 4px} h2{font-size:17px;margin:28px 0 8px} p.lead{font-size:17px}
table{border-collapse:collapse;width:100%} td,th{text-align:left;padding:6px 10px;border-bottom:1px solid #e4e8ec;
vertical-align:top} th{font-weight:600;color:#56636f} td.number{text-align:right;font-variant-numeric:tabular-nums}
.passed{color:#117a3d}.failed{color:#b3261e;font-weight:600}.note{color:#8a6d00}
.bar{background:#3b6ea8;height:14px;border-radius:3px;display:inline-block;vertical-align:middle}
.bar.ours{background:#e0822b} code{background:#eef1f4;padding:1px 5px;border-radius:4px}
.wide{overflow-x:auto}.wide svg{width:100%;min-width:720px}
@media(max-width:700px){body{padding:0}main{padding:16px;border-radius:0}table{display:block;overflow-x:auto}
.checks thead{display:none}.checks tr{display:flex;flex-wrap:wrap;border-bottom:1px solid #e4e8ec;padding:4px 0}
.checks td{border:0;padding:2px 10px 2px 0}.checks td:last-child{flex-basis:100%}}
"""


class Figure(str):
    """A number already formatted with its unit; tables align it right like other numbers."""


def page(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """Return a page with a title, one leading sentence and sections of ready-made HTML."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"{head(title, lead, sections)}</html>"
    )


def head(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """Return the same as the beginning of a page that somebody else made."""
    body = "".join(f"<h2>{escape(heading)}</h2>{content}" for heading, content in sections)
    return f'<style>{STYLE}</style><main><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{body}</main>'


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with its numbers aligned right."""
    return grid(headings, "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows))


def grid(headings: Sequence[str], body: str, kind: str = "") -> str:
    """Return a table whose rows are ready-made HTML; `kind` is its CSS class."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    start = f'<table class="{kind}">' if kind else "<table>"
    return f"{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def check_table(checks: Iterable[Check]) -> str:
    """Return a table of checks with their outcomes; blocking ones stand out."""
    rows = "".join(
        f'<tr><td><code>{check.code}</code></td><td class="{"failed" if check.blocks else _tone(check)}">'
        f"{check.outcome}</td><td>{check.severity}</td><td>{escape(check.subject)}</td><td>{escape(check.title)}</td>"
        f"<td>{escape(check.sentence)}</td></tr>"
        for check in checks
    )
    return grid(("Code", "Outcome", "Severity", "Of", "Check", "Numbers"), rows, "checks")


def bars(values: Iterable[tuple[str, float]], ours: str = "") -> str:
    """Return a bar chart with one bar per name; the bar named `ours` has its own colour."""
    values = list(values)
    most = max((value for _, value in values), default=0) or 1
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td style="width:60%"><span class="bar{" ours" if name == ours else ""}" '
        f'style="width:{100 * max(value, 0) / most:.1f}%"></span></td><td class="number">{value:.4f}</td></tr>'
        for name, value in values
    )
    return f"<table><tbody>{rows}</tbody></table>"


LINE_COLOURS = ("#e0822b", "#3b6ea8", "#117a3d", "#b3261e", "#7a4fa3", "#56636f", "#8a6d00", "#2a9d9d")


def lines(labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Return a line chart with one line per name over the labels, from zero up; a value that is not finite is a gap."""
    width, height, left, bottom = 920, 260, 46, 22
    top = max((value for values in series.values() for value in values if math.isfinite(value)), default=0) or 1.0
    across = (width - left) / max(len(labels) - 1, 1)

    def path(values: Sequence[float]) -> str:
        words, is_down = [], False
        for number, value in enumerate(values):
            if math.isfinite(value):
                up = (height - bottom) * (1 - value / top)
                words.append(f"{'L' if is_down else 'M'}{left + number * across:.1f} {up:.1f}")
            is_down = math.isfinite(value)
        return " ".join(words)

    colours = dict(zip(series, cycle(LINE_COLOURS), strict=False))
    drawn = "".join(
        f'<path d="{path(values)}" fill="none" stroke="{colours[name]}" stroke-width="2"/>'
        for name, values in series.items()
    )
    grid = "".join(
        f'<line x1="{left}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e8ec"/>'
        f'<text x="0" y="{y + 10:.1f}" font-size="11" fill="#56636f">{top * part:.3f}</text>'
        for part in (0, 0.5, 1)
        for y in [(height - bottom) * (1 - part)]
    )
    ends = "".join(
        f'<text x="{x}" y="{height - 4}" font-size="11" fill="#56636f" text-anchor="{anchor}">{escape(label)}</text>'
        for x, anchor, label in ((left, "start", labels[0]), (width, "end", labels[-1]))
    )
    legend = " ".join(f'<span style="color:{colours[name]}">&#9632;</span> {escape(name)} ' for name in series)
    return f'<svg viewBox="0 0 {width} {height}" width="100%">{grid}{drawn}{ends}</svg><p>{legend}</p>'


def save(path: Path, html: str) -> None:
    """Write the page to `path` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(html)
    draft.replace(path)


def _tone(check: Check) -> str:
    return "passed" if check.outcome == "passed" else "note"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="number">{value:,.4f}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    if isinstance(value, Figure):
        return f'<td class="number">{escape(value)}</td>'
    return f"<td>{escape(str(value))}</td>"
