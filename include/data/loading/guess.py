"""Proposing a mapping, as YAML to review and correct, from the columns' names and first values.

The proposal shows an example beside each column, so that a person can spot errors; nothing is loaded from a guess. A
load with the corrected file checks every value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from include.core.errors import SourceError
from include.core.numbers import write_count, write_number
from include.core.settings import Settings
from include.data.loading.files import open_files
from include.data.loading.look import WHOLE, Look, look_at
from include.data.loading.mapping import REQUIRED

EXAMPLE_CHARACTERS = 40
MOST_FILES_NAMED = 5
IMPRESSIONS = re.compile(r"\S+-[01]( \S+-[01])*")
LIST = re.compile(r"\[.*\]", re.DOTALL)
PROSE = re.compile(r"[^\[{\s]\S*(\s+\S+){2,}", re.DOTALL)
UNITS = ((0.6e9, 4.2e9, "s"), (0.6e12, 4.2e12, "ms"), (0.6e15, 4.2e15, "us"), (0.6e18, 4.2e18, "ns"))
FORMATS_OF_TIME = {
    r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2} [AP]M": "%m/%d/%Y %I:%M:%S %p",
    r"\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}:\d{2}": "%d.%m.%Y %H:%M:%S",
}
# our column -> publishers' names for it, letters and digits only; the first match is taken
NAMES = {
    "reader_id": "readerid userid personid memberid customerid subscriberid visitorid clientid uid uuid user person"
    " reader member visitor contextsimple57",
    "article_id": "articleid clickarticleid itemid contentid newsid storyid postid documentid docid article item news"
    " story post page contextsimple25 url",
    "occurred_at": "occurredat clicktimestamp eventtimestamp eventtime impressiontime timestamp viewedat datetime"
    " time ts createdat date",
    "kind": "kind eventtype action event type",
    "dwell_seconds": "dwellseconds activetime dwelltime readtime timespent duration dwell seconds",
    "event_id": "eventid hitid interactionid",
    "session_id": "sessionid visitid session",
    "position": "position rank slot",
    "title": "title headline name",
    "category": "categorystr category category1 categoryid section desk topic",
    "summary": "summary abstract subtitle teaser description",
    "publisher": "publisher publisherid outlet source author",
    "language": "language lang",
    "word_count": "wordcount wordscount words",
    "published_at": "publishedat publishedtime publishtime published pubdate createdatts createdat publishdate"
    " timestamp date",
    "region": "region userregion country",
    "plan": "plan subscription tariff",
    "signed_up_at": "signedupat registered registeredat joinedat createdat",
}
COLUMNS = {
    "events": ("event_id", "reader_id", "article_id", "kind", "occurred_at", "dwell_seconds", "position", "session_id"),
    "articles": ("article_id", "title", "summary", "category", "publisher", "language", "word_count", "published_at"),
    "readers": ("reader_id", "region", "plan", "signed_up_at"),
}
ABOUT_ARTICLES = ("title", "summary", "category", "published_at")  # a file of events with one describes articles, too
COUNTED_FROM_ELSEWHERE = 'unit: ms, since: "???"'
MOMENTS = ("occurred_at", "published_at", "signed_up_at")
NUMBERS = ("event_id", "reader_id", "article_id", "session_id")


@dataclass(frozen=True)
class Guess:
    """A guessed section: our columns with the file's names for them, and the column that lists articles."""

    section: str
    found: dict[str, str]
    split: str | None


