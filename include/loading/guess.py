"""A proposal for a mapping, from the names and the first values of the files' columns: YAML to look at and to correct.

Nothing is loaded by a guess. What a column seems to be is written beside an example of it, so that a person sees at
once what is wrong; a load with the corrected file then checks every value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pyarrow.parquet as pq

from include.errors import SourceError
from include.loading.files import FORMATS, Source, delimiter_of, first_rows, head, open_files
from include.settings import Settings

Rows = list[dict[str, str]]

ROWS_LOOKED_AT = 2000
EXAMPLE_CHARACTERS = 40
IMPRESSIONS = re.compile(r"\S+-[01]( \S+-[01])*")
WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
UNITS = ((0.6e9, 4.2e9, "s"), (0.6e12, 4.2e12, "ms"), (0.6e15, 4.2e15, "us"), (0.6e18, 4.2e18, "ns"))
FORMATS_OF_TIME = {
    r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2} [AP]M": "%m/%d/%Y %I:%M:%S %p",
    r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}:\d{2}": "%d.%m.%Y %H:%M:%S",
}
# our column -> what publishers call it, letters and digits only; the first that is there is taken
NAMES = {
    "reader_id": "readerid userid personid memberid customerid subscriberid visitorid clientid uid user person reader"
    " member visitor",
    "article_id": "articleid clickarticleid itemid contentid newsid storyid postid documentid docid article item news"
    " story post page url",
    "occurred_at": "occurredat clicktimestamp eventtimestamp eventtime timestamp viewedat datetime time ts createdat"
    " date",
    "kind": "kind eventtype action event type",
    "dwell_seconds": "dwellseconds activetime dwelltime readtime timespent duration dwell seconds",
    "event_id": "eventid hitid interactionid",
    "session_id": "sessionid visitid session",
    "position": "position rank slot",
    "title": "title headline name",
    "category": "category categoryid section desk topic",
    "summary": "summary abstract teaser description",
    "publisher": "publisher publisherid outlet source author",
    "language": "language lang",
    "word_count": "wordcount wordscount words",
    "published_at": "publishedat publishtime published pubdate createdatts createdat publishdate timestamp date",
    "region": "region userregion country",
    "plan": "plan subscription tariff",
    "signed_up_at": "signedupat registered registeredat joinedat createdat",
}
COLUMNS = {
    "events": ("event_id", "reader_id", "article_id", "kind", "occurred_at", "dwell_seconds", "position", "session_id"),
    "articles": ("article_id", "title", "summary", "category", "publisher", "language", "word_count", "published_at"),
    "readers": ("reader_id", "region", "plan", "signed_up_at"),
}
MOMENTS = ("occurred_at", "published_at", "signed_up_at")
NUMBERS = ("event_id", "reader_id", "article_id", "session_id")


def propose(settings: Settings, given: Sequence[str]) -> str:
    """A mapping for these files, as YAML with examples."""
    kinds: dict[tuple[str, ...], tuple[list[str], Rows, bool]] = {}  # files by the names of their columns
    with open_files(settings, given) as sources:
        for source in sources:
            rows, is_headless = _look(source)
            columns = tuple(dict.fromkeys(name for row in rows for name in row))
            kinds.setdefault((source.suffix, *columns), ([], rows, is_headless))[0].append(source.name)
    parts = ["# A guess. Look at every line, correct it, then: bin/daybreak load FILES --mapping THIS_FILE"]
    seen: set[str] = set()
    for names, rows, is_headless in kinds.values():
        section, body = _section(rows, is_headless)
        text = f"{section}:\n  files: {json.dumps(_pattern(names))}\n{body}"
        if section in seen:
            text = "\n".join(f"# {line}" for line in ["there is a second kind of file for this:", *text.splitlines()])
        seen.add(section)
        parts.append(text)
    return "\n".join(parts)


def _look(source: Source) -> tuple[Rows, bool]:
    """The first rows by column, and whether the columns have no names, only numbers."""
    if FORMATS.get(source.suffix) == "parquet":
        batch = next(pq.ParquetFile(source.path).iter_batches(ROWS_LOOKED_AT), None)
        found = batch.to_pylist() if batch is not None else []
        return [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in found], False
    text = head(source)
    if FORMATS.get(source.suffix) == "jsonl":
        return [_flat(line, source) for line in text.splitlines()[:ROWS_LOOKED_AT] if line.strip()], False
    rows = first_rows(text, delimiter_of(None, source), ROWS_LOOKED_AT + 1)
    if len(rows) < 2:
        raise SourceError(f"{source.name} has {len(rows)} row(s): too few to guess from.", hint="give a fuller file.")
    is_headless = any(any(sign.isdigit() for sign in cell) and not cell.strip().isidentifier() for cell in rows[0])
    titles = (
        [str(number) for number in range(1, len(rows[0]) + 1)] if is_headless else [cell.strip() for cell in rows[0]]
    )
    return [dict(zip(titles, row, strict=False)) for row in (rows if is_headless else rows[1:])], is_headless


def _flat(line: str, source: Source) -> dict[str, str]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(row, dict):
        raise SourceError(f"{source.name} has no JSON object on each line.", hint="write one object per line.")
    found = {}
    for name, value in row.items():
        for key, cell in (
            ((f"{name}.{inner}", cell) for inner, cell in value.items())
            if isinstance(value, dict)
            else ((name, value),)
        ):
            found[key] = "" if cell is None else str(cell)
    return found


def _section(rows: Rows, is_headless: bool) -> tuple[str, str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    values = {name: [row[name] for row in rows if row.get(name)] for name in columns}
    lines = ["  header: false"] if is_headless else []
    split = next((c for c in columns if values[c] and all(IMPRESSIONS.fullmatch(v) for v in values[c])), None)
    found = _by_value(values, split) if is_headless else {}
    taken = set(found.values())
    has_reader = "reader_id" in found or bool(_named(columns, "reader_id", taken))
    has_article = "article_id" in found or bool(split) or bool(_named(columns, "article_id", taken))
    section = "events" if has_reader and has_article else "readers" if has_reader else "articles"
    for target in COLUMNS[section]:
        if target not in found and not is_headless and (name := _named(columns, target, taken)):
            found[target] = name
            taken.add(name)
    if split and section == "events":
        lines.append(f"  split: {{column: {_key(split, is_headless)}}}")
    lines.append("  columns:")
    for target in COLUMNS[section]:
        if split and section == "events" and target in ("article_id", "kind"):
            lines.append(_of_split(target, _key(split, is_headless)))
        elif target in found:
            lines.append(_line(target, _key(found[target], is_headless), values[found[target]]))
        elif target == "kind":
            lines.append("    kind: {constant: click}")
        elif target in ("reader_id", "article_id", "occurred_at"):
            lines.append(f"    {target}: ???  # which column?")
    left = [f"{name} ({_example(values[name])})" for name in columns if name not in found.values() and name != split]
    if left:
        lines.append(f"  # not used: {', '.join(left)}")
    return section, "\n".join(lines)


def _named(columns: list[str], target: str, taken: set[str]) -> str | None:
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(columns) if name not in taken}
    return next((plain[name] for name in NAMES[target].split() if name in plain), None)


def _by_value(values: dict[str, list[str]], split: str | None) -> dict[str, str]:
    """Columns without names: a time by its looks, then the first texts as ids."""
    found: dict[str, str] = {}
    for name, cells in values.items():
        if cells and name != split and "occurred_at" not in found and _moment(cells) != "":
            found["occurred_at"] = name
    texts = [
        n
        for n, cells in values.items()
        if cells and n not in (split, *found.values()) and not WHOLE.fullmatch(cells[0])
    ]
    if split and texts:
        found["reader_id"] = texts[0]
    elif texts:
        found["article_id"] = texts[0]
        found |= dict(zip(("category", "title"), [texts[1], texts[-1]] if len(texts) > 2 else [], strict=False))
    return found


def _moment(cells: list[str]) -> str:
    """How a time is written, as YAML; empty when it is none, or plain ISO with its zone."""
    first = cells[0].strip()
    if WHOLE.fullmatch(first):
        return next((f"unit: {unit}" for low, high, unit in UNITS if low <= float(first) < high), "")
    for pattern, form in FORMATS_OF_TIME.items():
        if re.fullmatch(pattern, first):
            return f'format: "{form}", zone: UTC'
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", first):
        is_zoned = re.search(r":\d{2}([.,]\d+)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)$", first)
        return "unit: iso" if is_zoned else "zone: UTC"
    return ""


def _line(target: str, key: str, cells: list[str]) -> str:
    more = ""
    if target in MOMENTS:
        more = _moment(cells) if cells else ""
        told = "  # is the zone right?" if "zone: UTC" in more else ""
        more = f", {more}" if more else ", unit: ???"
        return f"    {target}: {{column: {key}{more}}}{told or f'  # {_example(cells)}'}"
    if target == "kind":
        seen = sorted(set(cells))
        values = ", ".join(f"{json.dumps(value)}: {_kind(value)}" for value in seen)
        return f"    kind: {{column: {key}, values: {{{values}}}}}  # others are refused; skip leaves out"
    if target in NUMBERS and not all(WHOLE.fullmatch(cell.strip()) and abs(int(float(cell))) < 2**63 for cell in cells):
        more = ", type: text"
    return f"    {target}: {f'{{column: {key}{more}}}' if more else key}  # {_example(cells)}"


def _of_split(target: str, key: str) -> str:
    if target == "article_id":
        return f'    article_id: {{column: {key}, take: "^(.+)-[01]$", type: text}}'
    return f'    kind: {{column: {key}, take: "-([01])$", values: {{"1": [impression, click], "0": impression}}}}'


def _kind(value: str) -> str:
    plain = value.lower()
    if any(word in plain for word in ("impr", "show", "expos")):
        return "impression"
    return (
        "read" if "read" in plain else "click" if any(word in plain for word in ("view", "click", "open")) else "skip"
    )


def _key(name: str, is_headless: bool) -> str:
    return name if is_headless else json.dumps(name) if not name.isidentifier() else name


def _example(cells: list[str]) -> str:
    return " ".join(cells[0].split())[:EXAMPLE_CHARACTERS] if cells else "empty"


def _pattern(files: list[str]) -> str | list[str]:
    """One pattern that all the names fit, where they only differ in numbers; else the names."""
    patterns = {re.sub(r"\d+", "*", name) for name in files}
    return files[0] if len(files) == 1 else patterns.pop() if len(patterns) == 1 else files
