"""Say in words what moved, from what is usual to what was found, and what ordinary windows show."""

from __future__ import annotations

import math
from collections.abc import Sequence

from include.core.numbers import capital, write_number
from include.monitoring.usual import Finding, Place

LABELS = {
    "reads.dwell_seconds": "seconds per read",
    "reads.long_dwell_seconds": "seconds that one read in ten exceeds",
    "reads.article_age_hours": "hours from publishing to reading",
    "reads.word_count": "word count of what is read",
    "reads.familiarity": "reads in the categories of readers' habits, as a multiple of chance",
    "reads.position": "position of what is read on its page",
    "reads.category": "category {name} among reads",
    "reads.publisher": "publisher {name} among reads",
    "reads.region": "region {name} among reads",
    "news.word_count": "word count of new articles",
    "news.publishing_lag_minutes": "minutes from publishing to arrival",
    "news.category": "category {name} among new articles",
    "news.publisher": "publisher {name} among new articles",
    "lists.seconds_per_article": "seconds of reading per article shown on the lists",
}
MEANS = (
    "reads.long_dwell_seconds",
    "reads.familiarity",
    "lists.seconds_per_article",
)  # of all other numbers the median is taken
DWELL = ("reads.dwell_seconds", "reads.long_dwell_seconds")
MOST_TOLD = 3
MUCH = 3.0  # as many times as usual, from here on
GONE = 10.0  # a share that falls by as many times
FAULT = 30.0  # a number that leaps this far is counted in another unit
MILLISECONDS = (100.0, 2000.0)  # times as long; in the first window only a part of the reads


def tell(finding: Finding) -> str:
    """Return what moved in a column, the names furthest from usual first."""
    told = [tell_place(finding.column, place) for place in finding.moved[:MOST_TOLD]]
    more = len(finding.moved) - len(told)
    return "; ".join([*told, *([f"{more} more like it"] if more else [])])


def tell_place(column: str, place: Place) -> str:
    """Return a number in words: `word count of what is read: median 412 → 655 (ordinary windows: 350 to 480)`."""
    value, usual, low, high = write_place(column, place)
    median = "median " if kind_of(column) != "share" and column not in MEANS else ""
    told = f"{LABELS[column].format(name=place.name)}{_hint(column, place)}: {median}{usual} → {value}"
    return f"{told} (ordinary windows: {low} to {high})"


def tell_all(findings: Sequence[Finding]) -> str:
    """Return one sentence on a window: what moved, or that nothing did."""
    moved = [tell(finding) for finding in findings if finding.moved]
    if moved:
        return f"{capital('; '.join(moved))}."
    judged = sum(not finding.note for finding in findings)
    if not judged:
        return "Nothing could be judged."
    return f"Nothing moved: all {judged} watched columns are as in ordinary windows."


def kind_of(column: str) -> str:
    """Return how numbers of a column are written: as shares, or plain."""
    return "share" if "{name}" in LABELS[column] else "plain"


def write_place(column: str, place: Place) -> tuple[str, str, str, str]:
    """Return value, usual and the ends of ordinary windows as people write them."""
    if kind_of(column) == "share":
        kind = "share"
    else:
        kind = "count" if place.usual >= 100 else "tenths" if place.usual >= 10 else "plain"
    value, usual, low, high = (
        write_number(number, kind) for number in (place.value, place.usual, max(place.low, 0.0), place.high)
    )
    return value, usual, low, high


def leap(place: Place) -> float:
    """Return how many times as large as usual a number is, or as small."""
    low, high = sorted((abs(place.value), abs(place.usual)))
    return high / low if low else math.inf if high else 1.0


def _hint(column: str, place: Place) -> str:
    """Return the likely meaning of a large move."""
    if column in DWELL and MILLISECONDS[0] < place.value / place.usual < MILLISECONDS[1]:
        return " look like milliseconds"
    if "{name}" not in LABELS[column]:
        return ""
    if place.value > place.usual and leap(place) >= MUCH:
        times = leap(place)
        return " is new" if math.isinf(times) else f" has {write_number(times, 'tenths')} times its usual share"
    if place.value < place.usual and leap(place) >= GONE:
        return " has gone dark" if column == "news.publisher" else " is almost gone"
    return ""
