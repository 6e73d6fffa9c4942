"""Propose: suggest limits from a snapshot and earlier runs, as a file for people to review.

For each limit the file gives the value in force, the observed values and the suggestion; limits that let more pass than
today are marked. Nothing reads it: a person who agrees commits it as `include/validation/limits.toml`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from include.adapters.warehouse import connect, query
from include.core.contract import TABLES, SourceTable
from include.core.errors import ArtifactDamaged, DaybreakError
from include.core.numbers import write_count, write_number
from include.core.settings import Settings
from include.data.snapshot import Snapshot, find_snapshot, open_snapshot_tables
from include.data.store import scratch
from include.validation.history.checks import Past, read_stream
from include.validation.history.profiles import null_share, profile_snapshot
from include.validation.history.volume import Stream
from include.validation.limits import Limits, TableLimits, load_limits

ENOUGH_RUNS = 5
ROOM = 0.15  # a suggested limit is this share beyond the observed values
CODES = {
    "change": {"mean_shift": "ANO101", "word_distance": "ANO102", "null_share": "ANO103"},
    "skew": {"number_distance": "SKW101", "word_distance": "SKW102", "null_share": "SKW103"},
}
HEAD = """# Limits suggested by snapshot {id}, as of {as_of:%Y-%m-%d %H:%M} UTC.
#
# Not in force yet. Read each line, correct it where you know better, and commit the file as
# include/validation/limits.toml; the next run reads it. Lines marked LOOSER let more pass than today.

min_days = {limits.min_days}
min_rows = {limits.min_rows}
"""


def propose(settings: Settings, snapshot_id: str | None = None) -> Path:
    """Save the suggestion for this snapshot, or for the newest validated one, and return its path."""
    limits, snapshot = load_limits(), _find_snapshot(settings, snapshot_id)
    with connect(settings) as warehouse:
        observed = {code: (most, runs) for code, most, runs in warehouse.execute(query("validation/history/observed"))}
    profile = profile_snapshot(settings, snapshot)
    lines = [HEAD.format(id=snapshot.id, as_of=snapshot.as_of, limits=limits)]
    with open_snapshot_tables(settings, snapshot) as connection:
        for table in TABLES:
            since = snapshot.window_start
            if table.name == "articles":
                since -= timedelta(days=settings.article_lookback_days)
            stream = (
                read_stream(connection, table.name, snapshot, since, Past({table.name: {}}, None))
                if table.day_column
                else None
            )
            lines += _table(table, profile, stream, limits)
    for section in CODES:
        lines += _distances(section, limits, observed)
    path = settings.home / "proposals" / f"limits-{snapshot.id}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = scratch(settings)
    draft.write_text("\n".join(lines) + "\n")
    load_limits(draft)  # raises unless the suggestion is valid
    return draft.replace(path)


def _find_snapshot(settings: Settings, snapshot_id: str | None) -> Snapshot:
    try:
        return find_snapshot(settings, snapshot_id or _newest(settings))
    except ArtifactDamaged as error:
        if snapshot_id is None:
            raise
        raise DaybreakError(
            f"There is no snapshot {snapshot_id}.", hint="without --snapshot the newest validated one is used."
        ) from error


def _newest(settings: Settings) -> str:
    with connect(settings) as warehouse:
        found = warehouse.execute(query("validation/history/newest_snapshots")).fetchone()
    if found is None:
        raise DaybreakError("No snapshot has been validated yet.", hint="run `bin/daybreak retrain` first.")
    return str(found[0])


def _table(table: SourceTable, profile: dict[str, Any], stream: Stream | None, limits: Limits) -> Iterator[str]:
    present = limits.of(table.name)
    yield f"\n[{table.name}]"
    yield from _volume(present, stream, limits.min_days)
    days = [day for _, day in sorted(profile["days"][table.name].items()) if day["rows"]]
    yield from _numbers(table, days)
    yield f"\n[{table.name}.null_share]"
    yield from _null_shares(present, [day for day in days if day["rows"] >= limits.min_rows])
    yield f"\n[{table.name}.words]"
    yield from _words(present, days)


def _volume(present: TableLimits, stream: Stream | None, min_days: int) -> Iterator[str]:
    spans = [rows for back, rows in (stream.spans if stream else {}).items() if back > 0]
    middle = median(spans) if spans else 0
    keep = ("block_below", "block_above", "warn_below", "warn_above")
    if len(spans) < min_days or not middle:
        yield f"# {len(spans)} days of history, {min_days} are needed: left as they are."
        yield from (f"{name} = {getattr(present, name):g}" for name in keep)
    else:
        low, high = min(spans) / middle, max(spans) / middle
        yield f"# {len(spans)} days (24 hours) with {min(spans):,.0f} to {max(spans):,.0f} rows, usually {middle:,.0f}:"
        yield f"# {low:.2f} to {high:.2f} times what is usual"
        warn_below = min(0.95, max(0.1, math.floor(low * (1 - ROOM) * 20) / 20))
        warn_above = max(1.1, math.ceil(high * (1 + ROOM) * 20) / 20)
        suggested = (round(warn_below * 2 / 3, 2), round(warn_above * 2, 2), warn_below, warn_above)
        for name, value in zip(keep, suggested, strict=True):
            yield _line(name, value, getattr(present, name), is_floor=name.endswith("below"))
    if stream:
        gap = stream.usual_gap_hours or 0.0
        yield f"# the usual longest gap within a day: {gap:g} hours"
        yield _line("stale_hours", max(2.0, 3 * gap + 1), present.stale_hours)


def _line(name: str, value: float, present: float | None, *, is_floor: bool = False, why: str = "") -> str:
    if present is None:
        return f"{name} = {value:g}  # learned so far{why}"
    looser = value < present if is_floor else value > present
    mark = "as it is" if math.isclose(value, present) else f"{'LOOSER, ' if looser else ''}in force: {present:g}"
    return f"{name} = {value:g}  # {mark}{why}"


def _numbers(table: SourceTable, days: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the range of each number beside the rule that bounds it; rules are declared in include/core/contract.py."""
    for column in table.columns.names:
        seen = [day["columns"][column] for day in days if day["columns"].get(column, {}).get("mean") is not None]
        seen = [one for one in seen if one["kind"] == "number"]
        if not seen:
            continue
        rules = [f"{rule.code} allows {rule.limits}" for rule in table.rules if rule.column == column and rule.limits]
        least, most = min(one["min"] for one in seen), max(one["max"] for one in seen)
        middle = median(one["quantiles"][2] for one in seen)
        yield f"# {column}: {least:g} to {most:g}, half of them below {middle:g}; {', '.join(rules) or 'no rule'}"


