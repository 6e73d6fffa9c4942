"""Volume and freshness: what row counts are expected for this day, and whether data is new enough.

Belongs here: the expectation, from the same weekdays or else the last days, the limits for Great Expectations that
follow, and checks, as pure functions of counts; counting is in `checks.py`. Days are spans of 24 hours counted back
from `as_of`, so that a run at any hour compares equal spans; 0 is the newest.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median

from include.core.checks import Check, Severity
from include.core.contract import Rule
from include.validation.limits import TableLimits

WEEK = 7
WEEKS_TO_BE_SURE = 3  # from this many same weekdays on, the last days are not used as well
NOISE = 4.0  # standard deviations of a count that chance explains, either way
SPREAD = 3.0  # the same for the days' own ups and downs, on a scale of multiples
NEVER_ENOUGH = 0.1  # below a tenth of the expectation a day counts as missing, however much days vary
MOST_NAMED = 3
NEWEST: tuple[tuple[str, str, Severity], ...] = (
    ("VOL101", "the newest 24 hours are there", "block"),
    ("VOL102", "the newest 24 hours are as full as usual", "warn"),
)

Counts = Mapping[int, float]  # days back -> rows


@dataclass(frozen=True)
class Stream:
    """A table's rows by time: per span of 24 hours, per full UTC day, and the age of the newest."""

    table: str
    as_of: datetime
    spans: Counts
    days: Mapping[date, int] = field(default_factory=dict)
    newest_age_hours: float | None = None
    usual_gap_hours: float | None = None


@dataclass(frozen=True)
class Expected:
    """The expected rows of a day, the grounds, and the spread of such days (as the logarithm of a factor)."""

    rows: float
    grounds: str
    spread: float


def expect(spans: Counts, weekday: str, min_days: int) -> list[Expected]:
    """Return the expectations for the newest span, by weekday and by the last days; empty with too little history."""
    before = {back: rows for back, rows in spans.items() if back > 0}
    if len(before) < min_days:
        return []
    same = [rows for back, rows in before.items() if back % WEEK == 0]
    last = [rows for back, rows in sorted(before.items())][: 2 * WEEK]
    found = []
    if same:
        grounds = f"the median of the last {len(same)} {weekday}s" if len(same) > 1 else f"the {weekday} before"
        found.append(Expected(median(same), grounds, _spread(same if len(same) >= WEEKS_TO_BE_SURE else last)))
    if len(same) < WEEKS_TO_BE_SURE:
        found.append(Expected(median(last), f"the median of the last {len(last)} days", _spread(last)))
    return found


def _spread(values: Sequence[float]) -> float:
    """Return the usual distance of days from their median, robustly, as the logarithm of a factor."""
    middle = median(values)
    steps = [abs(math.log((value + 1) / (middle + 1))) for value in values]
    return 1.4826 * median(steps)


def bounds(expected: Expected, below: float, above: float) -> tuple[float, float]:
    """Return the fewest and the most rows allowed: by share, by the days' own spread, and by chance."""
    rows, chance, factor = expected.rows, NOISE * math.sqrt(expected.rows), math.exp(SPREAD * expected.spread)
    low = min(max(min(below * rows, rows / factor), NEVER_ENOUGH * rows), rows - chance)
    high = max(above * rows, rows * factor, rows + chance + NOISE)
    return max(low, 0.0), high


def nearest(observed: float, expectations: Sequence[Expected]) -> Expected:
    """Return the expectation closest to the observed value."""
    return min(expectations, key=lambda one: abs(math.log((observed + 1) / (one.rows + 1))))


@dataclass(frozen=True)
class Allowed:
    """How many rows of the newest 24 hours a rule allows, and the expectation that says so."""

    rule: Rule
    expected: Expected
    fewest: int
    most: int

    @property
    def parameters(self) -> dict[str, float]:
        """Return the limits as Great Expectations gets them."""
        return dict(zip(self.rule.limits, (self.fewest, self.most), strict=True))


