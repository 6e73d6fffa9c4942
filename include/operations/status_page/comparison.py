"""Two versions side by side: how they were judged, by whom they were read, and what they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import nan
from typing import Any

from include.adapters import mlflow_registry
from include.adapters.warehouse import connect
from include.core.errors import DaybreakError
from include.core.html import Figure
from include.core.numbers import write_count, write_number
from include.core.settings import Settings
from include.judging.bootstrap import Gap
from include.judging.intervals import place_intervals
from include.judging.page import side_by_side
from include.operations.status_page.facts import Row, ask, with_pages
from include.operations.status_page.parts import Card, Cell, Line, Page, Places, Table, tell_moment
from include.operations.versions import find_reigns
from include.pipeline.deciding import tell_verdict

CHALLENGER, CHAMPION = "challenger", "champion"  # in a verdict's numbers
NAMES = {"articles": "Articles", "reading_events": "Reading events", "subscribers": "Readers"}


@dataclass(frozen=True)
class Comparison:
    """Two versions with their training, the verdict between them, their reigns and how readers read their lists.

    `parameters` is None while MLflow does not tell them.
    """

    versions: tuple[Row, Row]
    verdict: Row | None
    reigns: Sequence[Row]
    reading: Mapping[int, Row]
    parameters: tuple[Mapping[str, str], Mapping[str, str]] | None


def find_comparison(settings: Settings, a: int, b: int) -> Comparison:
    """Return the facts on two versions; raise `DaybreakError` if one does not exist or both are the same."""
    if a == b:
        raise DaybreakError(f"v{a} cannot be compared with itself.", hint="choose two versions.")
    with connect(settings) as warehouse:
        found = {row["version"]: row for row in ask(warehouse, "two_versions", {"versions": [a, b]})}
        verdicts = ask(warehouse, "verdict_between", {"a": a, "b": b})
        asked = {"versions": [a, b], "window_hours": settings.monitor_window_hours}
        reading = {row["version"]: row for row in ask(warehouse, "reading_by_version", asked)}
    for version in (a, b):
        if version not in found:
            raise DaybreakError(f"There is no version v{version}.", hint="the page Champions lists them all.")
    try:
        first, second = (mlflow_registry.read_parameters(settings, found[one]["mlflow_run_id"]) for one in (a, b))
        parameters = (first, second)
    except DaybreakError:  # MLflow is away or lost a run; the page is about more than that
        parameters = None
    reigns = [row for row in find_reigns(settings) if row["version"] in (a, b)]
    verdict = next(iter(with_pages(settings, verdicts)), None)
    return Comparison((found[a], found[b]), verdict, reigns, reading, parameters)


def build_comparison_page(facts: Comparison, places: Places) -> Page:
    """Return the page: which is better in a sentence, and then what decided, for whom, by what and with readers."""
    a, b = (f"v{row['version']}" for row in facts.versions)
    cards = [
        _tell_verdict(facts, places),
        *_draw_groups(facts),
        _tell_reading(facts),
        _tell_training(facts),
        _tell_parameters(facts),
    ]
    return Page(f"{a} and {b} side by side", f"{_conclude(facts)} {_conclude_reading(facts)}".strip(), cards=cards)


def _whole(facts: Comparison) -> Mapping[str, Any] | None:
    """Return the difference over all readers, challenger minus champion; None if it was not measured or is unfair."""
    found = _differences(facts)
    return found[0] if found and found[0]["low"] is not None else None


def _differences(facts: Comparison) -> list[Mapping[str, Any]]:
    """Return those of the verdict; none if another version stood in for the champion."""
    return [one for one in (facts.verdict or {}).get("differences", ()) if one["rival"] == _rival(facts)]


def _rival(facts: Comparison) -> int | None:
    return facts.verdict["champion_version"] if facts.verdict else None


def _conclude(facts: Comparison) -> str:
    a, b = (f"v{row['version']}" for row in facts.versions)
    if facts.verdict is None:
        return f"{a} and {b} were never judged against each other, so their figures are not of the same readers."
    ours, theirs = f"v{facts.verdict['challenger_version']}", f"v{_rival(facts)}"
    gap = _whole(facts)
    if gap is None:
        return f"{ours} was judged against {theirs}, without a fair comparison on record."
    mean, low, high = (write_number(gap[name], "gain") for name in ("mean", "low", "high"))
    told = f"{mean}, 95 % interval {low} to {high}"
    if gap["low"] > 0:
        return f"{ours} is more accurate than {theirs} on the same reading ({told})."
    if gap["high"] < 0:
        return f"{ours} is less accurate than {theirs} on the same reading ({told})."
    return f"{ours} and {theirs} do not differ clearly in accuracy on the same reading ({told})."


def _conclude_reading(facts: Comparison) -> str:
    read = [
        f"{facts.reading[row['version']]['seconds_per_article']:.1f} s per article shown by v{row['version']}"
        for row in facts.versions
        if row["version"] in facts.reading
    ]
    return f"Readers read {' and '.join(read)}." if read else ""


def _tell_verdict(facts: Comparison, places: Places) -> Card:
    verdict = facts.verdict
    if verdict is None:
        return Card("What decided", "No verdict compares the two. Each was judged against the champion of its day.")
    sentence = tell_verdict(verdict)
    contestants = {CHALLENGER: verdict["challenger_version"], CHAMPION: verdict["champion_version"]}
    shown = {
        who: {name: nan if value is None else value for name, value in verdict["metrics"][who].items()}
        for version in (row["version"] for row in facts.versions)
        for who, of in contestants.items()
        if of == version and who in verdict["metrics"]
    }
    table = Table(
        "All numbers of the verdict",
        ("Measure", *(f"v{contestants[who]}" for who in shown)),
        [[name, *figures] for name, *figures in side_by_side(shown)],
        shown=3,
    )
    links = [places.report(verdict["page"], "The verdict")] if verdict["page"] else []
    lines = [Line("Judged as of", tell_moment(verdict["as_of"]))]
    gap = _whole(facts)
    if gap:
        lines.append(Line("Chance of a gain", write_number(gap["chance"], "share")))
    return Card("What decided", sentence, lines=lines, tables=[table], links=links, is_wide=True)


def _draw_groups(facts: Comparison) -> list[Card]:
    found = _differences(facts)
    rows = [(one["name"], _to_gap(one)) for one in found]
    few = {one["name"] for one in found if not one["is_comparable"]}
    rows.sort(key=lambda row: row[0] in few)
    ranges = place_intervals(rows, few)
    if ranges is None or facts.verdict is None:
        return []
    ours, theirs = f"v{facts.verdict['challenger_version']}", f"v{_rival(facts)}"
    lead = f"Gain in accuracy of {ours} over {theirs}; right of the line {ours} is better."
    return [Card("By group of readers, category and part of the hold-out", lead, ranges=ranges, is_wide=True)]


def _to_gap(kept: Mapping[str, Any]) -> Gap:
    values: dict[str, Any] = {one.name: nan if kept[one.name] is None else kept[one.name] for one in fields(Gap)}
    return Gap(**values)


def _tell_reading(facts: Comparison) -> Card:
    rows: list[tuple[Cell, ...]] = []
    for reign in facts.reigns:
        until = tell_moment(reign["until"]) if reign["until"] else "still champion"
        seconds = reign["seconds_per_article"]
        rows.append(
            (
                f"v{reign['version']}",
                tell_moment(reign["since"]),
                until,
                "rolled back" if reign["action"] == "rollback" else "promoted",
                Figure(f"{seconds:.1f} s") if seconds else "not measured",
            )
        )
    lines = [
        Line(
            f"v{version}",
            f"{row['seconds_per_article']:.1f} s per article, {write_count(row['impressions'], 'article')} shown in "
            f"{write_count(row['windows'], 'window')} up to {tell_moment(row['until'])}",
        )
        for version, row in sorted(facts.reading.items())
    ]
    silent = [f"v{row['version']}" for row in facts.versions if row["version"] not in facts.reading]
    lead = f"The lists of {' and '.join(silent)} have not been measured with readers yet." if silent else ""
    headings = ("Version", "From", "To", "How", "Last window, per article")
    tables = [Table("Their reigns, newest first", headings, rows)] if rows else []
    return Card("With readers", lead, lines=lines, tables=tables, is_wide=True)


def _tell_training(facts: Comparison) -> Card:
    def tell(row: Mapping[str, Any]) -> dict[str, Cell]:
        window = f"{tell_moment(row['window_start'])} to {tell_moment(row['as_of'])}" if row["window_start"] else None
        counted = {name: f"{row['rows'][table]:,}" if row["rows"] else None for table, name in NAMES.items()}
        until = tell_moment(row["trained_until"]) if row["trained_until"] else None
        return {
            "Model": row["model"],
            "Trained": tell_moment(row["registered_at"]),
            "Window": window,
            "Learnt from reading up to": until,
            "Features": row["feature_version"],
            "Snapshot": row["snapshot_id"],
            **counted,
        }

    a, b = (tell(row) for row in facts.versions)
    headings = ("", *(f"v{row['version']}" for row in facts.versions))
    same = "" if a["Snapshot"] != b["Snapshot"] else "Both learnt from the same snapshot."
    rows = [(name, a[name], b[name]) for name in a]
    return Card("Training data", same, tables=[Table("Training data", headings, rows)], is_wide=True)


def _tell_parameters(facts: Comparison) -> Card:
    if facts.parameters is None:
        return Card("Parameters that differ", "MLflow does not tell them at present.")
    a, b = facts.parameters
    names = sorted(a.keys() | b.keys())
    differing = [name for name in names if a.get(name) != b.get(name)]
    same = len(names) - len(differing)
    if not differing:
        return Card("Parameters that differ", f"None: {write_count(same, 'parameter')}, all the same.")
    headings = ("Parameter", *(f"v{row['version']}" for row in facts.versions))
    rows = [(name, a.get(name), b.get(name)) for name in differing]
    table = Table("Parameters that differ", headings, rows, shown=20)
    lead = f"{write_count(len(differing), 'parameter')}; {same:,} more the same."
    return Card("Parameters that differ", lead, tables=[table], is_wide=True)