def _null_shares(present: TableLimits, days: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "# Limits are learned from the days before; a line here fixes one. Suggested where values are always missing."
    for column in sorted({name for day in days for name in day["columns"]}):
        shares = [share for day in days if (share := null_share(day, column)) is not None]
        given = present.null_share.get(column)
        if given is None and (not shares or not min(shares)):
            continue
        most = max(shares, default=given or 0.0)
        value = round(min(1.0, most + 0.02), 3)
        if given is None and value == 1:
            continue  # nothing can exceed a limit of 1
        least = min(shares, default=0)
        spread = f"{write_number(least, 'share')} to {write_number(most, 'share')}"
        yield _line(column, value, given, why=f"; {spread} in {write_count(len(shares), 'day')}")


def _words(present: TableLimits, days: Sequence[dict[str, Any]]) -> Iterator[str]:
    counted: dict[str, dict[str, int]] = {}
    for day in days:
        for column, figures in day["columns"].items():
            for word, count in figures.get("words", {}).items():
                counted.setdefault(column, {}).setdefault(word, 0)
                counted[column][word] += count
    for column, words in sorted(counted.items()):
        ranked = sorted(words, key=lambda word: (-words[word], word))
        if column == "category":
            known = sorted({*ranked, *present.words.get(column, ())})
            new = sorted(set(ranked) - set(present.words.get(column, ())))
            yield f"# {len(new)} not announced so far; a word listed here is not called new (VOL108)"
            yield f"{column} = {json.dumps(known, ensure_ascii=False)}"
        else:
            told = ", ".join(f"{json.dumps(word, ensure_ascii=False)} {words[word]:,}" for word in ranked[:6])
            yield f"# {column}: {len(ranked)} words; {told}"


def _distances(section: str, limits: Limits, observed: dict[str, tuple[float, int]]) -> Iterator[str]:
    yield f"\n[{section}]"
    for name, code in CODES[section].items():
        present = getattr(getattr(limits, section), name)
        most, runs = observed.get(code, (0.0, 0))
        value = present if runs < ENOUGH_RUNS else min(1.0, max(0.05, math.ceil(most * 1.5 * 20) / 20))
        yield _line(name, value, present, why=f"; {code} saw up to {most:.2f} in {runs} runs")