def allow(stream: Stream, limits: TableLimits, min_days: int) -> list[Allowed]:
    """Return what earlier days allow for the newest 24 hours; empty with too little history."""
    expectations = expect(stream.spans, f"{stream.as_of - timedelta(hours=24):%A}", min_days)
    if not expectations:
        return []
    expected = nearest(stream.spans.get(0, 0), expectations)
    shares = {"VOL101": (limits.block_below, limits.block_above), "VOL102": (limits.warn_below, limits.warn_above)}
    found = []
    for code, title, severity in NEWEST:
        low, high = bounds(expected, *shares[code])
        names = tuple(f"{stream.table}_{code}_{which}" for which in ("fewest", "most"))
        rule = Rule(code, title, "", "as_usual", names, severity, spans="window")
        found.append(Allowed(rule, expected, math.ceil(low), math.floor(high)))
    return found


def check_newest(stream: Stream, allowed: Sequence[Allowed], kept: Container[str], min_days: int) -> list[Check]:
    """Return the checks that the newest 24 hours have as many rows as usual; `kept` names the rules that they keep."""
    if not allowed:
        days = sum(back > 0 for back in stream.spans)
        return [unknown(code, title, stream.table, days, min_days) for code, title, _ in NEWEST]
    return [_between(stream, one, one.rule.code in kept) for one in allowed]


def check_table(stream: Stream, limits: TableLimits, min_days: int) -> list[Check]:
    """Return the checks on a table's earlier days and on the age of its newest row."""
    checks: list[Check] = []
    if stream.days:
        checks += _check_days(stream, min_days)
    if stream.newest_age_hours is not None:
        checks.append(_check_freshness(stream, limits))
    return checks


def _between(stream: Stream, allowed: Allowed, is_kept: bool) -> Check:
    rows, expected = stream.spans.get(0, 0), allowed.expected
    times = rows / expected.rows if expected.rows else None
    word = "as many" if is_kept else "fewer" if rows < allowed.fewest else "more"
    told = f"{rows:,.0f} rows in the newest 24 hours, {expected.rows:,.0f} expected by {expected.grounds}"
    verdict = f"{word} {'than' if word != 'as many' else 'as'} usual for this day"
    return Check(
        allowed.rule.code,
        allowed.rule.title,
        stream.table,
        allowed.rule.severity,
        "passed" if is_kept else "failed",
        times,
        f"{allowed.fewest:,} to {allowed.most:,} rows",
        f"{told}{f' ({times:.2f} times)' if times is not None else ''}: {verdict}; "
        f"{allowed.fewest:,} to {allowed.most:,} are allowed.",
    )


def _check_days(stream: Stream, min_days: int) -> list[Check]:
    """Return the checks for missing days: the newest full one stops the run, an older one is noted."""
    newest, older = ("VOL103", "the newest full day is there"), ("VOL104", "no earlier day is missing")
    if len(stream.days) <= min_days:
        return [unknown(*named, stream.table, len(stream.days) - 1, min_days) for named in (newest, older)]
    usual = median(stream.days.values())
    least = max(NEVER_ENOUGH * usual, 0.0) if usual - NOISE * math.sqrt(usual) > 0 else 0.0
    missing = [
        day for day, rows in sorted(stream.days.items()) if rows < least and not _is_quiet(day, stream.days, least)
    ]
    last = max(stream.days)
    severities: tuple[Severity, Severity] = ("block", "warn")
    parts = ([day for day in missing if day == last], [day for day in missing if day != last])
    checks = []
    for (code, title), severity, gone in zip((newest, older), severities, parts, strict=True):
        named = ", ".join(f"{day} ({stream.days[day]:,} rows)" for day in gone[-MOST_NAMED:])
        told = f"{len(gone)} missing or nearly so: {named}" if gone else f"all {len(stream.days)} days are there"
        sentence = f"{told}; a day usually has {usual:,.0f} rows, {least:,.0f} count as a day."
        outcome = "failed" if gone else "passed"
        checks.append(_counted(code, title, stream.table, severity, outcome, len(gone), sentence))
    return checks


def _is_quiet(day: date, days: Mapping[date, int], least: float) -> bool:
    """Return whether other days of this weekday are nearly empty too: some publishers rest on Sundays."""
    alike = [rows for other, rows in days.items() if other != day and other.weekday() == day.weekday()]
    return bool(alike) and median(alike) < least


def _check_freshness(stream: Stream, limits: TableLimits) -> Check:
    age, gap = stream.newest_age_hours or 0.0, stream.usual_gap_hours or 0.0
    limit = max(limits.stale_hours, 3 * gap)
    return Check(
        "VOL105",
        "the newest row is fresh",
        stream.table,
        "warn",
        "passed" if age <= limit else "failed",
        age,
        f"<= {limit:g} hours",
        f"the newest row is {age:.1f} hours older than the run's moment; limit {limit:g}, usual gap {gap:g}.",
    )