def propose(settings: Settings, given: Sequence[str]) -> str:
    """Return a mapping for these files, as YAML with examples; a file without rows joins the files it resembles."""
    kinds: dict[object, tuple[list[str], Look, Guess]] = {}  # files by the guessed columns
    without_rows: list[tuple[str, Look]] = []
    with open_files(settings, given) as sources:
        for source in sources:
            look = look_at(source)
            if not look.rows:
                without_rows.append((source.name, look))
                continue
            guess = _guess(look)
            columns = frozenset(guess.found.items() or enumerate(look.columns))
            kinds.setdefault((look.written, guess.split, columns), ([], look, guess))[0].append(source.name)
    if not kinds:
        told = _name_some(name for name, _ in without_rows)
        raise SourceError(
            f"None of {write_count(len(without_rows), 'file')} has enough rows to guess from: {told}.",
            hint="give at least one file with rows; a table needs two lines, as the first may be its header.",
        )
    unlike = [name for name, look in without_rows if not _join_alike(name, look, kinds.values())]
    parts = ["# A guess. Check and correct every line, then run: bin/daybreak load FILES --mapping THIS_FILE"]
    seen: set[str] = set()
    for names, look, guess in sorted(kinds.values(), key=lambda kind: -len(kind[0])):
        sections = [guess]
        if guess.section == "events" and not look.is_headless:
            about = _guess_articles(look, guess)
            sections += [about] if about else []
        for one in sections:
            text = f"{one.section}:\n  files: {json.dumps(_patterns(names))}\n" + "\n".join(_lines(look, one, guess))
            if one.section in seen:
                text = "\n".join(f"# {line}" for line in ["another format for this section:", *text.splitlines()])
            seen.add(one.section)
            parts.append(text)
    if unlike:
        parts.append(
            f"# leave out {write_count(len(unlike), 'file')} without rows that resemble no other: {_name_some(unlike)}"
        )
    return "\n".join(parts)


def _join_alike(name: str, look: Look, kinds: Iterable[tuple[list[str], Look, Guess]]) -> bool:
    """Add a file without rows to the first kind with its header or its numbered name; return whether there is one."""
    for names, other, _ in kinds:
        has_header = not other.is_headless and [*look.titles] == other.columns
        if has_header or _unnumbered(name) in map(_unnumbered, names):
            names.append(name)
            return True
    return False


def _name_some(files: Iterable[str]) -> str:
    names = list(files)
    more = f" and {len(names) - MOST_FILES_NAMED:,} more" if len(names) > MOST_FILES_NAMED else ""
    return ", ".join(names[:MOST_FILES_NAMED]) + more


def _guess(look: Look) -> Guess:
    columns = look.columns
    split = next((c for c in columns if look.cells(c) and all(map(IMPRESSIONS.fullmatch, look.cells(c)))), None)
    lists = {c for c in columns if look.cells(c) and all(map(LIST.fullmatch, look.cells(c)))}
    found = _by_value(look, split) if look.is_headless else {}
    taken = set(found.values())
    has_reader = "reader_id" in found or bool(_named(columns, "reader_id", taken))
    has_article = "article_id" in found or bool(split) or bool(_named(columns, "article_id", taken | lists))
    if has_reader and not has_article:
        split = next((c for c in sorted(lists, key=lambda c: "click" not in c.lower()) if _is_of_articles(c)), None)
    section = "events" if has_reader and (has_article or split) else "readers" if has_reader else "articles"
    for target in COLUMNS[section]:
        if target in found or look.is_headless or (split and target == "article_id"):
            continue
        if name := _named(columns, target, taken | lists):
            found[target] = name
            taken.add(name)
    return Guess(section, found, split)


def _guess_articles(look: Look, events: Guess) -> Guess | None:
    """Return the guess for the articles that a file of events describes, if any."""
    taken = set(events.found.values())
    found = {target: name for target in COLUMNS["articles"][1:] if (name := _named(look.columns, target, taken))}
    found = {target: name for target, name in found.items() if not all(map(LIST.fullmatch, look.cells(name)))}
    if events.split or not set(ABOUT_ARTICLES) & set(found):
        return None
    return Guess("articles", {"article_id": events.found["article_id"], **found}, None)


def _is_of_articles(column: str) -> bool:
    return any(word in column.lower() for word in ("article", "news", "item", "click", "doc", "story", "post"))


