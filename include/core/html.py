"""HTML pages for people: self-contained files without scripts or network access, one design for all of them.

The templates beside this module escape everything, except sections and drawings that these functions made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import cycle
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.core.checks import Check
from include.core.numbers import write_figure

HERE = Path(__file__).parent
STYLE = (HERE / "style.css").read_text()

Tone = Literal["", "good", "ask", "bad"]


class Figure(str):
    """A number already formatted with its unit; tables align it right like other numbers."""


@dataclass(frozen=True)
class Link:
    """Words that lead to another page."""

    words: str
    address: str


@dataclass(frozen=True)
class Drawn:
    """Ready-made HTML, such as a small chart in a cell of a table."""

    html: str


Value = str | int | float | Link | Drawn


def page(
    title: str,
    lead: str,
    sections: Iterable[tuple[str, str]],
    *,
    tone: Tone = "",
    more: Iterable[str] = (),
    facts: Iterable[tuple[str, Value]] = (),
    links: Iterable[Link] = (),
) -> str:
    """Return a page: the answer in a sentence with what else belongs to it, its facts, links, and ready-made sections.

    A section without a heading brings its own, such as a folded one.
    """
    return render("page.html", **_answer(title, lead, sections, tone, more, facts, links))


def head(
    title: str,
    lead: str,
    sections: Iterable[tuple[str, str]],
    *,
    tone: Tone = "",
    more: Iterable[str] = (),
    facts: Iterable[tuple[str, Value]] = (),
    links: Iterable[Link] = (),
) -> str:
    """Return the same as the beginning of a page that somebody else made."""
    return render("report.html", **_answer(title, lead, sections, tone, more, facts, links))


def _answer(
    title: str,
    lead: str,
    sections: Iterable[tuple[str, str]],
    tone: Tone,
    more: Iterable[str],
    facts: Iterable[tuple[str, Value]],
    links: Iterable[Link],
) -> dict[str, object]:
    return {
        "style": STYLE,
        "title": title,
        "lead": lead,
        "sections": list(sections),
        "tone": tone,
        "more": [sentence for sentence in more if sentence],
        "facts": [(name, value) for name, value in facts if value != ""],
        "links": list(links),
    }


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with its numbers aligned right; on a narrow screen each row is a block of named values."""
    return render("table.html", headings=headings, rows=list(rows))


def check_table(checks: Iterable[Check]) -> str:
    """Return a table of checks with their outcomes; blocking ones stand out."""
    return table(
        ("Outcome", "Numbers", "Of", "Check", "Code"),
        [(_outcome(check), check.sentence, check.subject, check.title, check.code) for check in checks],
    )


def check_sections(checks: Sequence[Check]) -> list[tuple[str, str]]:
    """Return what failed as sentences, the blocking checks first, and the other checks folded away."""
    failed = [check for check in checks if check.blocks or check.outcome == "failed"]
    failed.sort(key=lambda check: (not check.blocks, check.severity != "warn"))
    passed = [check for check in checks if check.outcome == "passed"]
    rest = [check for check in checks if check.outcome == "not applicable" and not check.blocks]
    told = tell_failed(failed) if failed else "<p>Nothing: every check that applies passed.</p>"
    folds = [
        folded(f"{len(some):,} {words}", check_table(some))
        for some, words in ((passed, "passed"), (rest, "not applicable"))
        if some
    ]
    return [("What failed", told), *([("Other checks", "".join(folds))] if folds else [])]


def tell_failed(checks: Sequence[Check]) -> str:
    """Return checks that failed as a list of their sentences."""
    return render("failed.html", checks=checks)


def folded(summary: str, content: str) -> str:
    """Return ready-made HTML behind a summary that opens it."""
    return render("folded.html", summary=summary, content=content)


def figures(numbers: Iterable[tuple[str, str]]) -> str:
    """Return a few numbers in large type, each with its words."""
    return render("figures.html", figures=list(numbers))


def bars(values: Iterable[tuple[str, float, str]], ours: str = "") -> str:
    """Return bars in proportion, each with its name and its number in words; that of `ours` has a colour of its own."""
    values = list(values)
    most = max((value for _, value, _ in values), default=0) or 1
    rows = [(name, f"{100 * max(value, 0) / most:.1f}", words) for name, value, words in values]
    return render("bars.html", rows=rows, ours=ours)


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
    told = escape(f"{', '.join(series)}: {labels[0]} to {labels[-1]}")
    svg = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{told}">{grid}{drawn}{ends}</svg>'
    return f'<div class="wide" tabindex="0">{svg}</div><p>{legend}</p>'


def save(path: Path, html: str) -> None:
    """Write the page to `path` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(html)
    draft.replace(path)


def render(template: str, **values: object) -> str:
    """Return a template of this folder, filled in."""
    return _templates().get_template(template).render(**values)


def templates_in(folder: Path) -> Environment:
    """Return the templates of a folder, which escape every value and stop at one that is missing."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _templates() -> Environment:
    templates = templates_in(HERE / "templates")
    templates.tests["link"] = lambda value: isinstance(value, Link)
    templates.tests["drawn"] = lambda value: isinstance(value, Drawn)
    templates.tests["figure"] = lambda value: isinstance(value, Figure | int | float)
    templates.filters["written"] = lambda value: write_figure(value) if isinstance(value, int | float) else str(value)
    return templates


def _outcome(check: Check) -> Drawn:
    tone = "failed" if check.blocks else "passed" if check.outcome == "passed" else "note"
    return Drawn(f'<span class="{tone}">{check.outcome}</span>')