def check_parts(
    code: str, title: str, table: str, parts: Mapping[str, Counts], as_of: datetime, limits: TableLimits, min_days: int
) -> Check:
    """Return one check on all publishers, or all categories, each against its own earlier days."""
    weekday = f"{as_of - timedelta(hours=24):%A}"
    off, judged, days = [], 0, 0
    for name, spans in sorted(parts.items()):
        expectations = expect(spans, weekday, min_days)
        days = max(days, sum(back > 0 for back in spans))
        if not expectations:
            continue
        judged += 1
        rows = spans.get(0, 0)
        expected = nearest(rows, expectations)
        low, high = bounds(expected, limits.warn_below, limits.warn_above)
        if not low <= rows <= high:
            off.append((abs(rows - expected.rows), f"{name} ({rows:,.0f} rows, {expected.rows:,.0f} expected)"))
    if not judged:
        return unknown(code, title, table, days, min_days)
    worst = ", ".join(told for _, told in sorted(off, key=lambda one: (-one[0], one[1]))[:MOST_NAMED])
    sentence = f"{len(off)} of {judged} had fewer or more rows in the newest 24 hours than usual for the day"
    outcome = "failed" if off else "passed"
    return _counted(code, title, table, "warn", outcome, len(off), f"{sentence}{': ' + worst if worst else ''}.")


def check_unseen(parts: Mapping[str, Counts], limits: TableLimits, min_days: int) -> Check:
    """Return the check for categories of the newest 24 hours that no earlier day had and no limit announces."""
    named = ("VOL108", "no category is seen for the first time", "articles")
    days = max((sum(back > 0 for back in spans) for spans in parts.values()), default=0)
    if days < min_days:
        return unknown(*named, days, min_days)
    announced = set(limits.words.get("category", ()))
    unseen = {
        name: spans.get(0, 0)
        for name, spans in sorted(parts.items())
        if spans.get(0, 0) and name not in announced and not any(rows for back, rows in spans.items() if back > 0)
    }
    told = ", ".join(f"{name} ({rows:,.0f} rows)" for name, rows in list(unseen.items())[:MOST_NAMED])
    sentence = f"{len(unseen)} categories are new: {told}." if unseen else "every category is known."
    return _counted(*named, "warn", "failed" if unseen else "passed", len(unseen), sentence)


def unknown(code: str, title: str, subject: str, days: int, min_days: int) -> Check:
    """Return the check for too little history; it stops nothing."""
    told = f"not enough history: {max(days, 0)} days before this one, {min_days} are needed."
    return Check(code, title, subject, "info", "not applicable", None, "", told)


def _counted(code: str, title: str, subject: str, severity: Severity, outcome: str, count: int, sentence: str) -> Check:
    return Check(code, title, subject, severity, "passed" if outcome == "passed" else "failed", count, "<= 0", sentence)


def check_held(
    table: str, now: Mapping[str, int], then: Mapping[str, int], told: str, limits: TableLimits
) -> list[Check]:
    """Return the checks that days of an earlier snapshot still have their rows; days are matched by name."""
    gone, changed = ("VOL106", "days held before were not emptied"), ("VOL107", "days held before are as they were")
    common = sorted(set(now) & set(then))
    before, after = sum(then[day] for day in common), sum(now[day] for day in common)
    if not before:
        text = f"not enough history: no full day in common with {told}."
        return [Check(*named, table, "info", "not applicable", None, "", text) for named in (gone, changed)]
    times = after / before
    sentence = f"{len(common)} days held {before:,} rows in {told}, {after:,} now ({times:.3f} times)."
    low, high = 1 - (1 - limits.warn_below) / 4, limits.warn_above
    is_small = before - after <= NOISE * math.sqrt(before) and after - before <= NOISE * math.sqrt(before) + NOISE
    return [
        Check(
            *gone, table, "block", "passed" if times >= limits.block_below or is_small else "failed", times,
            f">= {limits.block_below:g}", sentence,
        ),
        Check(
            *changed, table, "warn", "passed" if low <= times <= high or is_small else "failed", times,
            f"{low:g} to {high:g}", sentence,
        ),
    ]  # fmt: skip
