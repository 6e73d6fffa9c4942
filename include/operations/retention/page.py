"""The result of a sweep for people: a table for a terminal and a page."""

from __future__ import annotations

from collections.abc import Sequence

from include.core.about import about_run, find_links
from include.core.clock import compact
from include.core.html import Figure, bars, folded, page, save, table
from include.core.run import Run
from include.operations.retention import Item, Sweep

MOST_LINES = 200


def render_text(sweep: Sweep) -> str:
    """Return a line for every version and every removed item, and the number of snapshots kept."""
    kept = sum(item.kind == "snapshots" and item.is_kept for item in sweep.items)
    shown = [item for item in sweep.items if item.kind == "versions" or not item.is_kept]
    rows = [(item.kind, item.name, _word(sweep, item), _size(item), item.why) for item in shown[:MOST_LINES]]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    more = [f"and {len(shown) - MOST_LINES:,} more, in the report"] if len(shown) > MOST_LINES else []
    return "\n".join([*lines, *more, f"{kept:,} snapshots are kept.", sweep.sentence])


def save_page(run: Run, sweep: Sweep) -> str:
    """Save the page and return its path below the reports."""
    name = f"retention/{compact(sweep.as_of)}{'-dry-run' if sweep.is_dry_run else ''}.html"
    gone = [item for item in sweep.items if not item.is_kept]
    kept = [item for item in sweep.items if item.is_kept]
    sections = [
        (
            "Would be removed" if sweep.is_dry_run else "Removed",
            _amounts(gone) + folded(f"{len(gone):,} lines with reasons and sizes", _table(gone))
            if gone
            else "Nothing.",
        ),
        (
            "Kept",
            "".join(folded(f"{len(some):,} {kind}", _table(some)) for kind, some in _by_kind(kept).items())
            or "Nothing.",
        ),
    ]
    html = page(
        f"Retention{': dry run' if sweep.is_dry_run else ''}",
        sweep.sentence,
        sections,
        tone="ask" if sweep.notes else "good",
        facts=about_run(run),
        links=find_links(run.settings, {}),
    )
    save(run.settings.home / "reports" / name, html)
    return name


def _amounts(items: Sequence[Item]) -> str:
    """Return the size and number of items by kind as bars, the largest first."""
    amounts = []
    for kind, some in _by_kind(items).items():
        count, size = sum(item.count for item in some), sum(item.size_bytes for item in some) / 1e6
        amounts.append((kind, size, f"{count:,}{f', {size:,.1f} MB' if size else ''}"))
    return bars(sorted(amounts, key=lambda one: -one[1]))


def _by_kind(items: Sequence[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.kind, []).append(item)
    return found


def _table(items: Sequence[Item]) -> str:
    """Return the items in a table, the largest first."""
    rows = [
        (item.name, item.kind, item.why, Figure(_size(item))) for item in sorted(items, key=lambda i: -i.size_bytes)
    ]
    return table(("Name", "Kind", "Reason", "Size"), rows)


def _word(sweep: Sweep, item: Item) -> str:
    if item.is_kept:
        return "keep"
    return "delete" if sweep.is_dry_run else "deleted"


def _size(item: Item) -> str:
    return f"{item.size_bytes / 1e6:,.1f} MB" if item.size_bytes else ""