def _lines(look: Look, guess: Guess, of_events: Guess) -> list[str]:
    """Return the lines of a section below its files."""
    found, split, section = guess.found, guess.split, guess.section
    lines = list(look.written)
    if split and section == "events":
        lines.append(f"split: {{column: {_key(split, look.is_headless)}}}")
    has_dwell = section == "events" and "dwell_seconds" in found and "kind" not in found
    if has_dwell:
        lines.append("read_without_dwell: click")
    if section == "articles" and "published_at" in found:
        lines.append("first_sight: if_earlier  # an event before published_at counts as the time of publishing")
    lines.append("columns:")
    for target in COLUMNS[section]:
        if split and section == "events" and target in ("article_id", "kind"):
            lines.append("  " + _of_split(target, _key(split, look.is_headless), look.cells(split)))
        elif target in found:
            lines.append("  " + _line(target, _key(found[target], look.is_headless), look, found[target], section))
        elif target == "kind":
            lines.append(f"  kind: {{constant: {'read' if has_dwell else 'click'}}}")
        elif target in ("reader_id", "article_id", "occurred_at"):
            lines.append(f"  {target}: ???  # which column?")
    used = {*found.values(), *of_events.found.values(), split}
    left = [f"{name} ({_example(look.cells(name))})" for name in look.columns if name not in used]
    if left and guess is of_events:
        lines.append(f"# not used: {', '.join(left)}")
    return [f"  {line}" for line in lines]


def _named(columns: list[str], target: str, taken: set[str]) -> str | None:
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in reversed(columns) if name not in taken}
    return next((plain[name] for name in NAMES[target].split() if name in plain), None)


def _by_value(look: Look, split: str | None) -> dict[str, str]:
    """Guess columns without names: a time by its format, the first texts as ids, then a category and prose."""
    found: dict[str, str] = {}
    values = {name: look.cells(name) for name in look.columns if look.cells(name) and name != split}
    for name, cells in values.items():
        if "occurred_at" not in found and _moment(cells) != "":
            found["occurred_at"] = name
    texts = [name for name, cells in values.items() if name not in found.values() and not WHOLE.fullmatch(cells[0])]
    if split and texts:
        return {**found, "reader_id": texts[0]}
    prose = [name for name in texts[1:] if sum(map(bool, map(PROSE.fullmatch, values[name]))) > len(values[name]) / 2]
    if texts:
        found["article_id"] = texts[0]
        found |= {"category": texts[1]} if len(texts) > 1 and texts[1] not in prose else {}
        found |= dict(zip(("title", "summary"), prose, strict=False))
    return found


def _moment(cells: list[str]) -> str:
    """Return the format of a time, as YAML; empty if the cells are not times."""
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


def _line(target: str, key: str, look: Look, column: str, section: str) -> str:
    cells, share = look.cells(column), look.empty_share(column)
    more, told = "", _example(cells)
    if target in MOMENTS:
        how = _moment(cells) if cells else ""
        more = f", {how or COUNTED_FROM_ELSEWHERE}"
        told = "is the zone right?" if "zone: UTC" in how else told if how else f"{told}; which unit, since when?"
    elif target == "kind":
        values = ", ".join(f"{json.dumps(value)}: {_kind(value)}" for value in sorted(set(cells)))
        return f"kind: {{column: {key}, values: {{{values}}}}}  # other values are rejected; skip leaves a row out"
    elif target in NUMBERS and not all(
        WHOLE.fullmatch(cell.strip()) and abs(int(float(cell))) < 2**63 for cell in cells
    ):
        more = ", type: text"
    if share and target in REQUIRED[section]:
        more, told = f"{more}, empty: skip", f"{told}; empty in {write_number(share, 'share')} of the first rows"
    return f"{target}: {f'{{column: {key}{more}}}' if more else key}  # {told}"


def _of_split(target: str, key: str, cells: list[str]) -> str:
    if all(map(LIST.fullmatch, cells)):
        is_number = all(map(WHOLE.fullmatch, re.findall(r"[^\[\]\s,]+", " ".join(cells))))
        more = "" if is_number else ", type: text"
        return f"article_id: {{column: {key}{more}}}" if target == "article_id" else "kind: {constant: click}"
    if target == "article_id":
        return f'article_id: {{column: {key}, take: "^(.+)-[01]$", type: text}}'
    return f'kind: {{column: {key}, take: "-([01])$", values: {{"1": [impression, click], "0": impression}}}}'


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


def _patterns(files: list[str]) -> str | list[str]:
    """Return patterns that match all the names, a single one if they differ only in numbers."""
    if len(set(files)) == 1:
        return files[0]
    patterns = sorted(set(map(_unnumbered, files)))
    return "[0-9]*" if patterns == ["*"] else patterns[0] if len(patterns) == 1 else patterns


def _unnumbered(name: str) -> str:
    """Return the name with a star for each number in it."""
    return re.sub(r"\d+", "*", name)
