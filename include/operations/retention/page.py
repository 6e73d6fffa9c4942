"""The result of a sweep for people: a table for a terminal and a page."""

from __future__ import annotations

from collections.abc import Sequence

from include.core.clock import compact
from include.core.html import page, save, table
from include.core.settings import Settings
from include.operations.retention import Item, Sweep

MOST_LINES = 200
EACH = ("versions", "snapshots")  # listed one by one, kept or not


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


def save_page(settings: Settings, sweep: Sweep) -> str:
    """Save the page and return its path below the reports."""
    name = f"retention/{compact(sweep.as_of)}{'-dry-run' if sweep.is_dry_run else ''}.html"
    sections = [(kind.title(), _table(sweep, [item for item in sweep.items if item.kind == kind])) for kind in EACH]
    sections.append(("Other removed items", _table(sweep, [one for one in sweep.items if one.kind not in EACH])))
    title = f"Retention{': dry run' if sweep.is_dry_run else ''}"
    save(settings.home / "reports" / name, page(title, sweep.sentence, sections))
    return name


def _table(sweep: Sweep, items: Sequence[Item]) -> str:
    rows = [(item.kind, item.name, _word(sweep, item), item.why, _size(item)) for item in items]
    return table(("kind", "name", "result", "reason", "size"), rows)


def _word(sweep: Sweep, item: Item) -> str:
    if item.is_kept:
        return "keep"
    return "delete" if sweep.is_dry_run else "deleted"


def _size(item: Item) -> str:
    return f"{item.size_bytes / 1e6:,.1f} MB" if item.size_bytes else ""
